"""A lead as it was: what the timeline says has changed, changed back, newest first. Pure.

Each event says what there was before it (see the verbs in `leads`). Where one does not, the present
value is kept: nothing is guessed. So it is with what was erased, and with what a record brought
along that was merged into the lead: those entries of the timeline are another record's, and one is
changed back only where the lead stood as the event left it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segments.facts import Facts, Happened, Stated
from segments.folding import NUMBER, NUMBER_LENGTH

_NOTHING: tuple[Any, ...] = (None, "", [])


def as_of(facts: Facts, at: datetime, *, after_event: int | None = None) -> Facts | None:
    """The lead as it was at `at`, with what happened at that instant; None before it came in.

    With `after_event` it is the lead as it was known when the newest event had this number: later
    entries count as new however early they are dated. Nothing of `facts` is changed.
    """
    if facts.columns["created_at"] > at:
        return None
    earlier = facts
    gone = []
    for event in newest_first(facts, since=at, after_event=after_event):
        if _arrival(event, facts) and after_event is not None:
            return None
        earlier = undone(earlier, event)
        gone.append(event.id)
    if not gone:
        return facts
    if after_event is None:
        return replace(earlier, events=facts.events[: len(facts.events) - len(gone)])
    return replace(earlier, events=tuple(e for e in facts.events if e.id <= after_event))


def backwards(
    facts: Facts, *, since: datetime | None = None, after_event: int | None = None
) -> Iterator[tuple[Happened, Facts]]:
    """Each event, newest first, with the lead as it was just before it.

    Ends with the first event later than `since`, or numbered above `after_event`.
    """
    for event in newest_first(facts, since=since, after_event=after_event):
        rest: Sequence[Happened]
        if after_event is None:
            rest = facts.events[:-1]
        else:
            rest = tuple(each for each in facts.events if each.id != event.id)
        facts = replace(undone(facts, event), events=rest)
        yield event, facts


def newest_first(
    facts: Facts, *, since: datetime | None = None, after_event: int | None = None
) -> Iterator[Happened]:
    """What happened after `since`, the latest first; with `after_event`, by number."""
    if after_event is not None:
        new = (each for each in facts.events if each.id > after_event)
        yield from sorted(new, key=lambda each: -each.id)
        return
    for event in reversed(facts.events):
        if since is not None and event.at <= since:
            return
        yield event


def undone(facts: Facts, event: Happened) -> Facts:
    """The lead without what the event changed; its timeline stays as it is."""
    undo = _UNDO.get(event.kind)
    return facts if undo is None else undo(facts, event)


def _arrival(event: Happened, facts: Facts) -> bool:
    return event.kind == "imported" and event.at == facts.columns["created_at"]


def _changed(facts: Facts, event: Happened) -> Facts:
    columns, attributes = dict(facts.columns), dict(facts.attributes)
    tags = facts.tags
    for name, (before, after) in event.data.get("changed", {}).items():
        if name == "tags":
            tags = before if list(tags) == after else tags
        elif name.startswith("attr."):
            key = name.removeprefix("attr.")
            if _same(attributes.get(key), after):
                _put(attributes, key, before)
        elif _same(columns.get(name), after):
            columns[name] = before or ""
    return replace(facts, columns=columns, attributes=attributes, tags=tuple(tags))


def _merged(facts: Facts, event: Happened) -> Facts:
    """Only what was empty before was filled."""
    columns, attributes = dict(facts.columns), dict(facts.attributes)
    for name in event.data.get("filled", ()):
        if name.startswith("attr."):
            attributes.pop(name.removeprefix("attr."), None)
        elif name != "tags":
            columns[name] = ""
    return replace(facts, columns=columns, attributes=attributes)


def _staged(facts: Facts, event: Happened) -> Facts:
    columns, data = facts.columns, event.data
    if columns["stage"] != data.get("to") or columns["stage_at"] != event.at:
        return facts
    pipeline = data.get("from_pipeline", columns["pipeline"])
    place = {"stage": data["from"], "pipeline": pipeline, "stage_at": columns["created_at"]}
    for older in reversed(facts.events):
        moved = older.kind == "stage" and older.data.get("to") == data["from"]
        if moved and (older.at, older.id) < (event.at, event.id):
            place["stage_at"] = older.at
            break
    return replace(facts, columns={**columns, **place})


def _preferred(facts: Facts, event: Happened) -> Facts:
    name, added = event.data.get("name", ""), event.data.get("added", ())
    kept = [each for each in facts.preferences if each.name != name or each.value not in added]
    there = {each.value for each in kept if each.name == name}
    kept += [
        Stated(name=name, value=value, number=_number(value))
        for value in event.data.get("removed", ())
        if value not in there
    ]
    return replace(facts, preferences=tuple(kept))


def _consented(facts: Facts, event: Happened) -> Facts:
    topic = event.data.get("topic", "")
    if "before" not in event.data or facts.consents.get(topic) != event.data.get("state"):
        return facts
    consents = dict(facts.consents)
    _put(consents, topic, event.data["before"])
    return replace(facts, consents=consents)


def _suppressed(facts: Facts, event: Happened) -> Facts:
    known = "before" in event.data and facts.suppressed == event.data.get("reason")
    return replace(facts, suppressed=event.data["before"]) if known else facts


def _unsuppressed(facts: Facts, event: Happened) -> Facts:
    known = facts.suppressed is None and "reason" in event.data
    return replace(facts, suppressed=event.data["reason"]) if known else facts


def _deal(facts: Facts, event: Happened) -> Facts:
    return replace(facts, deals=_record(facts.deals, event, "deal"))


def _task(facts: Facts, event: Happened) -> Facts:
    return replace(facts, tasks=_record(facts.tasks, event, "task"))


def _record(records: Sequence[Any], event: Happened, key: str) -> tuple[Any, ...]:
    """A deal or a task among the lead's, opened or changed by the event."""
    number, data = event.data.get(key), event.data
    if data.get("what") == "opened":
        return tuple(each for each in records if each.id != number)
    before = {
        name: _READ.get(name, str)(values[0]) if values[0] is not None else None
        for name, values in data.get("changed", {}).items()
    }
    return tuple(
        replace(each, **{k: v for k, v in before.items() if hasattr(each, k)})
        if each.id == number
        else each
        for each in records
    )


#: How the event's JSON is read back, where a column holds no text.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "amount": lambda value: Decimal(str(value)),
    "expected_close": date.fromisoformat,
    "closed_at": datetime.fromisoformat,
    "due_at": datetime.fromisoformat,
    "done_at": datetime.fromisoformat,
}

_UNDO: Mapping[str, Callable[[Facts, Happened], Facts]] = {
    "changed": _changed,
    "merged": _merged,
    "stage": _staged,
    "preference": _preferred,
    "consent": _consented,
    "suppressed": _suppressed,
    "unsuppressed": _unsuppressed,
    "deal": _deal,
    "task": _task,
}


def _same(present: Any, after: Any) -> bool:
    return present == after or (present in _NOTHING and after in _NOTHING)


def _put(place: dict[str, Any], key: str, value: Any) -> None:
    if value in _NOTHING:
        place.pop(key, None)
    else:
        place[key] = value


def _number(value: str) -> float | None:
    """As `leads` reads a stated value."""
    known = len(value) <= NUMBER_LENGTH and NUMBER.fullmatch(value)
    return float(value) if known else None
