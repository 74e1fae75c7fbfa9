"""What applying an edited segment does: who enters, who leaves, and what uses it.

Everything is counted by the database: leads of the new rule and not of the old one, and the other
way round. Nobody is loaded but the few examples.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Run, RunState
from console.definitions import Definition
from console.kinds import CAMPAIGN, SEGMENT, SEQUENCE
from leads import JsonObject, Permission
from segments import Example, SegmentVersion, examples, regions, rule_of

#: Leads shown of those who enter and of those who leave.
SHOWN = 10
_OPEN = (RunState.PLANNING, RunState.RUNNING, RunState.PAUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moving:
    """Leads that applying moves in or out."""

    count: int = 0
    #: The oldest few of them.
    examples: tuple[Example, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "examples": [
                {"id": each.id, "email": each.email, "left_out": each.left_out}
                for each in self.examples
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """Something that names the segment."""

    #: run | campaign | sequence | segment
    kind: str
    name: str
    #: The segment between, when it is not named directly.
    through: str = ""
    #: Of a run: its state and when it started.
    state: str = ""
    since: datetime | None = None

    def document(self) -> dict[str, Any]:
        given = {"through": self.through, "state": self.state, "since": self.since}
        return {"kind": self.kind, "name": self.name} | {k: v for k, v in given.items() if v}


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What applying does to the leads of one segment; None where it is not there."""

    before: int | None
    after: int | None
    entering: Moving = Moving()
    leaving: Moving = Moving()
    used_by: tuple[Use, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "matching": {"before": self.before, "after": self.after},
            "entering": self.entering.document(),
            "leaving": self.leaving.document(),
            "used_by": [use.document() for use in self.used_by],
        }


def effect_of(
    session: Session,
    before: JsonObject | None,
    after: JsonObject | None,
    permission: Permission,
    *,
    now: datetime,
    zone: Any,
) -> Effect:
    """How many leads the segment holds under the old body and the new one, and who moves."""
    old, new = (None if body is None else rule_of(body) for body in (before, after))
    rules = [rule for rule in (old, new) if rule is not None]
    found = {
        region.inside: region.matching
        for region in regions(session, rules, permission, now=now, zone=zone)
    }
    if old is None or new is None:
        total = found.get((True,), 0)
        return Effect(before=None if old is None else total, after=None if new is None else total)
    stay = found.get((True, True), 0)
    leave, enter = found.get((True, False), 0), found.get((False, True), 0)

    def moving(count: int, fitting: Any, outside: Any) -> Moving:
        if not count:
            return Moving()
        shown = examples(session, [fitting], [outside], permission, limit=SHOWN, now=now, zone=zone)
        return Moving(count=count, examples=tuple(shown))

    return Effect(
        before=stay + leave,
        after=stay + enter,
        entering=moving(enter, new, old),
        leaving=moving(leave, old, new),
    )


def uses(
    session: Session, names: Iterable[str], definitions: Iterable[Definition]
) -> dict[str, tuple[Use, ...]]:
    """What uses each of these segments: open runs, then campaign, sequence and segment files."""
    files = list(definitions)
    bodies = {each.name: each.body for each in files if each.kind == SEGMENT.word}
    runs = session.execute(
        select(
            col(Run.campaign),
            col(Run.state),
            col(Run.started_at),
            col(SegmentVersion.name),
            col(SegmentVersion.body),
        )
        .join(SegmentVersion, col(SegmentVersion.id) == col(Run.segment_version_id))
        .where(col(Run.state).in_(_OPEN))
        .order_by(col(Run.id))
    ).all()
    found: dict[str, tuple[Use, ...]] = {}
    for wanted in names:
        here: list[Use] = []
        for campaign, state, since, name, body in runs:
            if (through := _through(wanted, name, body)) is not None:
                here.append(
                    Use(kind="run", name=campaign, through=through, state=state, since=since)
                )
        for each in files:
            if each.kind in (CAMPAIGN.word, SEQUENCE.word) and each.body.get("segment"):
                name = each.body["segment"]
                through = _through(wanted, name, bodies.get(name))
            elif each.kind == SEGMENT.word and wanted in each.body["segments"]:
                through = ""
            else:
                continue
            if through is not None:
                here.append(Use(kind=each.kind, name=each.name, through=through))
        found[wanted] = tuple(here)
    return found


def _through(wanted: str, name: str, body: Mapping[str, Any] | None) -> str | None:
    """How `name` uses `wanted`: "" when it is it, its own name when it holds it, else None."""
    if name == wanted:
        return ""
    return name if body is not None and wanted in body["segments"] else None


def because(before: JsonObject | None, after: JsonObject | None) -> tuple[str, ...]:
    """What else changed so that this definition did: `segment hot`, `the stages in potok.toml`.

    Empty when its own text changed, which needs no other reason. For segments, and for sequences
    by their entry.
    """
    if before is None or after is None:
        return ()
    if "steps" in after:
        entries = before.get("entry"), after.get("entry")
        if before.get("segment") != after.get("segment") or None in entries:
            return ()
        return (f"segment {after['segment']}",) if entries[0] != entries[1] else ()
    if "rule" not in after or before["rule"] != after["rule"]:
        return ()
    old, new = before["segments"], after["segments"]
    changed = [f"segment {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if before.get("stages") != after.get("stages") and not changed:
        changed.append("the stages in potok.toml")
    return tuple(changed)
