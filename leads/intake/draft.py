"""A lead while a file is being taken in: what it was, what it becomes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leads.consent import GIVEN, PENDING, WITHDRAWN
from leads.fields import FIELDS
from leads.intake.incoming import Agreed, Incoming
from leads.names import renamed

#: topic -> (state, source, at)
Consents = dict[str, tuple[str, str, datetime]]

_NOTHING = dict.fromkeys(FIELDS, "")


@dataclass(kw_only=True, slots=True)
class Draft:
    """One lead. `apply` moves it on; the differences are asked for at the end."""

    id: int | None = None
    key: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    pipeline: str = ""
    stage: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    preferences: dict[str, list[str]] = field(default_factory=dict)
    consents: Consents = field(default_factory=dict)
    #: Fields the lead filled in itself: no file changes them.
    own_words: frozenset[str] = frozenset()

    def copy(self) -> "Draft":
        return Draft(
            id=self.id,
            key=self.key,
            fields=dict(self.fields),
            pipeline=self.pipeline,
            stage=self.stage,
            attributes=dict(self.attributes),
            tags=list(self.tags),
            preferences={name: list(values) for name, values in self.preferences.items()},
            consents=dict(self.consents),
            own_words=self.own_words,
        )

    def apply(self, row: Incoming, *, on_duplicate: str, now: datetime) -> None:
        """What the row says, under the rule for leads that are there already."""
        for agreed in row.consents:
            self.agree(agreed, on_duplicate=on_duplicate, now=now)
        if on_duplicate == "skip":
            return
        overwrite = on_duplicate == "overwrite"
        changes = {
            name: value
            for name, value in row.fields.items()
            if (overwrite or not self.fields[name])
            and value != self.fields[name]
            and name not in self.own_words
        }
        renamed(self.fields, changes)
        self.fields |= changes
        if overwrite and row.stage:
            self.pipeline, self.stage = row.pipeline, row.stage
        for name, value in row.attributes.items():
            known = self.attributes.get(name)
            same = known == value if isinstance(value, list) else str(known) == value
            if (overwrite or known in (None, "", [])) and not same:
                self.attributes[name] = value
        self.tags += [tag for tag in row.tags if tag not in self.tags]
        for name, values in row.preferences.items():
            if not self.preferences.get(name) or (
                overwrite and set(self.preferences[name]) != set(values)
            ):
                self.preferences[name] = list(values)

    def agree(self, agreed: Agreed, *, on_duplicate: str, now: datetime) -> None:
        """A no always counts, and no file turns it into a yes again."""
        new = (agreed.state, agreed.source, agreed.at or now)
        before = self.consents.get(agreed.topic)
        if before is None or before[0] == PENDING:
            if on_duplicate != "skip" or agreed.state == WITHDRAWN:
                self.consents[agreed.topic] = new
        elif before[0] == GIVEN and agreed.state == WITHDRAWN:
            self.consents[agreed.topic] = new
        elif before[0] == agreed.state and on_duplicate == "overwrite":
            source, at = agreed.source or before[1], agreed.at or before[2]
            self.consents[agreed.topic] = (before[0], source, at)

    def changed(self, before: "Draft") -> dict[str, Any]:
        """{field: [before, after]} for the timeline; stage, preferences, consents are not in it.

        Before of an attribute that was not there is None.
        """
        found: dict[str, Any] = {
            name: [before.fields[name], value]
            for name, value in self.fields.items()
            if value != before.fields[name]
        }
        for name, value in self.attributes.items():
            if before.attributes.get(name) != value:
                found[f"attr.{name}"] = [before.attributes.get(name), value]
        if self.tags != before.tags:
            found["tags"] = [before.tags, self.tags]
        return found

    def columns(self, before: "Draft") -> dict[str, Any]:
        """Columns of `lead` that differ, the stage left out."""
        values: dict[str, Any] = {
            name: value for name, value in self.fields.items() if value != before.fields[name]
        }
        if self.attributes != before.attributes:
            values["attributes"] = self.attributes
        if self.tags != before.tags:
            values["tags"] = self.tags
        return values


def fresh(row: Incoming, *, pipeline: str, stage: str) -> Draft:
    """A new lead as the row has it."""
    return Draft(
        key=row.key,
        fields={**_NOTHING, **row.fields},
        pipeline=row.pipeline or pipeline,
        stage=row.stage or stage,
        attributes=dict(row.attributes),
        tags=list(row.tags),
        preferences={name: list(values) for name, values in row.preferences.items()},
    )


def present(facts: Mapping[str, Any]) -> Draft:
    """A lead as its database row has it."""
    return Draft(
        id=facts["id"],
        key=facts["address_key"],
        fields={name: facts[name] for name in FIELDS},
        pipeline=facts["pipeline"],
        stage=facts["stage"],
        attributes=dict(facts["attributes"]),
        tags=list(facts["tags"]),
    )
