"""The queue's head: claiming a lane's due messages (`finish.py` is its other end).

T2 of a message's life: everything that could forbid a message is judged in the transaction that
marks it `sending`, just before a connection takes it. Every update is guarded by its WHERE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from campaigns.admit import Candidate, Claim, Expire, Later, Skip, admit
from campaigns.candidates import Due, LaneRules, candidates
from campaigns.circumstances import NOTHING, Circumstances
from campaigns.domain_cap import DomainCap
from campaigns.gates import identity_gate, run_gate
from campaigns.runs import Terms
from campaigns.states import RunState, State
from campaigns.tables import Attempt, Message, Run
from campaigns.window import open_hours
from deliverability import allowance_today, free_at, holding, last_taken, take_day
from leads import Recipient, recipients

#: Rows one claim looks at before it lets other writers in: refused ones are moved in bulk.
LOOK = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A message that is ours to send, with all that sending needs."""

    message_id: int
    run_id: int
    campaign: str
    identity: str
    lane_id: int
    attempt: int
    deferrals: int
    template_version_id: int
    rfc_message_id: str
    when_in_doubt: str
    expires_at: datetime
    claimed_at: datetime
    recipient: Recipient
    #: What else its template asks; looked up right after the claim (`delivery.py`).
    circumstances: Circumstances = NOTHING


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What one claim got."""

    claimed: tuple[Claimed, ...] = ()
    #: Rows moved later, skipped or expired on the way.
    refused: int = 0
    #: The identity's day cap is used up.
    day_is_full: bool = False
    #: It looked at as many rows as it may and there may be more: ask again at once.
    more: bool = False
    #: The run served last, so that the next claim starts behind it.
    last_run: int = 0
    #: Why nothing is let through for now; empty when something may be.
    held: str = ""
    #: When the next message may leave where a day is spread out; aware UTC.
    opens_at: datetime | None = None
    #: What the identity may send today; None: no limit.
    allowance: int | None = None


def claim(
    session: Session, rules: LaneRules, *, owner: str, limit: int, after_run: int, now: datetime
) -> Claims:
    """Up to `limit` messages of the lane become `sending`, written down before anybody dials.

    Active runs are walked in turn, starting behind `after_run`, so that no campaign starves. Rows
    of paused runs are never visited: each active run is one probe of a partial index.
    """
    stopped = holding(session)
    gate = identity_gate(session, stopped, rules.identity)
    if gate.room is not None:
        limit = min(limit, gate.room)
        if not limit:
            return Claims(held=gate.why, last_run=after_run)
    running = session.scalars(
        select(Run).where(col(Run.state) == RunState.RUNNING).order_by(col(Run.id))
    )
    runs = [
        run
        for run in running.all()
        if rules.identity in Terms.of_body(run.terms).senders(run.identity)
    ]
    turn = [r for r in runs if (r.id or 0) > after_run] + [
        r for r in runs if (r.id or 0) <= after_run
    ]
    allowance = allowance_today(session, rules.identity, rules.warm_up, rules.per_day)
    if rules.spread and allowance is not None:
        limit = min(limit, 1)
        hours = open_hours(Terms.of_body(run.terms).window for run in runs)
        opens = free_at(last_taken(session, rules.identity), allowance, hours)
        if opens is not None and opens > now:
            why = f"its {allowance:,} messages of today are spread over the day"
            return Claims(opens_at=opens, held=why, last_run=after_run)
    taken: list[tuple[Run, Due]] = []
    refused = looked = 0
    last_run, why_held = after_run, ""
    for run in turn:
        wanted = limit - len(taken)
        if wanted <= 0 or looked >= LOOK:
            break
        gate = run_gate(session, stopped, run)
        if gate.room is not None:
            wanted = min(wanted, gate.room)
            why_held = f"{run.campaign}: {gate.why}" if not wanted else why_held
            if not wanted:
                continue
        met = {due.lead_id for _, due in taken}
        chosen, out, seen = _judge(session, run, rules, wanted=wanted, now=now, met=met)
        looked += seen
        refused += out
        taken += [(run, message) for message in chosen]
        if chosen:
            last_run = run.id or 0
    day_is_full = False
    if taken and allowance is not None:
        granted = take_day(
            session,
            rules.identity,
            now.astimezone(rules.zone).date(),
            wanted=len(taken),
            cap=allowance,
            now=now,
        )
        day_is_full = granted < len(taken)
        if rules.domains is not None:
            for _, due in taken[granted:]:
                rules.domains.gave_back(due.claim)
        taken = taken[:granted]
    claimed = _mark(session, taken, rules, owner=owner, now=now)
    return Claims(
        claimed=claimed,
        refused=refused,
        day_is_full=day_is_full,
        more=looked >= LOOK or refused > 0,
        last_run=last_run,
        held="" if claimed else why_held,
        allowance=allowance,
    )


def _judge(
    session: Session, run: Run, rules: LaneRules, *, wanted: int, now: datetime, met: set[int]
) -> tuple[list[Due], int, int]:
    """(messages that may leave, rows refused and moved, rows looked at) of one run.

    `met` are leads this claim already writes to: the frequency cap cannot see them yet, so their
    other messages wait for the next claim.
    """
    window = Terms.of_body(run.terms).window
    chosen: list[Due] = []
    refused = looked = 0
    while len(chosen) < wanted and looked < LOOK:
        # Those turned away are moved, so the next look finds others: twice as many, for where one
        # is turned away more follow.
        rows = candidates(session, run, rules, wanted=wanted - len(chosen) + refused, now=now)
        before = refused
        looked += len(rows)
        for row in rows:
            if len(chosen) == wanted:
                break
            *columns, reason, zone, country, domain, replied, count, first = row
            due = Due(**dict(zip(Due.__slots__, columns, strict=True)))
            if due.lead_id in met:
                continue
            verdict = admit(
                Candidate(
                    expires_at=due.expires_at,
                    left_out=reason,
                    zone=zone,
                    replied=bool(replied),
                    recent=count,
                    oldest_recent=first,
                    country=country,
                    domain_free_at=_free_at(rules.domains, domain, now),
                ),
                now=now,
                window=window,
                fallback_zone=rules.zone,
                cap=rules.cap,
            )
            if isinstance(verdict, Claim):
                chosen.append(due)
                met.add(due.lead_id)
                if rules.domains is not None:
                    rules.domains.took(due.claim, domain, now)
            else:
                refused += 1
                _refuse(session, due.id, verdict, now=now)
        if refused == before:
            break
    return chosen, refused, looked


def _free_at(domains: DomainCap | None, domain: str, now: datetime) -> datetime | None:
    """When the lead's company takes one more; a slot of its own when that is not now."""
    if domains is None or domains.free_at(domain, now) is None:
        return None
    return domains.promise(domain, now)


