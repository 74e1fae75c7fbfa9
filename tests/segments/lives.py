"""Lives of a few leads: the real verbs of `leads`, at times that only go on."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlmodel import Session, col

from leads import (
    Event,
    FieldError,
    Lead,
    add_note,
    add_task,
    change_deal,
    change_task,
    close_deal,
    deals_of,
    finish_task,
    forget_preference,
    give_consent,
    move_stage,
    note_event,
    open_deal,
    prefer,
    record,
    reopen_deal,
    reopen_task,
    set_fields,
    suppress,
    tasks_of,
    unsuppress,
    withdraw_consent,
)
from leads.consent import ask_consent

#: When the first lead comes in.
START = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)

PROPERTIES: list[dict[str, Any]] = [
    {},
    {"plan": "pro", "x": 5},
    {"plan": "Ab", "x": "2026-03-10"},
    {"plan": "5", "x": True},
]

#: (time since the step before, which lead, verb, what it is given)
Step = tuple[timedelta, int, str, tuple[Any, ...]]

_pauses = st.sampled_from(
    [
        timedelta(0),
        timedelta(minutes=1),
        timedelta(hours=9),
        timedelta(days=1),
        timedelta(days=10),
        timedelta(days=31),
    ]
)
_words = st.sampled_from(["", "a", "Ab", "5", "2026-03-10", "2026-04-02"])
_topics = st.sampled_from(["", "news"])


def _verb(name: str, *given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), st.tuples(*given))


verbs = st.one_of(
    _verb("field", st.sampled_from(["company", "first_name", "name"]), _words),
    _verb("field", st.just("country"), st.sampled_from(["", "PL", "IN"])),
    _verb("attribute", st.sampled_from(["x", "größe"]), _words),
    _verb("tags", st.sampled_from([("vip",), ("vip", "a"), ()]), st.sampled_from([("vip",), ()])),
    _verb("stage", st.sampled_from(["sales", "partners"]), st.sampled_from(["new", "demo", "won"])),
    _verb(
        "prefer",
        st.sampled_from(["topic", "budget"]),
        st.lists(st.sampled_from(["a", "5", "x"]), max_size=2),
        st.booleans(),
    ),
    _verb("forget", st.just("topic"), st.lists(st.sampled_from(["a", "x"]), max_size=2)),
    _verb("agree", _topics),
    _verb("ask", _topics),
    _verb("withdraw", _topics),
    _verb("suppress", st.sampled_from(["manual", "hard_bounce", "opted_out"])),
    _verb("unsuppress"),
    _verb("note", st.sampled_from(["called", "Ab"])),
    _verb(
        "happens",
        st.sampled_from(["sent", "replied", "bounced"]),
        st.none() | st.sampled_from(["spring", "o'hara"]),
    ),
)

_amounts = st.none() | st.sampled_from([Decimal("0.10"), Decimal("5000.00")])
_days = st.none() | st.sampled_from([date(2026, 2, 9), date(2026, 3, 10)])
_dues = st.none() | st.sampled_from([timedelta(hours=1), timedelta(days=3), timedelta(days=-2)])
verbs |= st.one_of(
    _verb("deal", st.sampled_from(["plan", "Ab"]), _amounts, _days),
    _verb("deal changes", st.integers(0, 2), _amounts, _days),
    _verb("deal ends", st.integers(0, 2), st.sampled_from(["won", "lost", "open"])),
    _verb("task", st.sampled_from(["call", "write"]), _dues),
    _verb("task changes", st.integers(0, 2), _dues),
    _verb("task ends", st.integers(0, 2), st.booleans()),
    _verb("event", st.sampled_from(["demo.requested", "a.b"]), st.sampled_from(PROPERTIES)),
)

steps = st.builds(lambda pause, lead, verb: (pause, lead, *verb), _pauses, st.integers(0, 1), verbs)


def be_born(session: Session, numbers: Sequence[int], at: datetime) -> list[int]:
    """Leads as an import leaves them; their ids."""
    for number in numbers:
        row = {
            "email": f"lead{number}@firma.example",
            "address_key": f"{number:032x}",
            "domain": "firma.example",
            "draw": number * 997,
            "token": f"{number:016x}",
            "stage_at": at,
            "created_at": at,
            "updated_at": at,
            "attributes": {},
            "tags": [],
        }
        session.execute(insert(Lead), [row])
    keys = [f"{number:032x}" for number in numbers]
    found = session.execute(
        select(col(Lead.id), col(Lead.address_key)).where(col(Lead.address_key).in_(keys))
    )
    by_key = {key: lead_id for lead_id, key in found}
    for key in keys:
        record(session, by_key[key], "imported", at=at, data={"stage": "new"})
    return [by_key[key] for key in keys]


def live(session: Session, ids: Sequence[int], step: Step, at: datetime) -> None:
    """One step at `at`."""
    _, which, verb, given = step
    lead_id = ids[which % len(ids)]
    key = session.scalars(select(col(Lead.address_key)).where(col(Lead.id) == lead_id)).one()
    by: dict[str, Any] = {"at": at, "by": "eva"}
    match verb, given:
        case "field", (name, text):
            set_fields(session, lead_id, {name: text}, **by)
        case "attribute", (name, text):
            set_fields(session, lead_id, {}, attributes={name: text}, **by)
        case "tags", (adding, removing):
            set_fields(session, lead_id, {}, add_tags=adding, remove_tags=removing, **by)
        case "stage", (pipeline, stage):
            move_stage(session, lead_id, pipeline, stage, **by)
        case "prefer", (name, values, replace):
            prefer(session, lead_id, name, values, replace=replace, **by)
        case "forget", (name, values):
            forget_preference(session, lead_id, name, values, **by)
        case "agree", (topic,):
            give_consent(session, lead_id, topic=topic, source="fair", **by)
        case "ask", (topic,):
            ask_consent(session, lead_id, topic=topic, source="form", **by)
        case "withdraw", (topic,):
            withdraw_consent(session, lead_id, topic=topic, **by)
        case "suppress", (reason,):
            suppress(session, key, reason=reason, **by)
        case "unsuppress", ():
            unsuppress(session, key, why="asked", **by)
        case "note", (text,):
            add_note(session, lead_id, text, **by)
        case "happens", (kind, campaign):
            record(session, lead_id, kind, campaign=campaign, at=at, by="mail")
        case "event", (name, properties):
            note_event(session, lead_id, name, properties, **by)
        case _:
            _sell(session, lead_id, verb, given, at)


def _sell(session: Session, lead_id: int, verb: str, given: tuple[Any, ...], at: datetime) -> None:
    """Deals and tasks; what the verbs refuse is not done."""
    by: dict[str, Any] = {"at": at, "by": "eva"}
    deals = [deal.id or 0 for deal in deals_of(session, lead_id)]
    tasks = sorted(task.id or 0 for task in tasks_of(session, lead_id))
    try:
        match verb, given:
            case "deal", (name, amount, day):
                worth = {"amount": amount, "currency": "PLN" if amount is not None else ""}
                open_deal(session, lead_id, name, expected_close=day, **worth, **by)
            case "deal changes", (which, amount, day):
                if deals:
                    wanted = {"amount": amount, "expected_close": day}
                    wanted |= {"currency": "EUR"} if amount is not None else {}
                    change_deal(session, deals[which % len(deals)], wanted, **by)
            case "deal ends", (which, state):
                if deals and state == "open":
                    reopen_deal(session, deals[which % len(deals)], **by)
                elif deals:
                    close_deal(session, deals[which % len(deals)], state, **by)
            case "task", (title, due):
                when = None if due is None else at + due
                add_task(session, lead_id, title, due=when, **by)
            case "task changes", (which, due):
                if tasks:
                    when = None if due is None else at + due
                    change_task(session, tasks[which % len(tasks)], {"due_at": when}, **by)
            case "task ends", (which, done):
                if tasks:
                    end = finish_task if done else reopen_task
                    end(session, tasks[which % len(tasks)], **by)
            case _:
                raise AssertionError(verb)
    except FieldError:
        return


def newest_event(session: Session) -> int:
    return session.scalar(select(col(Event.id)).order_by(col(Event.id).desc()).limit(1)) or 0
