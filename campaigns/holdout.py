"""Who gets nothing, so that what the mail itself did can be told from what happens anyway.

Counting what came after a mail credits it with everything that would have come without it. A share
of the leads, drawn by the campaign's name and so the same in each of its runs, is left out; the
difference between both groups is the campaign's own doing.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, null, or_, select
from sqlmodel import Session, col

from campaigns.states import SETTLED, State
from campaigns.tables import Message, Run
from leads import Event
from segments import drawn_below

#: Why such a lead has no mail, as its row says.
HELD_OUT = "held_out"

#: Places a share is counted in: hundredths of a percent.
_PLACES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """How often leads moved to a stage since the start, in both groups."""

    stage: str
    written: int
    held_out: int
    #: Share of those written to less the share of those held out, -1 to 1.
    difference: float
    #: Between these it lies with 95 % confidence.
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Leads whose turn came beside those held out."""

    written: int
    held_out: int
    effects: tuple[Effect, ...]

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "written_to": self.written,
            "held_out": self.held_out,
            "moved_to": [
                {
                    "stage": each.stage,
                    "written_to": each.written,
                    "held_out": each.held_out,
                    "difference": round(each.difference, 4),
                    "low": round(each.low, 4),
                    "high": round(each.high, 4),
                }
                for each in self.effects
            ],
        }


def held_out(campaign: str, share: float) -> ColumnElement[bool]:
    """Whether a lead is in the share of this campaign that gets nothing, as SQL on Lead."""
    return drawn_below(f"holdout/{campaign}", round(share * _PLACES))


def compare(session: Session, run: Run) -> Comparison:
    """Both groups of a run and the stages they moved to since it started.

    Everybody whose turn came counts as written to, also where the mail was refused: those held out
    have such addresses among them too.
    """
    held = and_(col(Message.state) == State.SKIPPED, col(Message.reason) == HELD_OUT)
    tried = sorted({*SETTLED, State.IN_DOUBT} - {State.SKIPPED, State.CANCELLED})
    side = case(
        (held, literal("held_out")),
        (col(Message.state).in_(tried), literal("written")),
        else_=null(),
    )
    sides = (
        select(col(Message.lead_id).label("lead_id"), side.label("side"))
        .where(
            col(Message.run_id) == run.id,
            or_(held, col(Message.state).in_(tried)),
        )
        .subquery()
    )
    sizes = dict(session.execute(select(sides.c.side, func.count()).group_by(sides.c.side)).all())
    moves = (
        select(
            sides.c.side,
            col(Event.data)["to"].as_string().label("stage"),
            col(Event.lead_id).label("lead_id"),
        )
        .join(Event, col(Event.lead_id) == sides.c.lead_id)
        .where(col(Event.kind) == "stage", col(Event.at) >= run.started_at)
        .subquery()
    )
    moved = session.execute(
        select(moves.c.side, moves.c.stage, func.count(moves.c.lead_id.distinct())).group_by(
            moves.c.side, moves.c.stage
        )
    ).all()
    counts: dict[str, dict[str, int]] = {}
    for kind, name, leads in moved:
        counts.setdefault(name, {})[kind] = leads
    written, without = sizes.get("written", 0), sizes.get("held_out", 0)
    return Comparison(
        written=written,
        held_out=without,
        effects=tuple(
            effect(name, counts[name].get("written", 0), written, hits, without)
            for name in sorted(counts)
            if written and without
            for hits in [counts[name].get("held_out", 0)]
        ),
    )


def effect(stage: str, written: int, of_written: int, held: int, of_held: int) -> Effect:
    """The difference of two shares with its 95 % interval.

    Newcombe 1998, Statistics in Medicine 17, 873-890, method 10: right for few leads too.
    """
    first, second = written / of_written, held / of_held
    low_1, high_1 = _wilson(written, of_written)
    low_2, high_2 = _wilson(held, of_held)
    difference = first - second
    return Effect(
        stage=stage,
        written=written,
        held_out=held,
        difference=difference,
        low=difference - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2),
        high=difference + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2),
    )


def _wilson(hits: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson 1927: the score interval of a share."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return middle - half, middle + half
