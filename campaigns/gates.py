"""What breakers let through at a claim: everything, nothing, or a few messages on trial."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from campaigns.runs import Terms
from campaigns.samples import Suspect, of_identity, of_run, probes
from campaigns.tables import Run
from deliverability import PROBES, Held, Scope


@dataclass(frozen=True, slots=True)
class Gate:
    """How many messages may pass; None: as many as there are."""

    room: int | None = None
    why: str = ""


_WIDE = Gate()


def identity_gate(session: Session, held: Sequence[Held], identity: str) -> Gate:
    """What the identity's breakers let through."""
    mine = [h for h in held if h.scope == Scope.IDENTITY and h.key == identity]
    return _gate(session, mine, lambda each: of_identity(session, identity, _since(each)))


def run_gate(session: Session, held: Sequence[Held], run: Run) -> Gate:
    """What the run's breakers let through; a run that is open and tripped is paused besides."""
    if not held:
        return _WIDE
    key, senders = str(run.id), Terms.of_body(run.terms).senders(run.identity)
    mine = [h for h in held if h.scope == Scope.RUN and h.key == key]
    return _gate(session, mine, lambda each: of_run(session, run, senders, _since(each)))


def _since(each: Held) -> datetime:
    return each.acknowledged_at or each.tripped_at


def _gate(session: Session, mine: Sequence[Held], of: Callable[[Held], Suspect]) -> Gate:
    gate = _WIDE
    for each in mine:
        if each.open:
            return Gate(0, each.reason)
        count, _, under_way = probes(session, of(each), _since(each))
        room = max(0, PROBES - count - under_way)
        if gate.room is None or room < gate.room:
            gate = Gate(room, f"{PROBES} messages went first, and what comes of them is awaited")
    return gate
