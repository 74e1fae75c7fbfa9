"""Files against applied versions: what `potok plan` shows and `potok apply` freezes."""

import difflib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from campaigns import NextStart, next_start_of, of_body, open_sequences
from console.definitions import Definition, read_definitions
from console.effects import Effect, because, effect_of, uses
from console.kinds import CAMPAIGN, KINDS, SEGMENT, TEMPLATE, Kind
from console.settings import Settings, user_name
from console.wiring import Workspace
from leads import JsonObject, Permission, content_hash, current_versions, freeze

#: Past tense, as people read it in a plan.
ADDED, CHANGED, REMOVED = "added", "changed", "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What applying would do to one definition."""

    kind: Kind
    name: str
    #: added | changed | removed.
    what: str
    before: JsonObject | None
    after: JsonObject | None

    @property
    def file(self) -> str:
        return self.kind.file(self.name)

    def because(self) -> tuple[str, ...]:
        """What it uses that changed, when its own file is as it was."""
        return because(self.before, self.after)

    def diff(self) -> list[str]:
        """A unified diff of what people wrote; empty for an effect of another file."""
        old = self.kind.texts(self.before) if self.before else {}
        new = self.kind.texts(self.after) if self.after else {}
        lines: list[str] = []
        for key in sorted({*old, *new}):
            lines += [
                line.rstrip("\n")
                for line in difflib.unified_diff(
                    old.get(key, "").splitlines(),
                    new.get(key, "").splitlines(),
                    f"applied {key}",
                    f"edited {key}",
                    lineterm="",
                    n=1,
                )
            ]
        return lines


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionPlan:
    """Everything applying would do, by kind and name."""

    changes: tuple[Change, ...]
    unchanged: int
    #: By segment: how many leads enter and leave, and what uses it.
    effects: dict[str, Effect] = field(default_factory=dict)
    #: Campaigns with a schedule that are new or changed: when each starts next, None for no more.
    starts: dict[str, NextStart | None] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "changes": [
                {
                    "kind": change.kind.word,
                    "name": change.name,
                    "change": change.what,
                    "file": change.file,
                    "diff": change.diff(),
                    "because": list(change.because()),
                    **self._effect(change),
                    **self._next_start(change),
                }
                for change in self.changes
            ],
            "unchanged": self.unchanged,
        }

    def effect(self, change: Change) -> Effect | None:
        """What becomes of the leads of a changed segment; None for anything else."""
        return self.effects.get(change.name) if change.kind is SEGMENT else None

    def _effect(self, change: Change) -> dict[str, Any]:
        effect = self.effect(change)
        return effect.document() if effect else {}

    def _next_start(self, change: Change) -> dict[str, Any]:
        if change.kind is not CAMPAIGN or change.name not in self.starts:
            return {}
        coming = self.starts[change.name]
        return {"next_start": coming.at if coming else None}


def compare(session: Session, definitions: list[Definition]) -> DefinitionPlan:
    """The definitions against the versions in force."""
    changes: list[Change] = []
    unchanged = 0
    for kind in KINDS:
        applied = {version.name: version for version in current_versions(session, kind.table)}
        written = {each.name: each.body for each in definitions if each.kind == kind.word}
        for name in sorted({*applied, *written}):
            version, body = applied.get(name), written.get(name)
            if version is not None and body is not None and version.hash == content_hash(body):
                unchanged += 1
                continue
            what = CHANGED if version and body else ADDED if body else REMOVED
            before = version.body if version else None
            changes.append(Change(kind=kind, name=name, what=what, before=before, after=body))
    return DefinitionPlan(changes=tuple(changes), unchanged=unchanged)


def _read(workspace: Workspace) -> list[Definition]:
    versions = workspace.database.read(lambda s: current_versions(s, TEMPLATE.table))
    applied = {version.name: version.body or {} for version in versions}
    return read_definitions(workspace.settings, applied=applied)


def plan(workspace: Workspace, *, now: datetime) -> DefinitionPlan:
    """What applying would change: for a changed segment, who enters and leaves and what uses it.

    Raises SettingsError that names every mistake in the files.
    """
    return _plan(workspace, _read(workspace), now=now)


def _plan(workspace: Workspace, definitions: list[Definition], *, now: datetime) -> DefinitionPlan:
    settings = workspace.settings
    permission = Permission(
        consent_required=settings.consent_required, double=settings.consent_double
    )

    def work(session: Session) -> DefinitionPlan:
        found = compare(session, definitions)
        _starts(found, now=now, settings=settings)
        edited = [change for change in found.changes if change.kind is SEGMENT]
        used = uses(session, (change.name for change in edited), definitions)
        for change in edited:
            effect = effect_of(
                session,
                change.before,
                change.after,
                permission,
                now=now,
                zone=settings.time_zone,
            )
            found.effects[change.name] = replace(effect, used_by=used[change.name])
        return found

    return workspace.database.read(work)


def _starts(found: DefinitionPlan, *, now: datetime, settings: Settings) -> None:
    for change in found.changes:
        if change.kind is CAMPAIGN and change.after is not None and change.after.get("when"):
            definition = of_body(change.name, change.after)
            coming = next_start_of(definition, now=now, zone=settings.time_zone)
            found.starts[change.name] = coming


def apply(workspace: Workspace, *, now: datetime) -> DefinitionPlan:
    """Freezes every definition in one transaction and says what changed, with its effects.

    Raises SettingsError, with nothing frozen, when any file has a mistake.
    """
    settings, definitions = workspace.settings, _read(workspace)
    # Counting takes its time: it is done before the transaction that nobody may wait for.
    effects = _plan(workspace, definitions, now=now).effects

    def work(session: Session) -> DefinitionPlan:
        found = compare(session, definitions)
        found.effects.update(effects)
        _starts(found, now=now, settings=settings)
        for change in found.changes:
            freeze(session, change.kind.table, change.name, change.after, now=now)
        # From this moment on leads may enter: what happens before starts nothing.
        open_sequences(
            session,
            identities=settings.identities,
            consent_required=settings.consent_required,
            consent_double=settings.consent_double,
            when_in_doubt=settings.delivery.when_in_doubt,
            token=lambda: f"{workspace.random.getrandbits(48):012x}",
            now=now,
            by=user_name(),
        )
        return found

    return workspace.database.write(work)


def unapplied(workspace: Workspace) -> list[str]:
    """Edits that no campaign would see yet: `segments/hot.toml (changed)`."""
    definitions = _read(workspace)
    found = workspace.database.read(lambda session: compare(session, definitions))
    return [f"{change.file} ({change.what})" for change in found.changes]