def _refuse(
    session: Session, message_id: int, verdict: Later | Skip | Expire, *, now: datetime
) -> None:
    changes: dict[str, object]
    if isinstance(verdict, Later):
        changes = {"due_at": verdict.at}
    elif isinstance(verdict, Skip):
        changes = {"state": State.SKIPPED, "reason": verdict.reason, "settled_at": now}
    else:
        changes = {"state": State.EXPIRED, "reason": "too_late", "settled_at": now}
    session.execute(
        update(Message)
        .where(col(Message.id) == message_id, col(Message.state) == State.PLANNED)
        .values(**changes)
        .execution_options(synchronize_session=False)
    )


# Built once: a claim of one message takes longer to be put into words than to be done.
_MESSAGE = Message.__table__  # type: ignore[attr-defined]
_SEND = (
    update(_MESSAGE)
    .where(
        _MESSAGE.c.id.in_(bindparam("its_ids", expanding=True)),
        _MESSAGE.c.state == State.PLANNED.value,
    )
    .values(
        state=State.SENDING.value,
        owner=bindparam("its_owner"),
        claimed_at=bindparam("at", type_=_MESSAGE.c.claimed_at.type),
        attempts=_MESSAGE.c.attempts + 1,
    )
)
_ATTEMPT = insert(Attempt.__table__)  # type: ignore[attr-defined]


def _mark(
    session: Session,
    taken: Sequence[tuple[Run, Due]],
    rules: LaneRules,
    *,
    owner: str,
    now: datetime,
) -> tuple[Claimed, ...]:
    if not taken:
        return ()
    connection = session.connection()
    ids = [due.id for _, due in taken]
    marked = connection.execute(_SEND, {"its_ids": ids, "its_owner": owner, "at": now})
    if marked.rowcount != len(ids):
        raise RuntimeError("claimed rows changed inside the claiming transaction")
    connection.execute(
        _ATTEMPT,
        [
            {
                "message_id": due.id,
                "number": due.attempts + 1,
                "owner": owner,
                "started_at": now,
                "reply": "",
            }
            for _, due in taken
        ],
    )
    people = recipients(session, [due.lead_id for _, due in taken])
    return tuple(
        Claimed(
            message_id=due.id,
            run_id=run.id or 0,
            campaign=run.campaign,
            identity=rules.identity,
            lane_id=rules.lane_id,
            attempt=due.attempts + 1,
            deferrals=due.deferrals,
            template_version_id=due.template_version_id,
            rfc_message_id=due.rfc_message_id,
            when_in_doubt=run.when_in_doubt,
            expires_at=due.expires_at,
            claimed_at=now,
            recipient=people[due.lead_id],
        )
        for run, due in taken
    )
