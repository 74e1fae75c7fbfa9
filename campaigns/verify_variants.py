"""What must hold in a run whose leads draw variants."""

from collections.abc import Callable

from sqlalchemy import Select, and_, or_, select
from sqlmodel import Session, col

from campaigns.choosing import choice_of
from campaigns.drawing import drew
from campaigns.runs import Terms
from campaigns.states import WRITTEN, State
from campaigns.tables import Message, Run
from deliverability import Lane
from leads import Lead

Invariant = tuple[str, Callable[[int], Select[int | None]]]


def variant_invariants(session: Session, run_id: int) -> dict[str, Invariant]:
    """The invariants to ask of this run besides the general ones, which they may replace."""
    run = session.get_one(Run, run_id)
    terms = Terms.of_body(run.terms)
    if not terms.variants:
        return {
            "kept-back": (
                "nobody is kept back by a campaign that tries no variants",
                lambda run_id: _rows(run_id).where(col(Message.state) == State.RESERVED),
            )
        }
    writers = terms.senders(run.identity)
    numbers = range(len(terms.variants))
    drawn = [drew(run.campaign, terms.variants, number) for number in numbers]
    #: What each variant is, told by the row: its template and who writes it.
    looks = [
        and_(
            col(Message.template_version_id) == variant.version,
            col(Lane.identity) == (variant.identity or run.identity),
        )
        for variant in terms.variants
    ]
    of_rest = ~or_(*drawn)
    choice = choice_of(run)
    chosen = choice.number if choice else None
    gone = col(Message.state).in_(sorted({*WRITTEN, State.REJECTED}))
    misdrawn = or_(*(and_(mine, ~look) for mine, look in zip(drawn, looks, strict=True)))
    if terms.keeps_back and chosen is not None:
        misdrawn = or_(misdrawn, and_(of_rest, gone, ~looks[chosen]))
    elif terms.keeps_back:
        misdrawn = or_(misdrawn, and_(of_rest, gone))

    def with_lane(run_id: int) -> Select[int | None]:
        return (
            _rows(run_id)
            .join(Lead, col(Lead.id) == col(Message.lead_id))
            .join(Lane, col(Lane.id) == col(Message.lane_id))
        )

    return {
        "one-identity": (
            "a message waits in a lane of somebody who writes in this run",
            lambda run_id: with_lane(run_id).where(col(Lane.identity).not_in(writers)),
        ),
        "drawn-variant": (
            "a lead gets the variant it drew; those kept back get the one chosen, and nothing "
            "before",
            lambda run_id: with_lane(run_id).where(misdrawn),
        ),
        "kept-back": (
            "only leads that drew no variant are kept back",
            lambda run_id: with_lane(run_id).where(
                col(Message.state) == State.RESERVED, or_(*drawn)
            ),
        ),
    }


def _rows(run_id: int) -> Select[int | None]:
    return select(col(Message.id)).where(col(Message.run_id) == run_id)
