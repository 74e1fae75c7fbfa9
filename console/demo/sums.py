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
from console.demo.record import Taken
from leads import Lead


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One sentence, and whether it is true."""

    holds: bool
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """The end of the demo in numbers."""

    status: Status
    #: Leads that match the segment, counted by the segment and not by the messages.
    matching: int
    recorded: int
    claims: tuple[Claim, ...]

    @property
    def hold(self) -> bool:
        """Whether every claim is true."""
        return all(claim.holds for claim in self.claims)


def add_up(session: Session, run: Run, taken: Sequence[Taken], *, matching: int) -> Sums:
    """Compares the rows of a run with the receiver's record; `matching` comes from the segment."""
    status = status_of(session, run)
    accepted = accepted_messages(session, run)
    recorded = Counter((line.message_id, line.recipient.casefold()) for line in taken)
    missing, extra = set(accepted) - set(recorded), set(recorded) - set(accepted)
    twice = [key for key, times in recorded.items() if times > 1]
    settled = status.accepted + status.rejected + sum(status.skipped.values())
    broken = verify(session, run.id or 0)
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
                f"What was sent is what arrived: {status.accepted} in the database, "
                f"{len(recorded)} recorded on arrival"
                + (", the same Message-IDs" if not missing and not extra else "")
                + (f"; {len(missing)} never arrived" if missing else "")
                + (f"; {len(extra)} arrived that we do not know of" if extra else "")
            ),
        ),
        Claim(
            holds=not twice,
            sentence=(
                "Nobody got it twice"
                if not twice
                else f"{len(twice)} arrived twice: {', '.join(to for _, to in twice[:5])}"
            ),
        ),
        Claim(
            holds=not broken,
            sentence="Messages, attempts and events tell the same story"
            if not broken
            else "; ".join(f"{each.count} times not true: {each.should}" for each in broken),
        ),
    )
    return Sums(status=status, matching=matching, recorded=len(taken), claims=claims)


def accepted_messages(session: Session, run: Run) -> list[tuple[str, str]]:
    """(Message-ID, address in lower case) of every message of the run that was accepted."""
    rows = session.execute(
        select(col(Message.rfc_message_id), col(Lead.email))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .where(col(Message.run_id) == run.id, col(Message.state) == State.ACCEPTED)
    ).all()
    return [(message_id, email.casefold()) for message_id, email in rows]
