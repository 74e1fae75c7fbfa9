"""One chunk of rows, written in the caller's transaction by a handful of statements.

Everything about the addresses of the chunk is read first, the rows are applied in memory, and the
differences are written in bulk. Doing it again changes nothing: a row whose lead already says the
same is `unchanged` and leaves no event.
"""

from collections.abc import Sequence
from random import Random

from sqlalchemy import select
from sqlmodel import Session, col

from leads.fields import FIELDS
from leads.intake.counts import Counts
from leads.intake.draft import Draft, fresh, present
from leads.intake.incoming import Incoming
from leads.intake.terms import Terms
from leads.intake.writing import write_drafts
from leads.suppression import suppress_all
from leads.tables import Consent, Lead, Preference, Suppression


def apply_chunk(
    session: Session,
    groups: Sequence[Sequence[Incoming]],
    terms: Terms,
    *,
    import_id: int | None,
    dice: Random,
) -> Counts:
    """Takes in the rows; each group holds all rows of one address, in the file's order.

    Without `import_id` nothing is written (a dry run); the counts are the same.
    """
    chunk = _Chunk(session, terms, writing=import_id is not None)
    chunk.load([group[0].key for group in groups])
    for group in groups:
        chunk.take(group)
    if import_id is not None:
        write_drafts(
            session,
            [(row.address, row.line, draft) for row, draft in chunk.new],
            chunk.changed,
            terms,
            import_id=import_id,
            dice=dice,
        )
        if chunk.opting_out:
            suppress_all(session, chunk.opting_out, reason="opted_out", at=terms.now, by=terms.file)
    return chunk.counts


class _Chunk:
    def __init__(self, session: Session, terms: Terms, *, writing: bool) -> None:
        self.session, self.terms, self.writing = session, terms, writing
        self.counts = Counts()
        self.drafts: dict[str, Draft] = {}
        self.suppressed: set[str] = set()
        self.opting_out: list[str] = []
        #: The first row and the draft of each new lead.
        self.new: list[tuple[Incoming, Draft]] = []
        #: (line, before, after) of each changed lead.
        self.changed: list[tuple[int, Draft, Draft]] = []

    def load(self, keys: list[str]) -> None:
        """What the database knows about these addresses."""
        columns = [
            getattr(Lead, name)
            for name in (
                *("id", "address_key", "pipeline", "stage", "attributes", "tags", "merged_into"),
                *FIELDS,
            )
        ]
        chosen = select(*columns).order_by(col(Lead.id))
        if self.writing:
            # Somebody may be changing these leads by hand at this moment.
            chosen = chosen.with_for_update()
        rows = [
            r._asdict() for r in self.session.execute(chosen.where(col(Lead.address_key).in_(keys)))
        ]
        by_id = {row["id"]: row for row in rows}
        # A merged lead's file rows belong to the lead it was merged into.
        while missing := {r["merged_into"] for r in by_id.values()} - {None} - by_id.keys():
            further = self.session.execute(chosen.where(col(Lead.id).in_(missing)))
            by_id |= {row.id: row._asdict() for row in further}
        drafts = {id_: present(row) for id_, row in by_id.items()}
        for row in rows:
            end = row
            while end["merged_into"] is not None:
                end = by_id[end["merged_into"]]
            self.drafts[row["address_key"]] = drafts[end["id"]]
        self._load_sides({id_: draft for id_, draft in drafts.items() if draft.id is not None})
        self.suppressed = set(
            self.session.scalars(
                select(col(Suppression.address_key)).where(col(Suppression.address_key).in_(keys))
            )
        )

    def _load_sides(self, drafts: dict[int, Draft]) -> None:
        if not drafts:
            return
        for lead_id, name, value in self.session.execute(
            select(col(Preference.lead_id), col(Preference.name), col(Preference.value))
            .where(col(Preference.lead_id).in_(drafts))
            .order_by(col(Preference.id))
        ):
            drafts[lead_id].preferences.setdefault(name, []).append(value)
        for lead_id, topic, state, source, at in self.session.execute(
            select(
                col(Consent.lead_id),
                col(Consent.topic),
                col(Consent.state),
                col(Consent.source),
                col(Consent.at),
            ).where(col(Consent.lead_id).in_(drafts))
        ):
            drafts[lead_id].consents[topic] = (state, source, at)

    def take(self, group: Sequence[Incoming]) -> None:
        """All rows of one address, in memory."""
        first, terms, counts = group[0], self.terms, self.counts
        draft = self.drafts.get(first.key)
        became: list[str] = []
        if draft is None:
            draft = fresh(
                first, pipeline=terms.pipeline.name, stage=terms.stage or terms.pipeline.names[0]
            )
            before = draft
            for agreed in first.consents:
                draft.agree(agreed, on_duplicate=terms.on_duplicate, now=terms.now)
            self.drafts[first.key] = draft
            self.new.append((first, draft))
            became.append("added")
        else:
            before = draft.copy()
        for row in group[len(became) :]:
            last = draft.copy()
            draft.apply(row, on_duplicate=terms.on_duplicate, now=terms.now)
            became.append("unchanged" if draft == last else "updated")
        opts_out = any(row.opted_out for row in group)
        if opts_out:
            self.opting_out.append(first.key)
        if opts_out and first.key not in self.suppressed:
            self.suppressed.add(first.key)
            if became[0] == "unchanged":
                became[0] = "updated"
        elif draft == before and became[0] != "added":
            # Several rows contradicted each other and the last word was what we knew already.
            became = ["unchanged"] * len(became)
        if draft is not before and draft != before:
            self.changed.append((first.line, before, draft))
        for name in became:
            setattr(counts, name, getattr(counts, name) + 1)
        counts.repeated += len(group) - 1
        if first.key in self.suppressed:
            counts.suppressed += len(group)
