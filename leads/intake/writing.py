"""What changed of known leads as rows, written by one statement for each kind of row."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, case, delete, insert, null, update
from sqlmodel import Session, col

from leads.consent import WITHDRAWN, consent_before
from leads.fields import number_of
from leads.intake.draft import Consents, Draft
from leads.intake.terms import Terms
from leads.tables import Consent, Event, Lead, Preference

Rows = list[dict[str, Any]]

_WITHDRAWS = bindparam("to_state", type_=String) == WITHDRAWN


def write_changes(
    session: Session,
    changed: Sequence[tuple[int, Draft, Draft]],
    terms: Terms,
    *,
    import_id: int,
) -> None:
    """Writes changed leads (line, before, after) and what is told of them."""
    told = _Told(terms, import_id)
    updates: dict[tuple[str, ...], Rows] = defaultdict(list)
    for line, before, after in changed:
        values = told.changed(before, after, line)
        if values or before.preferences != after.preferences or before.consents != after.consents:
            values["updated_at"] = terms.now
            row = {f"to_{name}": value for name, value in values.items()}
            updates[tuple(sorted(values))].append({"lead": after.id, **row})
    run = session.connection().execute
    for names, rows in updates.items():
        # One statement for all leads that change in the same columns.
        statement = update(Lead).where(col(Lead.id) == bindparam("lead"))
        run(statement.values({name: bindparam(f"to_{name}") for name in names}), rows)
    if told.forgotten:
        run(
            delete(Preference).where(
                col(Preference.lead_id) == bindparam("lead"),
                col(Preference.name) == bindparam("about"),
                col(Preference.value) == bindparam("said"),
            ),
            told.forgotten,
        )
    if told.agreed_anew:
        run(
            update(Consent)
            .where(
                col(Consent.lead_id) == bindparam("lead"), col(Consent.topic) == bindparam("about")
            )
            .values(
                {name: bindparam(f"to_{name}") for name in ("state", "source", "at", "by")}
                # What was confirmed by a link stays so until it is withdrawn.
                | {"confirmed_at": case((_WITHDRAWS, null()), else_=col(Consent.confirmed_at))}
            ),
            told.agreed_anew,
        )
    for table, rows in (
        (Preference, told.preferences),
        (Consent, told.consents),
        (Event, told.events),
    ):
        if rows:
            run(insert(table), rows)


class _Told:
    """The rows that tell what became of the leads, gathered."""

    def __init__(self, terms: Terms, import_id: int) -> None:
        self.terms, self.import_id = terms, import_id
        self.preferences: Rows = []
        self.forgotten: Rows = []
        self.consents: Rows = []
        self.agreed_anew: Rows = []
        self.events: Rows = []

    def changed(self, before: Draft, after: Draft, line: int) -> dict[str, Any]:
        """The columns of `lead` to change; everything else is gathered."""
        values = after.columns(before)
        if changed := after.changed(before):
            self._tell(after, "changed", {"line": line, "changed": changed})
        if (after.pipeline, after.stage) != (before.pipeline, before.stage):
            values |= {"stage": after.stage, "pipeline": after.pipeline, "stage_at": self.terms.now}
            data = {"from": before.stage, "to": after.stage}
            if after.pipeline != before.pipeline:
                data |= {"from_pipeline": before.pipeline, "to_pipeline": after.pipeline}
            self._tell(after, "stage", data)
        for name, stated in after.preferences.items():
            was = before.preferences.get(name, [])
            added = [value for value in stated if value not in was]
            removed = [value for value in was if value not in stated]
            if added or removed:
                self._state(after, name, added)
                self.forgotten += [{"lead": after.id, "about": name, "said": v} for v in removed]
                told = {"name": name, "added": added}
                self._tell(after, "preference", told | ({"removed": removed} if removed else {}))
        fresh = {t: c for t, c in after.consents.items() if t not in before.consents}
        self._agree(after, fresh)
        for topic, agreed in after.consents.items():
            earlier = before.consents.get(topic)
            if agreed != earlier:
                state, source, at = agreed
                if topic in before.consents:
                    self.agreed_anew.append(
                        {
                            "lead": after.id,
                            "about": topic,
                            "to_state": state,
                            "to_source": source,
                            "to_at": at,
                            "to_by": self.terms.by,
                        }
                    )
                data = {"topic": topic, "state": state, "source": source, "on": _iso(at)}
                data |= consent_before(earlier)
                self._tell(after, "consent", data)
        return values

    def _state(self, draft: Draft, name: str, values: Iterable[str]) -> None:
        said_by = self.terms.said_by or self.terms.file
        self.preferences += [
            {
                "lead_id": draft.id,
                "name": name,
                "value": value,
                "number": number_of(value),
                "said_by": said_by,
                "said_at": self.terms.now,
            }
            for value in values
        ]

    def _agree(self, draft: Draft, consents: Consents) -> None:
        self.consents += [
            {
                "lead_id": draft.id,
                "topic": topic,
                "state": state,
                "source": source,
                "at": at,
                "by": self.terms.by,
            }
            for topic, (state, source, at) in consents.items()
        ]

    def _tell(self, draft: Draft, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append(
            {
                "lead_id": draft.id,
                "at": self.terms.now,
                "kind": kind,
                "by": self.terms.by,
                "data": {"file": self.terms.file, "import": self.import_id, **data},
            }
        )


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
