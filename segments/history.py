"""A lead as it was: what the timeline says has changed, changed back, newest first. Pure.

Each event says what there was before it (see the verbs in `leads`). Where one does not, as those of
older versions, the present value is kept: nothing is guessed. Of an erased lead nothing is left to
change back, and a lead that was merged into another one has no timeline any more.
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
    for event, before in _walk(facts, at, after_event):
        if after_event is not None and _arrival(event, facts):
            return None
        earlier = before
    old = tuple(each for each in earlier.events if not _is_new(each, at, after_event))
    return facts if len(old) == len(facts.events) else replace(earlier, events=old)


def backwards(
    facts: Facts, *, since: datetime | None = None, after_event: int | None = None
) -> Iterator[tuple[Happened, Facts]]:
    """Each event, newest first, with the lead as it was just before it.

    Ends with the first event later than `since`, or numbered above `after_event`. Entries that a
    merged record brought along are gone before the merging.
    """
    gone: set[int] = set()
    for event, before in _walk(facts, since, after_event):
        gone.add(event.id)
        yield event, replace(before, events=tuple(e for e in before.events if e.id not in gone))


def _walk(
    facts: Facts, since: datetime | None, after_event: int | None
) -> Iterator[tuple[Happened, Facts]]:
    """Each new event with the lead without what it changed; the entries stay on the timeline."""
    foreign: set[int] = set()
    news = [e for e in reversed(facts.events) if _is_new(e, since, after_event)]
    if after_event is not None:
        news.sort(key=lambda event: -event.id)
    for event in news:
        if event.id in foreign:
            continue
        facts = undone(facts, event)
        if event.kind == "merged" and event.data.get("events"):
            foreign.update(event.data["events"])
            facts = replace(facts, events=[e for e in facts.events if e.id not in foreign])
        yield event, facts


def _is_new(event: Happened, since: datetime | None, after_event: int | None) -> bool:
    if after_event is not None:
        return event.id > after_event
    return since is None or event.at > since


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
    """Without what the other record brought along."""
    data = event.data
    facts = _changed(facts, event)
    consents = dict(facts.consents)
    for topic, (before, after) in data.get("consent", {}).items():
        if consents.get(topic) == after:
            _put(consents, topic, before)
    brought = {
        (name, each) for name, values in data.get("preferences", {}).items() for each in values
    }
    return replace(
        facts,
        consents=consents,
        preferences=tuple(s for s in facts.preferences if (s.name, s.value) not in brought),
        deals=tuple(each for each in facts.deals if each.id not in data.get("deals", ())),
        tasks=tuple(each for each in facts.tasks if each.id not in data.get("tasks", ())),
    )


def _staged(facts: Facts, event: Happened) -> Facts:
    columns, data = facts.columns, event.data
    if columns["stage"] != data.get("to") or columns["stage_at"] != event.at:
        return facts
    pipeline = data.get("from_pipeline", columns["pipeline"])
    place = {"stage": data["from"], "pipeline": pipeline, "stage_at": columns["created_at"]}
    foreign = _brought(facts)
    for older in reversed(facts.events):
        moved = older.kind == "stage" and older.data.get("to") == data["from"]
        if moved and (older.at, older.id) < (event.at, event.id) and older.id not in foreign:
            place["stage_at"] = older.at
            break
    return replace(facts, columns={**columns, **place})


def _brought(facts: Facts) -> set[int]:
    """Entries that merged records brought along: they tell of other leads."""
    merged = (each.data.get("events", ()) for each in facts.events if each.kind == "merged")
    return {number for numbers in merged for number in numbers}


def _preferred(facts: Facts, event: Happened) -> Facts:
    name, added = event.data.get("name", ""), event.data.get("added", ())
    kept = [each for each in facts.preferences if each.name != name or each.value not in added]
    there = {each.value for each in kept if each.name == name}
    kept += [
        Stated(name=name, value=value, number=_number(value))
        for value in dict.fromkeys(event.data.get("removed", ()))
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
