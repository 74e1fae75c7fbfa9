"""How runs and identities stand with their breakers, before one trips."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from campaigns.breaking import WATCHED, Name, judged, suspect_of
from deliverability import Level, Measure, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """How a run or an identity stands with one of its breakers."""

    scope: Scope
    name: str
    measure: Measure
    #: fine | warn | trip
    level: Level
    answered: int
    bad: int
    window: str

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "scope": self.scope,
            "name": self.name,
            "measure": self.measure,
            "level": self.level,
            "answered": self.answered,
            "bad": self.bad,
            "window": self.window,
        }

    def words(self) -> str:
        rate = self.bad / self.answered if self.answered else 0.0
        what = "bounced" if self.measure is Measure.BOUNCES else "called spam"
        return f"{self.bad:,} of {self.answered:,} {what} ({rate:.1%}, {self.window})"


def stands(session: Session, names: Sequence[Name], *, now: datetime) -> list[Stand]:
    """Warnings, and what would trip, of these runs and identities as the rows stand now."""
    found = []
    for name in names:
        suspect = suspect_of(session, *name)
        if suspect is None:
            continue
        for measure in WATCHED:
            seen = judged(session, suspect, measure, now=now)
            if seen.level is not Level.FINE and seen.window is not None:
                found.append(
                    Stand(
                        scope=suspect.scope,
                        name=suspect.name,
                        measure=measure,
                        level=seen.level,
                        answered=seen.window.answered,
                        bad=seen.window.bad,
                        window=seen.window.name,
                    )
                )
    return found
