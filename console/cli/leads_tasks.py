"""`potok leads task`: what somebody is to do for a lead, until when."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import Frame, command, group
from console.cli.leads import leads, the_lead

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from console.wiring import Workspace
    from leads import Task

task = group("task", help="Tasks: what somebody is to do for a lead, until when.")
leads.add_command(task)


@command(task, "add")
@click.argument("email")
@click.argument("title")
@click.option("--due", metavar="WHEN", help='Until when: 2026-12-01, or "2026-12-01 14:30".')
@click.option("--owner", default="", help="Who is to do it.")
def add(frame: Frame, email: str, title: str, due: str | None, owner: str) -> None:
    """Write down something to do for a lead. A day without a time is due when it ends.

    \b
    Example:
      potok leads task add jan@example.com "Call back" --due 2026-12-01
      potok leads task add jan@example.com "Send the offer" --due "2026-12-01 14:30" --owner ewa
    """
    from leads import add_task, due_moment, tasks_of

    with frame.workspace() as workspace:
        now, zone = workspace.now(), workspace.settings.time_zone
        when = due_moment(due, zone) if due else None
        with workspace.database.writing() as session:
            lead = the_lead(session, workspace, email)
            number = add_task(
                session, lead.id or 0, title, due=when, owner=owner, at=now, by=frame.by
            )
            made = next(e for e in tasks_of(session, lead.id or 0) if e.id == number)
    _emit(frame, lead.email, made, True, "to do", zone)


@command(task, "change")
@click.argument("email")
@click.argument("which", metavar="TITLE|NUMBER")
@click.option("--due", metavar="WHEN", help='Until when instead: 2026-12-08; "" for no day.')
@click.option("--owner", help='Who is to do it; "" for nobody in particular.')
@click.option("--title", help="What is to be done instead.")
def change(
    frame: Frame, email: str, which: str, due: str | None, owner: str | None, title: str | None
) -> None:
    """Move a task to another day, give it to somebody, or word it anew.

    \b
    Example:
      potok leads task change jan@example.com "Call back" --due 2026-12-08
      potok leads task change jan@example.com 7 --owner ewa
    """
    from leads import change_task, due_moment

    wanted: dict[str, Any] = {}
    if title is not None:
        wanted["title"] = title
    if owner is not None:
        wanted["owner"] = owner
    if due is None and not wanted:
        raise click.UsageError("Say what to change: --due, --owner, --title")

    def work(session: "Session", workspace: "Workspace", number: int, now: datetime) -> bool:
        if due is not None:
            zone = workspace.settings.time_zone
            wanted["due_at"] = due_moment(due, zone) if due.strip() else None
        return change_task(session, number, wanted, at=now, by=frame.by)

    _change(frame, email, which, work, "changed")


@command(task, "done")
@click.argument("email")
@click.argument("which", metavar="TITLE|NUMBER")
def done(frame: Frame, email: str, which: str) -> None:
    """A task is done.

    \b
    Example:
      potok leads task done jan@example.com "Call back"
    """
    from leads import finish_task

    _change(
        frame,
        email,
        which,
        lambda session, _, number, now: finish_task(session, number, at=now, by=frame.by),
        "done",
    )


@command(task, "reopen")
@click.argument("email")
@click.argument("which", metavar="TITLE|NUMBER")
def reopen(frame: Frame, email: str, which: str) -> None:
    """A task that was done is to be done after all.

    \b
    Example:
      potok leads task reopen jan@example.com "Call back"
    """
    from leads import reopen_task

    _change(
        frame,
        email,
        which,
        lambda session, _, number, now: reopen_task(session, number, at=now, by=frame.by),
        "to do again",
    )


@command(task, "list")
@click.argument("email")
def list_(frame: Frame, email: str) -> None:
    """The tasks of a lead: open ones first, the most urgent on top.

    \b
    Example:
      potok leads task list jan@example.com
    """
    from leads import tasks_of

    with frame.workspace() as workspace, workspace.database.reading() as session:
        lead = the_lead(session, workspace, email)
        found, now = tasks_of(session, lead.id or 0), workspace.now()
        zone = workspace.settings.time_zone

    def human(screen: "Console") -> None:
        from console.cli.leads_view_facts import tasks_table

        screen.print(
            tasks_table(found, zone=zone, now=now) if found else f"{lead.email} has no task."
        )

    frame.emit({"email": lead.email, "tasks": [task_document(each) for each in found]}, human)


def task_document(each: "Task") -> dict[str, Any]:
    """A task for scripts."""
    names = ("id", "title", "due_at", "done_at", "owner", "created_at", "by")
    return {name: getattr(each, name) for name in names}


def _change(
    frame: Frame,
    email: str,
    which: str,
    work: "Callable[[Session, Workspace, int, datetime], bool]",
    said: str,
) -> None:
    from leads import find_task, tasks_of

    with frame.workspace() as workspace:
        now, zone = workspace.now(), workspace.settings.time_zone
        with workspace.database.writing() as session:
            lead = the_lead(session, workspace, email)
            number = find_task(session, lead.id or 0, which).id or 0
            changed = work(session, workspace, number, now)
            after = next(e for e in tasks_of(session, lead.id or 0) if e.id == number)
    _emit(frame, lead.email, after, changed, said, zone)


def _emit(frame: Frame, email: str, each: "Task", changed: bool, said: str, zone: tzinfo) -> None:
    def human(screen: "Console") -> None:
        from console.cli.leads_view_facts import task_line

        what = said if changed else "it was so already"
        screen.print(f"{email}: {what}: {task_line(each, zone=zone)}")

    frame.emit({"email": email, "changed": changed, "task": task_document(each)}, human)
