"""Leads whose membership may have changed between two moments: found by index, never by looking at
everybody.

Two things change it: an event, and time. Events are found by their number. For time each condition
says between which instants a lead must stand for it to have turned: who entered the stage between
30 days before the one moment and 30 days before the other, whose mail left the last two weeks.

Who was merged into another lead is found by the event of that merging; an erased lead by its own.
"""

from collections.abc import Iterator
from datetime import date, datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from sqlalchemy import CTE, Select, func, literal, or_, select, tuple_, union
from sqlmodel import Session, col

from leads import Deal, Event, Lead, Task
from segments.dialects import unindexed
from segments.dialects_json import attribute_day, attribute_is_list
from segments.leaves import kinds_of, leaves, tests_of, timed, window_of
from segments.moments import age_limit, before, day_of, limits
from segments.terms import Ago, Attribute, DealField, Field, Property, Span, Today, Value
from segments.tree import Condition, Did, EventThat, Moved, NextTask, Rule, WasIn
from segments.vocabulary import DEAL_FIELDS, DEAL_STATES, FIELDS, Kind

#: Numbers of leads.
Numbers = Select[Any]


def touched(rule: Rule, *, after_event: int, since: datetime, now: datetime, zone: Zone) -> Numbers:
    """The numbers of all leads for which `rule` may mean something else at `now` than at `since`.

    `after_event` is the number of the newest event that was known at `since`. Each lead once, in no
    order; all those that changed and some that did not (`changes.moved` tells them apart).

    Searches by index only, with one exception: a rule that compares an attribute with `today` or
    `30 days ago` looks at the attributes of all leads once a day, when the day has changed. A lead
    cannot be found here when its `score` was written past the verbs of `leads`.
    """
    parts = [_by_event(rule, after_event), _merged_away(after_event)]
    for leaf in dict.fromkeys(leaves(rule)):
        if timed(leaf):
            parts += _by_time(leaf, since, now, zone)
    found = union(*parts).subquery()
    return select(found.c[0])


def event_before(session: Session, since: datetime) -> int:
    """The greatest number below those of all events later than `since`: an `after_event`.

    Asks the index of each kind for its part behind `since`.
    """
    last = session.scalar(select(func.max(col(Event.id)))) or 0
    # Not the bare number: for its least the database would read the table from its beginning.
    lowest = select(func.min(col(Event.id) + 0)).where(col(Event.at) > since)
    following = select(func.min(col(Event.kind)))
    first, kind = last + 1, session.scalar(following)
    while kind is not None:
        first = min(first, session.scalar(lowest.where(col(Event.kind) == kind)) or first)
        kind = session.scalar(following.where(col(Event.kind) > kind))
    return first - 1


def _by_event(rule: Rule, after_event: int) -> Numbers:
    return select(col(Event.lead_id)).where(
        col(Event.id) > after_event, unindexed(col(Event.kind)).in_(sorted(kinds_of(rule)))
    )


def _merged_away(after_event: int) -> Numbers:
    other: Any = col(Event.data)["lead"].as_integer()
    return select(other).where(
        col(Event.id) > after_event, unindexed(col(Event.kind)) == "merged", other.is_not(None)
    )


def _by_time(leaf: Condition, since: datetime, now: datetime, zone: Zone) -> Iterator[Numbers]:
    window = window_of(leaf)
    if isinstance(leaf, NextTask) and leaf.overdue:
        edges = (since, now) if window is None else _reach(window, since, now, zone)
        yield select(col(Task.lead_id)).where(
            col(Task.done_at).is_(None), col(Task.due_at).between(*edges)
        )
    elif window is not None:
        campaign = leaf.campaign if isinstance(leaf, Did) else None
        yield _events(_kind(leaf), campaign, *_reach(window, since, now, zone))
    for operand, sign, value in tests_of(leaf):
        if not isinstance(value, Span | Ago | Today):
            continue
        match operand:
            case Attribute():
                yield from _attribute(operand, _days(value, since, now, zone))
            case Property():
                if _days(value, since, now, zone) is not None:
                    yield _events(_kind(leaf), None, None, None)
            case DealField(name=name) if DEAL_FIELDS[name].kind is Kind.DAY:
                days = _days(value, since, now, zone)
                if days is not None:
                    # All states are named, so that the index that begins with them serves.
                    yield select(col(Deal.lead_id)).where(
                        col(Deal.state).in_(DEAL_STATES), col(Deal.expected_close).between(*days)
                    )
            case Field() | DealField():
                for edges in _edges(sign, value, since, now, zone):
                    yield from _field(operand, edges)


