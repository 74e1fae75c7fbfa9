"""Who came to fit a rule since the last look, when, and what did it: for a reader that acts on it.

`changes.py` compares two moments; here a lead that left and came back between them has come too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from sqlmodel import Session

from segments.facts import Facts, Happened
from segments.history import as_of
from segments.judge import fits
from segments.leaves import kinds_of
from segments.recall import recall
from segments.tree import Rule
from segments.turning import turned


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One lead that a rule has come to fit."""

    lead_id: int
    #: When it came; never before the look it is told by.
    at: datetime
    #: What did it; None when time alone did.
    event: Happened | None
    #: The lead's newest event at that moment: a greater number happened after it.
    event_id: int


def entered(
    session: Session,
    rule: Rule,
    lead_ids: Sequence[int],
    *,
    since: datetime,
    now: datetime,
    zone: Zone,
    after_event: int,
) -> Iterator[Entry]:
    """Those of the leads that `rule` fits at `now` and for which it became true in between.

    In between is later than `since`, or by an event with a greater number than `after_event`,
    whatever it is dated. Meant for some 500 of the leads that `touched` finds. A lead that came in
    meanwhile and fits has entered; one that was erased or merged into another has not.
    """
    known = recall(session, lead_ids, kinds=kinds_of(rule), since=since, after_event=after_event)
    for facts in (known[lead_id] for lead_id in lead_ids if lead_id in known):
        columns = facts.columns
        gone = columns["erased_at"] or columns["merged_into"]
        if gone is None and fits(rule, facts, now=now, zone=zone):
            entry = _entry(rule, facts, since, now, zone, after_event)
            if entry is not None:
                yield entry


def _entry(
    rule: Rule, facts: Facts, since: datetime, now: datetime, zone: Zone, after_event: int
) -> Entry | None:
    new = [event for event in facts.events if event.id > after_event]
    came_in = as_of(facts, since, after_event=after_event) is None
    start = max(since, facts.columns["created_at"]) if came_in else since
    turn = turned(rule, facts, now=now, zone=zone, since=start, after_event=after_event)
    event = turn.event
    if turn.always:
        if not came_in:
            return None
        # So since it came in.
        event = next((each for each in new if each.kind == "imported"), None)
    before = [each.id for each in new if each.at <= turn.at]
    return Entry(
        lead_id=facts.columns["id"],
        at=turn.at,
        event=event,
        event_id=event.id if event is not None else max(before, default=after_event),
    )
