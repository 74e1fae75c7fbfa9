"""Every event says what was before: undone backwards, a lead is again what it was at any time."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from console.database import Database
from leads import (
    FIELDS,
    FieldError,
    Lead,
    address_key,
    change_deal,
    change_task,
    close_deal,
    deals_of,
    finish_task,
    give_consent,
    merge,
    move_stage,
    open_deal,
    parse_address,
    prefer,
    profile,
    reopen_deal,
    reopen_task,
    set_fields,
    suppress,
    suppress_all,
    tasks_of,
    timeline,
    unsuppress,
    withdraw_consent,
)
from leads import add_task as write_task
from tests.conftest import NOW
from tests.laws import tried_on
from tests.leads.files import taken_in, written
from tests.leads.people import KEY, add

State = dict[str, Any]
_number = count()


def plain(value: Any) -> Any:
    if hasattr(value, "tzinfo"):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def state(session: Session, lead_id: int) -> State:
    """What a rule can ask about the lead now, apart from what happened."""
    session.expire_all()
    lead = session.get_one(Lead, lead_id)
    known = profile(session, lead)
    deal = ("name", "amount", "currency", "state", "expected_close", "created_at", "closed_at")
    task = ("title", "due_at", "done_at", "owner", "created_at", "by")
    return {
        **{name: getattr(lead, name) for name in (*FIELDS, "pipeline", "stage")},
        **{f"attr.{name}": value for name, value in lead.attributes.items()},
        "tags": list(lead.tags),
        "preferences": {(p.name, p.value) for p in known.preferences},
        "consent": {c.topic: (c.state, c.source, plain(c.at)) for c in known.consents},
        "suppressed": known.suppression and known.suppression.reason,
        "deals": {d.id: {n: plain(getattr(d, n)) for n in deal} for d in known.deals},
        "tasks": {t.id: {n: plain(getattr(t, n)) for n in task} for t in known.tasks},
    }


def undo(now: State, kind: str, data: dict[str, Any]) -> State:
    """What was before the event, by its data alone."""
    was = dict(now)

    def back(changed: dict[str, Any]) -> None:
        for name, (before, _) in changed.items():
            if before is None:
                was.pop(name)
            else:
                was[name] = before

    match kind:
        case "changed":
            back(data["changed"])
        case "stage":
            was["stage"] = data["from"]
            was["pipeline"] = data.get("from_pipeline", was["pipeline"])
        case "preference":
            added = {(data["name"], value) for value in data["added"]}
            removed = {(data["name"], value) for value in data.get("removed", ())}
            was["preferences"] = (was["preferences"] - added) | removed
        case "consent":
            was["consent"] = dict(was["consent"])
            if data["before"] is None:
                del was["consent"][data["topic"]]
            else:
                kept = data["before"], data["before_source"], data["before_on"]
                was["consent"][data["topic"]] = kept
        case "suppressed":
            was["suppressed"] = data["before"]
        case "unsuppressed":
            was["suppressed"] = data["reason"]
        case "deal" | "task":
            rows = was[f"{kind}s"] = dict(was[f"{kind}s"])
            number = data[kind]
            if data["what"] == "opened":
                assert rows.pop(number) == data["after"]
            else:
                before = {name: pair[0] for name, pair in data["changed"].items()}
                rows[number] = rows[number] | before
        case "merged":
            back(data["changed"])
            stated = {(name, v) for name, values in data["preferences"].items() for v in values}
            was["preferences"] = was["preferences"] - stated
            was["deals"] = {n: d for n, d in was["deals"].items() if n not in data["deals"]}
            was["tasks"] = {n: t for n, t in was["tasks"].items() if n not in data["tasks"]}
            consent = {t: c[0] for t, c in was["consent"].items()}
            for topic, (before, after) in data["consent"].items():
                assert consent[topic] == after
                if before is None:
                    del consent[topic]
                else:
                    consent[topic] = before
            was["consent"] = consent
    return was


WORDS = st.sampled_from(["", "a", "b", "Łódź"])
STEPS = st.one_of(
    st.tuples(
        st.just("field"), st.sampled_from(["company", "first_name", "last_name", "name"]), WORDS
    ),
    st.tuples(st.just("attr"), st.sampled_from(["size", "likes[]", "likes"]), WORDS),
    st.tuples(st.just("tag"), st.booleans(), st.sampled_from(["x", "y"])),
    st.tuples(st.just("prefer"), st.booleans(), WORDS),
    st.tuples(st.just("stage"), st.sampled_from(["sales", "partners"]), st.sampled_from("xy")),
    st.tuples(st.just("consent"), st.booleans(), st.sampled_from(["", "news"])),
    st.tuples(
        st.just("suppress"), st.booleans(), st.sampled_from(["manual", "imported", "complaint"])
    ),
    st.tuples(st.just("lift"), st.none(), st.none()),
    st.tuples(st.just("file"), st.sampled_from(["fill", "overwrite"]), st.sampled_from(["a", "b"])),
    st.tuples(
        st.just("deal"), st.sampled_from(["open", "won", "lost", "again"]), st.integers(0, 2)
    ),
    st.tuples(st.just("worth"), st.sampled_from([None, "1.50", "5000"]), st.integers(0, 2)),
    st.tuples(
        st.just("task"), st.sampled_from(["add", "done", "again", "move"]), st.integers(0, 2)
    ),
)


@tried_on(15, long=60)
@given(steps=st.lists(STEPS, max_size=12))
def test_undone_backwards_the_lead_is_what_it_was(
    database: Database, tmp_path: Path, steps: list[tuple[str, Any, Any]]
) -> None:
    email = f"a{next(_number)}@firma.example"
    with database.writing() as session:
        lead = add(session, email)
        seen = [(0, state(session, lead))]
    for at, (what, how, value) in enumerate(steps, start=1):
        _do(database, tmp_path, lead, email, what, how, value, at)
        with database.writing() as session:
            seen.append((len(timeline(session, lead)), state(session, lead)))
    with database.reading() as session:
        told = timeline(session, lead)
    now = seen[-1][1]
    for length, before in reversed(seen):
        while len(told) > length:
            last = told.pop()
            now = undo(now, last.kind, last.data)
        assert now == before


def test_a_merge_is_undone_too(database: Database) -> None:
    with database.writing() as session:
        anna = add(session, tags=["a"], attributes={"size": "9", "empty": ""}, last_name="Nowak")
        bob = add(
            session,
            "bob@firma.example",
            tags=["b"],
            company="Kos",
            first_name="Anna",
            attributes={"size": "1", "empty": "no", "new": ["x"]},
        )
        for lead, topics in ((anna, ["p"]), (bob, ["p", "q"])):
            prefer(session, lead, "topic", topics, at=NOW, by="jan")
            open_deal(session, lead, "Plan", at=NOW, by="jan")
            write_task(session, lead, "Call", at=NOW, by="jan")
        give_consent(session, anna, source="fair", at=NOW, by="jan")
        withdraw_consent(session, bob, at=NOW, by="jan")
        give_consent(session, bob, topic="news", source="fair", at=NOW, by="jan")
        before = state(session, anna)
        own = [(entry.kind, entry.data) for entry in timeline(session, anna)]
        merge(session, anna, bob, at=NOW + timedelta(days=1), by="jan")
        last = timeline(session, anna)[-1]
        after = state(session, anna)
        assert (after["name"], after["company"]) == ("Anna Nowak", "Kos")
        undone = undo(after, last.kind, last.data)
        assert undone == before | {"consent": {"": "given"}}
        assert len(last.data["events"]) == 5
        assert len(timeline(session, anna)) == len(own) + 5 + 1


def _do(
    database: Database,
    folder: Path,
    lead: int,
    email: str,
    what: str,
    how: Any,
    value: Any,
    step: int,
) -> None:
    at = NOW + timedelta(hours=step)
    key = address_key(parse_address(email), KEY)

    def write(session: Session) -> None:
        match what:
            case "field":
                set_fields(session, lead, {how: value}, at=at, by="jan")
            case "attr":
                set_fields(session, lead, {}, attributes={how: value}, at=at, by="jan")
            case "tag":
                tags: dict[str, Any] = {"add_tags" if how else "remove_tags": [value]}
                set_fields(session, lead, {}, **tags, at=at, by="jan")
            case "prefer":
                prefer(session, lead, "topic", [value], at=at, by="jan", replace=how)
            case "stage":
                move_stage(session, lead, how, value, at=at, by="jan")
            case "consent":
                verb = give_consent if how else withdraw_consent
                verb(session, lead, topic=value, source="fair", at=at, by="jan")
            case "suppress" if how:
                suppress(session, key, reason=value, at=at, by="jan")
            case "suppress":
                suppress_all(session, [key], reason=value, at=at, by="jan")
            case "lift":
                unsuppress(session, key, at=at, by="jan", why="asked")
            case "deal" | "worth":
                _deal(session, lead, what, how, value, at)
            case "task":
                _task(session, lead, how, value, at)

    if what != "file":
        database.write(write)
        return
    header = "email,company,first_name,size,attr.likes[],topic,tags,stage,consent,unsubscribed"
    row = f"{email},{value},{value},{value},{value};c,{value},{value},demo,{value == 'a'},"
    path = written(folder, f"{header}\n{row}\n")
    taken_in(database, path, on_duplicate=how, now=at)


def _deal(session: Session, lead: int, what: str, how: Any, value: int, at: Any) -> None:
    rows = deals_of(session, lead)
    if how == "open":
        try:
            open_deal(
                session, lead, f"deal {value}", expected_close=date(2026, 12, 1), at=at, by="x"
            )
        except FieldError:
            return
    elif value < len(rows):
        number = rows[value].id or 0
        if what == "worth":
            wish = {"amount": how and Decimal(how), "currency": "PLN" if how else ""}
            change_deal(session, number, wish, at=at, by="jan")
        elif how != "again":
            close_deal(session, number, how, at=at, by="jan")
        elif all(each.state != "open" or each.name != rows[value].name for each in rows):
            reopen_deal(session, number, at=at, by="jan")


def _task(session: Session, lead: int, how: str, value: int, at: Any) -> None:
    rows: list[Any] = tasks_of(session, lead)
    verbs: dict[str, Callable[[int], Any]] = {
        "done": lambda number: finish_task(session, number, at=at, by="jan"),
        "again": lambda number: reopen_task(session, number, at=at, by="jan"),
        "move": lambda number: change_task(session, number, {"due_at": at}, at=at, by="jan"),
    }
    if how == "add":
        write_task(session, lead, f"task {value}", due=at, owner="ewa", at=at, by="jan")
    elif value < len(rows):
        verbs[how](rows[value].id)