def _field(operand: Field | DealField, edges: tuple[datetime, datetime]) -> Iterator[Numbers]:
    if isinstance(operand, DealField):
        # A deal is opened and closed by an event of the same instant.
        yield _events("deal", None, *edges)
    elif FIELDS[operand.name].kind is Kind.AGE:
        places = _places()
        yield select(col(Lead.id)).where(
            tuple_(col(Lead.pipeline), col(Lead.stage)).in_(select(places.c[0], places.c[1])),
            col(Lead.stage_at).between(*edges),
        )
    else:
        # A lead comes in by an event of the same instant.
        yield _events("imported", None, *edges)


def _attribute(operand: Attribute, days: tuple[date, date] | None) -> Iterator[Numbers]:
    if days is None:
        return
    attributes = col(Lead.attributes)
    found = attribute_day.of(attributes, operand.name)
    first, last = (literal(day.isoformat()) for day in days)
    yield select(col(Lead.id)).where(
        or_(found.between(first, last), attribute_is_list.of(attributes, operand.name))
    )


def _kind(leaf: Condition) -> str:
    match leaf:
        case Did(kind=kind) | EventThat(name=kind):
            return kind
        case WasIn() | Moved():
            return "stage"
        case _:
            raise TypeError(f"{leaf!r} counts no events")


def _events(
    kind: str, campaign: str | None, first: datetime | None, last: datetime | None
) -> Numbers:
    """Leads with an event of the kind between two instants, both included; without them, ever."""
    wanted = select(col(Event.lead_id)).where(col(Event.kind) == kind)
    if first is not None and last is not None:
        wanted = wanted.where(col(Event.at).between(first, last))
    return wanted if campaign is None else wanted.where(col(Event.campaign) == campaign)


def _places() -> CTE:
    """Every pipeline and stage where leads stand, one search of the index each."""
    first = select(func.min(col(Lead.pipeline)).label("pipeline"))
    pipelines = first.cte(recursive=True)
    after = col(Lead.pipeline) > pipelines.c.pipeline
    following = first.where(after).correlate(pipelines).scalar_subquery()
    pipelines = pipelines.union_all(select(following).where(pipelines.c.pipeline.is_not(None)))
    lowest = select(func.min(col(Lead.stage)))
    begin = lowest.where(col(Lead.pipeline) == pipelines.c.pipeline).correlate(pipelines)
    places = select(
        pipelines.c.pipeline.label("pipeline"), begin.scalar_subquery().label("stage")
    ).cte(recursive=True)
    more = lowest.where(
        col(Lead.pipeline) == places.c.pipeline, col(Lead.stage) > places.c.stage
    ).correlate(places)
    return places.union_all(
        select(places.c.pipeline, more.scalar_subquery()).where(places.c.stage.is_not(None))
    )


def _reach(window: Span, since: datetime, now: datetime, zone: Zone) -> tuple[datetime, datetime]:
    return _ordered(before(since, window, zone), before(now, window, zone))


def _edges(
    sign: str, value: Value, since: datetime, now: datetime, zone: Zone
) -> Iterator[tuple[datetime, datetime]]:
    """Between which instants a time must lie for the comparison to have turned."""

    def at(moment: datetime) -> list[datetime]:
        if isinstance(value, Span):
            return [age_limit(sign, value, now=moment, zone=zone)[1]]
        return [instant for _, instant in limits(sign, value, now=moment, zone=zone)]

    for then, today in zip(at(since), at(now), strict=True):
        if then != today:
            yield _ordered(then, today)


def _days(value: Value, since: datetime, now: datetime, zone: Zone) -> tuple[date, date] | None:
    """Between which days one must lie; None when the day that is meant is still the same."""
    then, today = (day_of(value, now=moment, zone=zone) for moment in (since, now))
    return None if then == today else (min(then, today), max(then, today))


def _ordered(one: datetime, other: datetime) -> tuple[datetime, datetime]:
    return min(one, other), max(one, other)
