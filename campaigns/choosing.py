"""Leads kept back until it is known which variant is the better one: deciding, and letting them go.

A run keeps its choice, made once: by the verdict, by the rule for a verdict that says nothing, or
by a person. Then its reserved rows become planned ones, in portions, each written as if planning
had drawn the chosen variant now.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    case,
    func,
    literal,
    select,
    true,
    update,
)
from sqlmodel import Session, col

from campaigns.drawing import message_id
from campaigns.errors import NotPossible
from campaigns.openings import openings
from campaigns.runs import Terms, require_run
from campaigns.states import RunState, State
from campaigns.tables import Message, Run
from campaigns.variant_results import variant_names, variant_results
from campaigns.window import at_hour
from deliverability import lanes
from leads import Instant, Lead

#: Rows let go in one transaction: some 60 ms of SQLite's lock.
PORTION = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What a run decided."""

    #: Which variant the rest gets, counted from 0; None: nobody gets anything until a person says.
    number: int | None
    #: Its name; empty without one.
    variant: str
    #: won | undecided | person
    how: str
    at: datetime
    why: str
    by: str = ""

    def body(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "variant": self.variant,
            "how": self.how,
            "at": self.at.isoformat(),
            "why": self.why,
            "by": self.by,
        }


def choice_of(run: Run) -> Choice | None:
    """What the run decided; None when nothing is decided yet."""
    if not run.choice:
        return None
    return Choice(**{**run.choice, "at": datetime.fromisoformat(run.choice["at"])})


def decide(session: Session, run: Run, *, now: datetime) -> tuple[Choice | None, datetime | None]:
    """(what the verdict says the rest gets, when to ask again); only reads.

    Without a moment to ask again nothing is known of it yet.
    """
    found = variant_results(session, run, now=now)
    if found is None or found.verdict.state == "early":
        return None, found.due_at if found else None
    verdict = found.verdict
    names = [each.name for each in found.variants]
    number: int | None = None
    if verdict.state == "won":
        number = names.index(verdict.winner)
    elif found.goal.otherwise == "first":
        number = 0
    name = names[number] if number is not None else ""
    return Choice(number=number, variant=name, how=verdict.state, at=now, why=verdict.why), None


def settle_choice(session: Session, run_id: int, choice: Choice) -> bool:
    """Writes the choice down, once; whether it is this one."""
    run = session.scalars(select(Run).where(col(Run.id) == run_id).with_for_update()).one()
    if run.choice:
        return False
    run.choice = choice.body()
    session.add(run)
    return True


def choose(session: Session, campaign: str, variant: str, *, now: datetime, by: str) -> int:
    """A person's word: the rest gets this variant, verdict or not. Returns how many wait for it.

    Raises NotPossible with what to type.
    """
    run = require_run(session, campaign)
    assert run.id is not None  # noqa: S101 - it came from the database
    terms = Terms.of_body(run.terms)
    if not terms.keeps_back:
        raise NotPossible(
            f"Campaign {campaign!r} keeps nobody back: write test = 0.2 under [goal] in "
            f"campaigns/{campaign}.toml before it starts"
        )
    names = variant_names(session, terms.variants)
    if variant not in names:
        raise NotPossible(
            f"Campaign {campaign!r} has no variant {variant!r}; it has {', '.join(names)}"
        )
    waiting = reserved(session, run.id)
    earlier = choice_of(run)
    if earlier is not None and earlier.number is not None and earlier.variant != variant:
        raise NotPossible(
            f"Campaign {campaign!r} has chosen {earlier.variant} already, on "
            f"{earlier.at:%Y-%m-%d %H:%M} UTC: its mails are on their way"
        )
    if run.state in (RunState.CANCELLED, RunState.FINISHED):
        raise NotPossible(f"Campaign {campaign!r} is {run.state}: nobody waits any more")
    if earlier is None or earlier.number is None:
        why = "a person said so"
        run.choice = Choice(
            number=names.index(variant), variant=variant, how="person", at=now, why=why, by=by
        ).body()
        session.add(run)
    return waiting


def reserved(session: Session, run_id: int) -> int:
    """How many leads of a run are kept back."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Message)
            .where(col(Message.run_id) == run_id, col(Message.state) == State.RESERVED)
        )
        or 0
    )


def release(session: Session, run_id: int, *, now: datetime, zone: ZoneInfo) -> int:
    """Lets a portion of those kept back go, with the variant chosen; call until it returns 0."""
    run = session.get_one(Run, run_id)
    choice = choice_of(run)
    if choice is None or choice.number is None or run.state != RunState.RUNNING:
        return 0
    terms = Terms.of_body(run.terms)
    chosen = terms.variants[choice.number]
    portion = (
        select(col(Message.id))
        .where(col(Message.run_id) == run_id, col(Message.state) == State.RESERVED)
        .limit(PORTION)
    )
    window = at_hour(chosen.hour, terms.window)
    due: ColumnElement[datetime] = literal(now, Instant)
    if window is not None:
        due = _of_lead(openings(session, true(), window, now=now, zone=zone))
    done = session.execute(
        update(Message)
        .where(col(Message.id).in_(portion), col(Message.state) == State.RESERVED)
        .values(
            state=State.PLANNED,
            template_version_id=chosen.version,
            lane_id=_lane(session, run, chosen.identity or run.identity),
            due_at=due,
            expires_at=now + terms.expires_after,
            rfc_message_id=_of_lead(message_id(run, chosen.domain or terms.domain)),
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return done.rowcount


def _of_lead(expression: Any) -> ColumnElement[Any]:
    return (
        select(expression)
        .where(col(Lead.id) == col(Message.lead_id))
        .correlate(Message)
        .scalar_subquery()
    )


def _lane(session: Session, run: Run, identity: str) -> ColumnElement[Any]:
    """The same provider's lane of who writes now."""
    to = lanes(session, identity)
    moves = {
        number: to[provider]
        for other in Terms.of_body(run.terms).senders(run.identity)
        for provider, number in lanes(session, other).items()
        if provider in to and number != to[provider]
    }
    here: Any = col(Message.lane_id)
    return case(moves, value=here, else_=here) if moves else here
