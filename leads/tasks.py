"""Tasks: what somebody is to do for a lead, until when, and when it was done.

Every change is one event of kind `task` on the lead's timeline, with all that undoes it:

    {"task": 7, "title": "Call back", "what": "opened", "after": {"title": "Call back",
     "due_at": "2026-12-01T22:59:00Z", "done_at": null, "owner": "", "created_at":
     "2026-03-10T11:00:00Z", "by": "jan"}}
    {"task": 7, "title": "Call back", "what": "changed", "changed":
     {"done_at": [null, "2026-03-11T11:00:00Z"]}}

`changed` holds [before, after] of any of the fields in `after`, in the same form. `title` beside
`task` is for readers: the title before the change. A merge moves tasks without an event of this
kind: `merged` says which (`merging.py`).
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from leads.errors import FieldError, UnknownLead, UnknownTask
from leads.fields import LONGEST, field_value, one_line
from leads.intake.values import moment
from leads.records import alter, locked
from leads.tables import Lead, Task
from leads.telling import plain_values
from leads.timeline import record

#: What the events keep of a task.
FACTS = ("title", "due_at", "done_at", "owner", "created_at", "by")


def add_task(
    session: Session,
    lead_id: int,
    title: str,
    *,
    due: datetime | None = None,
    owner: str = "",
    at: datetime,
    by: str,
) -> int:
    """Writes down something to do; its number. Raises FieldError without a title, UnknownLead."""
    if session.scalar(select(col(Lead.id)).where(col(Lead.id) == lead_id)) is None:
        raise UnknownLead
    facts = {
        "title": task_title(title),
        "due_at": due,
        "done_at": None,
        "owner": field_value("owner", owner),
        "created_at": at,
        "by": by,
    }
    made = session.execute(
        insert(Task).values(lead_id=lead_id, **facts).returning(col(Task.id))
    ).scalar_one()
    number = int(made or 0)
    data = {
        "task": number,
        "title": facts["title"],
        "what": "opened",
        "after": plain_values({name: facts[name] for name in FACTS}),
    }
    record(session, lead_id, "task", at=at, by=by, data=data)
    return number


def change_task(
    session: Session, task_id: int, wanted: Mapping[str, Any], *, at: datetime, by: str
) -> bool:
    """Sets `title`, `due_at` (an instant, None clears) and `owner`; True when anything changed.

    Raises FieldError, UnknownTask.
    """
    values = dict(wanted)
    if "title" in values:
        values["title"] = task_title(values["title"])
    if "owner" in values:
        values["owner"] = field_value("owner", values["owner"])
    return _change(session, task_id, _locked(session, task_id), values, at=at, by=by)


def finish_task(session: Session, task_id: int, *, at: datetime, by: str) -> bool:
    """The task is done; True when it was open. Raises UnknownTask."""
    row = _locked(session, task_id)
    if row["done_at"] is not None:
        return False
    return _change(session, task_id, row, {"done_at": at}, at=at, by=by)


def reopen_task(session: Session, task_id: int, *, at: datetime, by: str) -> bool:
    """The task is open again; True when it was done. Raises UnknownTask."""
    return _change(session, task_id, _locked(session, task_id), {"done_at": None}, at=at, by=by)


def tasks_of(session: Session, lead_id: int) -> list[Task]:
    """The lead's tasks: open ones first, the most urgent on top."""
    chosen = select(Task).where(col(Task.lead_id) == lead_id)
    # The databases differ in where what is empty comes, so that is asked for by itself.
    chosen = chosen.order_by(
        *(col(Task.done_at).is_not(None), col(Task.due_at).is_(None), col(Task.due_at)),
        col(Task.id),
    )
    return list(session.scalars(chosen, execution_options={"populate_existing": True}))


def find_task(session: Session, lead_id: int, text: str) -> Task:
    """The task that is meant by its title, or by its number as in `7` or `#7`.

    Of several with one title the open one. Raises UnknownTask: one line that says which there are.
    """
    every = tasks_of(session, lead_id)
    if not every:
        raise UnknownTask('The lead has no task: potok leads task add EMAIL "TITLE" makes one')
    word = " ".join(text.split()).casefold()
    named = [task for task in every if task.title.casefold() == word]
    found = named or [task for task in every if str(task.id) == word.removeprefix("#")]
    if len(found) > 1:
        found = [task for task in found if task.done_at is None] or found
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f'#{task.id} "{task.title}"' for task in found or every)
    if found:
        raise UnknownTask(f'More than one task is called "{text}", say which by number: {listed}')
    raise UnknownTask(f'The lead has no task "{text}"; there is: {listed}')


def due_moment(text: str, zone: tzinfo) -> datetime:
    """When something is due: the moment, or for a day alone its last minute in `zone`.

    Raises FieldError for what is no date.
    """
    if ":" in text:
        return moment(text, zone)
    return moment(f"{text.strip()} 23:59", zone)


def task_title(text: str) -> str:
    """What is to be done; raises FieldError for nothing, or a very long text."""
    title = one_line(text)
    if not title:
        raise FieldError("The task says nothing")
    if len(title) > LONGEST:
        raise FieldError(f"The task has {len(title)} letters; {LONGEST} are the most")
    return title


def _locked(session: Session, task_id: int) -> dict[str, Any]:
    return locked(session, Task, task_id, FACTS, missing=UnknownTask)


def _change(
    session: Session,
    task_id: int,
    before: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    at: datetime,
    by: str,
) -> bool:
    return alter(session, Task, task_id, before, values, called="title", at=at, by=by)
