"""Does what the rows say hold together? Each invariant is one query that finds its breakers.

A campaign that verifies is one whose numbers can be believed: message rows, attempts and events
tell the same story, nobody has two rows, nobody was written to against a suppression.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlmodel import Session, col

from campaigns.states import SETTLED, WAITING, RunState, State
from campaigns.tables import Attempt, Message, Run
from campaigns.verify_sequences import sequence_invariants
from campaigns.verify_variants import variant_invariants
from deliverability import Lane
from leads import Event, Lead, Suppression

#: Messages named per contradiction; the count is always whole.
EXAMPLES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """One invariant that does not hold."""

    id: str
    #: What should be true, in words.
    should: str
    count: int
    #: Message ids (run ids for invariants about runs).
    examples: tuple[int, ...]


_attempts = select(func.count()).where(col(Attempt.message_id) == col(Message.id))
_accepted_attempts = _attempts.where(col(Attempt.result) == "accepted").scalar_subquery()
_open_attempts = _attempts.where(col(Attempt.result).is_(None)).scalar_subquery()
_sent_events = (
    select(func.count())
    .where(col(Event.message_id) == col(Message.id), col(Event.kind) == "sent")
    .scalar_subquery()
)
_of_erased_lead = exists().where(
    col(Lead.id) == col(Message.lead_id), col(Lead.erased_at).is_not(None)
)
_settled_by_person = col(Message.reason).like("settled by %")


def _rows(*broken: object) -> Callable[[int], Select[int | None]]:
    return lambda run_id: select(col(Message.id)).where(
        col(Message.run_id) == run_id,
        *broken,  # type: ignore[arg-type]
    )


#: id -> (what should be true, query for the ids of rows that break it)
INVARIANTS: dict[str, tuple[str, Callable[[int], Select[int | None]]]] = {
    "known-state": (
        "every message is in a state we know",
        _rows(col(Message.state).not_in([str(state) for state in State])),
    ),
    "settled-time": (
        "a message has a settling time exactly when nothing more will happen to it",
        _rows(
            or_(
                and_(col(Message.state).in_(sorted(SETTLED)), col(Message.settled_at).is_(None)),
                and_(
                    col(Message.state).not_in(sorted(SETTLED)),
                    col(Message.settled_at).is_not(None),
                ),
            )
        ),
    ),
    "skipped-reason": (
        "every skipped or rejected message says why",
        _rows(col(Message.state).in_([State.SKIPPED, State.REJECTED]), col(Message.reason) == ""),
    ),
    "attempts-counted": (
        "a message counts exactly the attempts that are written down",
        _rows(col(Message.attempts) != _attempts.scalar_subquery()),
    ),
    "accepted-attempt": (
        "an accepted message has exactly one accepted attempt (or a person settled it)",
        _rows(
            or_(
                and_(
                    col(Message.state) == State.ACCEPTED,
                    _accepted_attempts != 1,
                    ~_settled_by_person,
                ),
                and_(col(Message.state) != State.ACCEPTED, _accepted_attempts > 0),
            )
        ),
    ),
    "sent-event": (
        "an accepted message is on its lead's timeline exactly once, no other message is",
        _rows(
            or_(
                and_(col(Message.state) == State.ACCEPTED, _sent_events != 1),
                and_(col(Message.state) != State.ACCEPTED, _sent_events != 0),
            )
        ),
    ),
    "sending-owner": (
        "a message under way has an owner, a claim time and one open attempt; no other has one",
        _rows(
            or_(
                and_(
                    col(Message.state) == State.SENDING,
                    or_(
                        col(Message.owner).is_(None),
                        col(Message.claimed_at).is_(None),
                        _open_attempts != 1,
                    ),
                ),
                and_(col(Message.state) != State.SENDING, _open_attempts != 0),
            )
        ),
    ),
    "kept-text": (
        "an accepted message can be shown again: subject, context and identity were kept"
        " (of an erased lead nothing is)",
        _rows(
            col(Message.state) == State.ACCEPTED,
            ~_settled_by_person,
            ~_of_erased_lead,
            or_(
                col(Message.subject).is_(None),
                col(Message.context).is_(None),
                col(Message.identity_version_id).is_(None),
            ),
        ),
    ),
    "suppressed-before": (
        "nobody was written to whose address was suppressed before the claim",
        lambda run_id: (
            select(col(Message.id))
            .join(Lead, col(Lead.id) == col(Message.lead_id))
            .join(Suppression, col(Suppression.address_key) == col(Lead.address_key))
            .where(
                col(Message.run_id) == run_id,
                col(Message.state).in_([State.ACCEPTED, State.SENDING, State.IN_DOUBT]),
                col(Suppression.at) < col(Message.claimed_at),
            )
        ),
    ),
    "message-id": (
        "a Message-ID names this run and this lead",
        lambda run_id: (
            select(col(Message.id))
            .join(Lead, col(Lead.id) == col(Message.lead_id))
            .join(Run, col(Run.id) == col(Message.run_id))
            .where(
                col(Message.run_id) == run_id,
                ~col(Message.rfc_message_id).like(col(Run.token) + ".%." + col(Lead.token) + "@%"),
            )
        ),
    ),
    "lead-exists": (
        "every message belongs to a lead",
        _rows(~exists().where(col(Lead.id) == col(Message.lead_id))),
    ),
    "one-identity": (
        "a message waits in a lane of the run's own identity",
        lambda run_id: _wrong_lane(run_id),
    ),
    "finished-run": (
        "a finished or cancelled run has nothing waiting or under way",
        lambda run_id: select(col(Run.id)).where(
            col(Run.id) == run_id,
            or_(
                col(Run.state) == RunState.FINISHED,
                and_(col(Run.state) == RunState.CANCELLED, col(Run.finished_at).is_not(None)),
            ),
            exists().where(
                col(Message.run_id) == run_id,
                col(Message.state).in_([*sorted(WAITING), State.SENDING]),
            ),
        ),
    ),
    "planned-whole": (
        "nothing was claimed before planning ended",
        lambda run_id: select(col(Run.id)).where(
            col(Run.id) == run_id,
            col(Run.planned_at).is_(None),
            exists().where(col(Message.run_id) == run_id, col(Message.attempts) > 0),
        ),
    ),
    "stray-sent-event": (
        "a timeline says `sent` for this campaign only where a message row says so",
        lambda run_id: (
            select(col(Event.id))
            .join(Run, col(Run.campaign) == col(Event.campaign))
            .where(
                col(Run.id) == run_id,
                col(Event.kind) == "sent",
                ~exists().where(
                    col(Message.id) == col(Event.message_id),
                    col(Lead.id) == col(Message.lead_id),
                    # What happened to a merged lead stands on the timeline of the kept one.
                    or_(
                        col(Event.lead_id) == col(Lead.id),
                        col(Event.lead_id) == col(Lead.merged_into),
                    ),
                ),
            )
        ),
    ),
}


def _wrong_lane(run_id: int) -> Select[int | None]:
    return (
        select(col(Message.id))
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(Lane, col(Lane.id) == col(Message.lane_id))
        .where(col(Message.run_id) == run_id, col(Lane.identity) != col(Run.identity))
    )


def verify(session: Session, run_id: int) -> list[Contradiction]:
    """Every invariant that does not hold for the run, with how many rows break it."""
    found: list[Contradiction] = []
    asked = INVARIANTS | sequence_invariants(session, run_id) | variant_invariants(session, run_id)
    for name, (should, query) in asked.items():
        broken = query(run_id)
        count = session.scalar(select(func.count()).select_from(broken.subquery())) or 0
        if count:
            first = session.scalars(broken.limit(EXAMPLES)).all()
            found.append(
                Contradiction(
                    id=name,
                    should=should,
                    count=count,
                    examples=tuple(number for number in first if isinstance(number, int)),
                )
            )
    return found
