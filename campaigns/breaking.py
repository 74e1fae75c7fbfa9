"""Breakers judged: which run or identity must stop, and which goes on after its first few.

`look` only reads; `act` writes what follows, in the transaction that pauses the run. Between both
the numbers can only have grown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.runs import Terms, move_run
from campaigns.samples import (
    DAY,
    WEEK,
    Suspect,
    begin_of_last,
    of_identity,
    of_run,
    probes,
    went_bad,
    windows,
)
from campaigns.states import RunState
from campaigns.tables import Message, Run
from deliverability import (
    LISTEN,
    PROBES,
    Held,
    Judged,
    Lane,
    Level,
    Measure,
    Scope,
    can_trip,
    close_breakers,
    holding,
    judge_windows,
    last_acknowledged,
    trip,
    what_was_seen,
)
from leads import Event

_BAD = ("bounced", "complained")
WATCHED = (Measure.BOUNCES, Measure.COMPLAINTS)
_OPEN = (RunState.PLANNING, RunState.RUNNING, RunState.PAUSED)
#: PostgreSQL gives a number before the commit: a few are looked at twice.
_OVERLAP = 200
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

#: (scope, key) of a run or an identity.
Name = tuple[Scope, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trip:
    """A breaker that must trip."""

    scope: Scope
    key: str
    name: str
    measure: Measure
    reason: str
    seen: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one look found."""

    trips: tuple[Trip, ...] = ()
    #: Breakers whose first few went well.
    well: tuple[Held, ...] = ()
    #: The newest event looked at.
    newest: int = 0
    #: Whose numbers may still become too bad as more answers come.
    suspects: frozenset[Name] = field(default_factory=frozenset)


def look(session: Session, *, after: int | None, again: Iterable[Name], now: datetime) -> Look:
    """Judges those something bad happened to behind the event `after`, those of `again`, and what
    was sent on trial. Without `after`: every run that is open, and who writes it."""
    newest = session.scalar(select(func.max(col(Event.id)))) or 0
    names = set(again)
    if after is None:
        names |= _everybody(session)
    elif newest > after:
        names |= _struck(session, after)
    held = holding(session)
    trips: list[Trip] = []
    suspects: set[Name] = set()
    for name in sorted(names):
        suspect = suspect_of(session, *name)
        if suspect is None:
            continue
        for measure in WATCHED:
            if any((h.scope, h.key, h.measure) == (*name, measure) for h in held):
                continue
            bad = _most(session, suspect, measure, now)
            if bad:
                suspects.add(name)
            if can_trip(measure, suspect.scope, bad):
                found = judged(session, suspect, measure, now=now)
                if found.level is Level.TRIP:
                    trips.append(_trip(suspect, measure, found))
    well: list[Held] = []
    for each in held:
        if not each.open and each.scope != Scope.LANE:
            _on_trial(session, each, trips, well, now=now)
    return Look(trips=tuple(trips), well=tuple(well), newest=newest, suspects=frozenset(suspects))


def act(session: Session, found: Look, *, now: datetime) -> list[str]:
    """Writes it down and pauses the runs; one sentence for each thing that changed."""
    said = []
    for each in found.trips:
        if not trip(
            session,
            each.scope,
            each.key,
            each.measure,
            reason=each.reason,
            seen=each.seen,
            now=now,
        ):
            continue
        if each.scope is Scope.RUN:
            move_run(
                session,
                int(each.key),
                (RunState.RUNNING, RunState.PLANNING),
                state=RunState.PAUSED,
                reason=each.reason,
            )
        said.append(f"{each.name} is stopped: {each.reason}")
    close_breakers(session, [each.id for each in found.well], now=now)
    said += [
        f"{_called(session, h)}: the first {PROBES} went well, the rest follows" for h in found.well
    ]
    return said


def judged(session: Session, suspect: Suspect, measure: Measure, *, now: datetime) -> Judged:
    """What the breaker says of a run or an identity now."""
    return judge_windows(measure, suspect.scope, windows(session, suspect, measure, now=now))


