"""What the demo claims at its end, each claim counted from two sides.

One side is the database, the other what the receiver wrote down before it answered: two programs
that know nothing of each other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Message, Run, State, Status, status_of, verify
from console.demo.answering import Answered
from console.demo.claims import Claim, came_back, followed, shut
from console.demo.record import Taken
from console.demo.stage import SEQUENCE, Stage
from leads import Lead


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """The end of the demo in numbers."""

    status: Status
    #: Messages that the receiver took, and answers that it wrote.
    recorded: int
    answered: int
    claims: tuple[Claim, ...]

    @property
    def hold(self) -> bool:
        """Whether every claim is true."""
        return all(claim.holds for claim in self.claims)


def add_up(
    session: Session, stage: Stage, taken: Sequence[Taken], answered: Sequence[Answered]
) -> Sums:
    """Compares the database with what the receiver recorded."""
    status = status_of(session, session.get_one(Run, stage.run_id))
    # Counted by the segment, and not by the messages.
    matching = stage.plan.matching
    accepted = _accepted_messages(session)
    recorded = Counter((line.message_id, line.recipient.casefold()) for line in taken)
    missing, extra = set(accepted) - set(recorded), set(recorded) - set(accepted)
    twice = [key for key, times in recorded.items() if times > 1]
    settled = status.accepted + status.rejected + sum(status.skipped.values())
    broken = [*verify(session, stage.run_id), *verify(session, stage.sequence_run_id)]
    claims = (
        Claim(
            holds=matching == status.planned == settled,
            sentence=(
                f"Every lead of the segment is accounted for: {matching} matched = "
                f"{status.accepted} taken + {status.rejected} refused + "
                f"{sum(status.skipped.values())} left out"
                + (f"; {status.planned - settled} are still open" * (status.planned != settled))
            ),
        ),
        Claim(
            holds=not missing and not extra,
            sentence=(
                f"What was sent is what arrived: {len(accepted)} in the database, "
                f"{len(recorded)} recorded on arrival"
                + (", the same Message-IDs" if not missing and not extra else "")
                + (f"; {len(missing)} never arrived" if missing else "")
                + (f"; {len(extra)} arrived that we do not know of" if extra else "")
            ),
        ),
        Claim(
            holds=not twice,
            sentence=(
                "Nobody got the same mail twice"
                if not twice
                else f"{len(twice)} arrived twice: {', '.join(to for _, to in twice[:5])}"
            ),
        ),
        came_back(session, answered),
        shut(session, answered),
        followed(
            session,
            stage.sequence_run_id,
            SEQUENCE,
            taken=taken,
            answered=answered,
            moved=stage.moved,
        ),
        Claim(
            holds=not broken,
            sentence="Messages, attempts and events tell the same story"
            if not broken
            else "; ".join(f"{each.count} times not true: {each.should}" for each in broken),
        ),
    )
    return Sums(status=status, recorded=len(taken), answered=len(answered), claims=claims)


def _accepted_messages(session: Session) -> list[tuple[str, str]]:
    """(Message-ID, address in lower case) of every message that was accepted."""
    rows = session.execute(
        select(col(Message.rfc_message_id), col(Lead.email))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .where(col(Message.state) == State.ACCEPTED)
    ).all()
    return [(message_id, email.casefold()) for message_id, email in rows]
