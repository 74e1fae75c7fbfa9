"""When a rule became for a lead what it is now, and by which event, or by time alone. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import tzinfo as Zone  # noqa: N812

from segments.facts import Facts, Happened
from segments.folding import DAY
from segments.history import backwards
from segments.judge import fits
from segments.leaves import kinds_of, leaves, tests_of, timed, window_of
from segments.moments import limits
from segments.terms import Ago, Attribute, DealField, Property, Span, Today, Value
from segments.terms import Day as WholeDay
from segments.tree import Condition, DealThat, Did, EventThat, Moved, NextTask, Rule, WasIn
from segments.vocabulary import DEAL_FIELDS, FIELDS, Kind

_TICK = timedelta(microseconds=1)
#: A month may end up to three days earlier than the one before it.
_MONTHS_DIFFER = timedelta(days=4)
#: Years in which the calendar can be counted back and forth by a century.
_FIRST, _LAST = 1800, 2300


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The moment from which on a rule has been true, or false, for a lead."""

    at: datetime
    #: What did it; None when time alone did, or when it has been so since the lead came in.
    event: Happened | None = None
    #: It has been so since the lead came in, or since the beginning of what was looked at.
    always: bool = False
    #: The lead just before and just after; the same when time did it, None when `always`.
    before: Facts | None = None
    after: Facts | None = None

    def flipped(self, rule: Rule, zone: Zone) -> tuple[Condition, ...]:
        """The single conditions of the rule that turned at this moment."""
        if self.before is None or self.after is None:
            return ()
        earlier = self.at if self.event is not None else self.at - _TICK
        return tuple(
            leaf
            for leaf in dict.fromkeys(leaves(rule))
            if fits(replace(rule, condition=leaf), self.before, now=earlier, zone=zone)
            != fits(replace(rule, condition=leaf), self.after, now=self.at, zone=zone)
        )


def turned(
    rule: Rule,
    facts: Facts,
    *,
    now: datetime,
    zone: Zone,
    since: datetime | None = None,
    after_event: int | None = None,
) -> Turn:
    """Since when the rule has been what it is at `now`.

    Looks back to `since` (and no event up to the number `after_event`), else to the lead's coming.
    """
    holds = fits(rule, facts, now=now, zone=zone)
    start = facts.columns["created_at"] if since is None else since
    matter = kinds_of(rule)
    moving = any(timed(leaf) for leaf in leaves(rule))
    here, upper = facts, now

    def at(moment: datetime) -> bool:
        return fits(rule, here, now=moment, zone=zone) == holds

    def by_time(low: datetime) -> datetime | None:
        if not moving or low >= upper:
            return None
        return last_turn(at, points(rule, here, zone, low, upper), low, upper)

    for event, earlier in backwards(facts, since=since, after_event=after_event):
        if event.kind not in matter:
            continue
        moment = min(upper, max(event.at, start))
        found = by_time(moment)
        if found is not None:
            return Turn(at=found, before=here, after=here)
        upper = moment
        if fits(rule, earlier, now=moment, zone=zone) != holds:
            return Turn(at=moment, event=event, before=earlier, after=here)
        here = earlier
    found = by_time(start) if start < upper else None
    if found is None:
        return Turn(at=start, always=True)
    return Turn(at=found, before=here, after=here)


def last_turn(
    right: Callable[[datetime], bool], moments: Sequence[datetime], low: datetime, high: datetime
) -> datetime | None:
    """The first moment of the last stretch up to `high` that is all `right`; None from `low` on.

    `right(high)` is true. Between two of the `moments` it turns once at most.
    """
    later = high
    for moment in (*reversed(moments), low):
        if not right(moment):
            return _narrowed(right, moment, later)
        later = moment
    return None


def first_turn(
    right: Callable[[datetime], bool], moments: Sequence[datetime], low: datetime
) -> datetime | None:
    """The first of the moments after `low`, where it is not `right`, at which it is."""
    earlier = low
    for moment in moments:
        if right(moment):
            return _narrowed(right, earlier, moment)
        earlier = moment
    return None