def suspect_of(session: Session, scope: Scope, key: str) -> Suspect | None:
    """Whose messages to count; None for a run that is over."""
    looked = last_acknowledged(session, scope, key)
    if scope is Scope.IDENTITY:
        return of_identity(session, key, looked or _BEGINNING)
    run = session.get(Run, int(key))
    if run is None or run.state not in _OPEN:
        return None
    return of_run(session, run, Terms.of_body(run.terms).senders(run.identity), looked)


def open_names(session: Session) -> list[Name]:
    """Every run that is open, and who writes it."""
    return sorted(_everybody(session))


def _everybody(session: Session) -> set[Name]:
    found: set[Name] = set()
    for run in session.scalars(select(Run).where(col(Run.state).in_(_OPEN))):
        found.add((Scope.RUN, str(run.id)))
        for identity in Terms.of_body(run.terms).senders(run.identity):
            found.add((Scope.IDENTITY, identity))
    return found


def _struck(session: Session, after: int) -> set[Name]:
    """Whose messages bounced or were complained of since the event `after`."""
    # coalesce: found by number, of which few are new, and not by kind.
    kind = func.coalesce(col(Event.kind), "")
    rows = session.execute(
        select(col(Message.run_id), col(Lane.identity))
        .select_from(Event)
        .join(Message, col(Message.id) == col(Event.message_id))
        .join(Lane, col(Lane.id) == col(Message.lane_id))
        .where(col(Event.id) > after - _OVERLAP, kind.in_(_BAD))
        .distinct()
    )
    found: set[Name] = set()
    for run_id, identity in rows:
        found |= {(Scope.RUN, str(run_id)), (Scope.IDENTITY, identity)}
    return found


def _most(session: Session, suspect: Suspect, measure: Measure, now: datetime) -> int:
    """How many went bad in the longest of the windows."""
    day = DAY if measure is Measure.BOUNCES else WEEK
    start = min(now - day, begin_of_last(session, suspect))
    return went_bad(session, suspect, measure, start)


def _trip(suspect: Suspect, measure: Measure, found: Judged) -> Trip:
    assert found.window is not None  # noqa: S101 - what trips says by which window
    window = found.window
    return Trip(
        scope=suspect.scope,
        key=suspect.key,
        name=suspect.name,
        measure=measure,
        reason=what_was_seen(measure, suspect.scope, window),
        seen={"window": window.name, "answered": window.answered, "bad": window.bad},
    )


def _on_trial(
    session: Session, held: Held, trips: list[Trip], well: list[Held], *, now: datetime
) -> None:
    """Those that left first after somebody said "I know"."""
    scope, began = Scope(held.scope), held.acknowledged_at or held.tripped_at
    suspect = suspect_of(session, scope, held.key)
    if suspect is None:
        well.append(held)  # its run is over
        return
    bad = {measure: went_bad(session, suspect, measure, began) for measure in WATCHED}
    if any(bad.values()):
        measure = max(bad, key=lambda each: bad[each])
        words = "bounced" if measure is Measure.BOUNCES else "were called spam"
        count = bad[measure]
        trips.append(
            Trip(
                scope=scope,
                key=held.key,
                name=suspect.name,
                measure=Measure(held.measure),
                reason=f"of the first few sent after it went on, {count} {words}",
                seen={"window": "probes", "bad": count},
            )
        )
        return
    count, last, _ = probes(session, suspect, began)
    if count >= PROBES and last is not None and last + LISTEN <= now:
        well.append(held)


def _called(session: Session, held: Held) -> str:
    return campaign_of(session, int(held.key)) if held.scope == Scope.RUN else held.key


def campaign_of(session: Session, run_id: int) -> str:
    """The name of a run's campaign or sequence."""
    return session.scalar(select(col(Run.campaign)).where(col(Run.id) == run_id)) or str(run_id)
