"""Who entered a rule and who left it between two moments, when, and what did it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from sqlmodel import Session

from segments.errors import RuleError, SegmentError
from segments.facts import Facts, Happened
from segments.history import as_of
from segments.judge import fits
from segments.leaves import kinds_of
from segments.moments import limits
from segments.reading import parse
from segments.recall import recall
from segments.touched import event_before, touched
from segments.tree import Compare, Condition, Rule
from segments.turning import turned

#: Leads looked at together: their facts are all that is held in memory.
CHUNK = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One lead that is on the other side of a rule than it was."""

    lead_id: int
    #: True when the rule fits it now and did not; False the other way round.
    entered: bool
    #: When it changed sides for the last time.
    at: datetime
    #: What did it; None when time alone did.
    event: Happened | None
    #: The single conditions that turned at that moment, as the rule has them.
    conditions: tuple[Condition, ...]
    #: The lead as it is now, as far as the rule asks about it; its columns are all there.
    facts: Facts


def moved(
    session: Session,
    rule: Rule,
    *,
    since: datetime,
    now: datetime,
    zone: Zone,
    after_event: int | None = None,
    chunk: int = CHUNK,
) -> Iterator[Change]:
    """Exactly the leads that `rule` fits at one of `since` and `now` only, by number.

    Judged by the rule as it is, at both moments. What happened later than `since` is new; with
    `after_event`, what has a greater number is, whatever it is dated: a reader that keeps the
    number of the newest event it saw misses nothing that was written down late. (Numbers may
    become visible out of order on PostgreSQL: stay as far behind as a transaction lasts.)

    Reads while it goes, `chunk` leads at a time. Leads that were erased, or merged into another
    one, are left out: what they were is not kept.
    """
    first = event_before(session, since) if after_event is None else after_event
    wanted = touched(rule, after_event=first, since=since, now=now, zone=zone)
    numbers = session.scalars(
        wanted.order_by(wanted.selected_columns[0]), execution_options={"yield_per": chunk}
    )
    counted = kinds_of(rule)
    for ids in numbers.partitions():
        known = recall(session, ids, kinds=counted, since=since, after_event=after_event)
        for facts in (known[lead_id] for lead_id in ids if lead_id in known):
            gone = facts.columns["erased_at"] or facts.columns["merged_into"]
            if gone is None:
                change = _change(rule, facts, since, now, zone, after_event)
                if change is not None:
                    yield change


def _change(
    rule: Rule,
    facts: Facts,
    since: datetime,
    now: datetime,
    zone: Zone,
    after_event: int | None,
) -> Change | None:
    earlier = as_of(facts, since, after_event=after_event)
    was = earlier is not None and fits(rule, earlier, now=since, zone=zone)
    present = fits(rule, facts, now=now, zone=zone)
    if was == present:
        return None
    came = facts.columns["created_at"]
    start = since if earlier is not None else max(since, came)
    turn = turned(rule, facts, now=now, zone=zone, since=start, after_event=after_event)
    event = turn.event
    if turn.always:
        # So since it came in.
        event = next((each for each in facts.events if each.kind == "imported"), None)
    return Change(
        lead_id=facts.columns["id"],
        entered=present,
        at=came if turn.always else turn.at,
        event=event,
        conditions=turn.flipped(rule, zone),
        facts=facts,
    )


def instant_of(text: str, *, now: datetime, zone: Zone) -> datetime:
    """The instant that `2026-11-01`, `2026-11-01 14:30`, `today` or `14 days` (ago) mean.

    Raises SegmentError for a text that means none, or one to come.
    """
    for written in (f"{text} ago", text):
        try:
            condition = parse(f"created >= {written}").condition
        except RuleError:
            continue
        if isinstance(condition, Compare):
            ((_, instant),) = limits(">=", condition.value, now=now, zone=zone)
            if instant > now:
                raise SegmentError(f'"{text}" is still to come: name a time that is over')
            return instant
    raise SegmentError(f'"{text}" is no time: write 2026-11-01, "2026-11-01 14:30" or "14 days"')