def _narrowed(right: Callable[[datetime], bool], wrong: datetime, good: datetime) -> datetime:
    while good - wrong > _TICK:
        middle = wrong + (good - wrong) / 2
        if right(middle):
            good = middle
        else:
            wrong = middle
    return good


def points(
    rule: Rule, facts: Facts, zone: Zone, low: datetime, high: datetime | None = None
) -> list[datetime]:
    """Moments after `low` (and before `high`) between which time turns no condition twice."""
    found = {
        point
        for leaf in leaves(rule)
        if timed(leaf)
        for point in _points(leaf, facts, zone)
        if point > low and (high is None or point < high)
    }
    return sorted(found)


def _points(leaf: Condition, facts: Facts, zone: Zone) -> Iterator[datetime]:
    window = window_of(leaf)
    if window is not None or (isinstance(leaf, NextTask) and leaf.overdue):
        for instant in _instants(leaf, facts):
            yield from _moved(instant, window, zone)
    for operand, _, value in tests_of(leaf):
        if not isinstance(value, Span | Ago | Today):
            continue
        for own in _asked(leaf, operand, facts):
            if not isinstance(own, datetime):
                for midnight in _midnights(own, zone):
                    yield from _moved(midnight, None if isinstance(value, Today) else value, zone)
            elif isinstance(value, Today):
                yield from _midnights(own.astimezone(zone).date(), zone)
            else:
                yield from _moved(own, value, zone)


def _instants(leaf: Condition, facts: Facts) -> Iterator[datetime]:
    """What a window of time is held against."""
    match leaf:
        case Did(kind=kind) | EventThat(name=kind):
            yield from (each.at for each in facts.events if each.kind == kind)
        case WasIn() | Moved():
            yield from (each.at for each in facts.events if each.kind == "stage")
        case NextTask():
            yield from (each.due_at for each in facts.tasks if each.due_at is not None)


def _asked(leaf: Condition, operand: object, facts: Facts) -> Iterator[datetime | date]:
    """The lead's own times and days that a comparison is about."""
    match operand:
        case Attribute(name=name):
            yield from _days(facts.attributes.get(name))
        case Property(name=name) if isinstance(leaf, EventThat):
            for event in facts.events:
                if event.kind == leaf.name:
                    yield from _days((event.data.get("properties") or {}).get(name))
        case DealField(name=name) if isinstance(leaf, DealThat):
            for deal in facts.deals:
                value = getattr(deal, DEAL_FIELDS[name].column)
                if isinstance(value, date):
                    yield value
        case _:
            word = FIELDS.get(getattr(operand, "name", ""))
            if word is not None and word.kind in (Kind.INSTANT, Kind.AGE):
                yield facts.columns[word.column]


def _days(value: object) -> Iterator[date]:
    """Days in an attribute: a text that begins like one, or several."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and DAY.match(each):
            try:
                yield date.fromisoformat(each[:10])
            except ValueError:
                # No day of the calendar; as a text it still stands between two of them.
                month = min(max(int(each[5:7]), 1), 12)
                yield date(max(int(each[:4]), 1), month, 28)


def _midnights(day: date, zone: Zone) -> Iterator[datetime]:
    """The first instants of the day and of the next one."""
    if _FIRST <= day.year <= _LAST:
        for sign in (">=", ">"):
            ((_, instant),) = limits(sign, WholeDay(day=day), now=_EPOCH, zone=zone)
            yield instant


def _moved(instant: datetime, value: Value | None, zone: Zone) -> Iterator[datetime]:
    """When `value` before (or after) now is this instant: around there a comparison turns."""
    if not _FIRST <= instant.year <= _LAST:
        return
    if value is None:
        yield from (instant, instant + _TICK)
        return
    span, ahead = (value.span, not value.ahead) if isinstance(value, Ago) else (value, True)
    assert isinstance(span, Span)  # noqa: S101 - the callers sorted the others out
    ((_, point),) = limits("=", Ago(span=span, ahead=ahead), now=instant, zone=zone)
    yield from (point, point + _TICK)
    if span.unit in ("month", "year"):
        yield from (point - _MONTHS_DIFFER, point + _MONTHS_DIFFER)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
