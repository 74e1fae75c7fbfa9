"""One chunk of rows, written in the caller's transaction by a handful of statements.

Everything about the addresses of the chunk is read first, the rows are applied in memory, and the
differences are written in bulk. Doing it again changes nothing: a row whose lead already says the
same is `unchanged` and leaves no event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from leads.fields import FIELDS
from leads.intake.arriving import Arrival, Arrivals
from leads.intake.bulk import among, use_indexes
from leads.intake.counts import Counts
from leads.intake.draft import Draft, fresh, present
from leads.intake.incoming import Incoming
from leads.intake.terms import Terms
from leads.intake.writing import write_changes
from leads.suppression import suppress_all
from leads.tables import Consent, Lead, Preference, Suppression
from leads.wish_tables import Wish


@dataclass(kw_only=True, slots=True)
class Prepared:
    """All rows of one address, and the lead they make when there is none yet."""

    group: Sequence[Incoming]
    draft: Draft
    #: What becomes of each row then.
    became: list[str]
    opts_out: bool
    #: Its rows; None in a dry run.
    arrival: Arrival | None = None


def prepare(
    groups: Sequence[Sequence[Incoming]], terms: Terms, arrivals: Arrivals | None
) -> list[Prepared]:
    """Everything that needs no database; each group holds all rows of one address, in order."""
    stage = terms.stage or terms.pipeline.names[0]
    found = []
    for group in groups:
        first = group[0]
        draft = fresh(first, pipeline=terms.pipeline.name, stage=stage)
        for agreed in first.consents:
            draft.agree(agreed, on_duplicate=terms.on_duplicate, now=terms.now)
        became = ["added", *_move_on(draft, group[1:], terms)]
        opts_out = any(row.opted_out for row in group)
        found.append(Prepared(group=group, draft=draft, became=became, opts_out=opts_out))
    if arrivals is not None:
        new = [(each.group[0].address, each.group[0].line, each.draft) for each in found]
        for each, arrival in zip(found, arrivals.ready(new), strict=True):
            each.arrival = arrival
    return found


def apply_chunk(
    session: Session,
    prepared: Sequence[Prepared],
    terms: Terms,
    *,
    import_id: int | None,
    arrivals: Arrivals | None,
) -> Counts:
    """Takes in the rows. Without `arrivals` nothing is written (a dry run); the counts are the
    same."""
    chunk = _Chunk(session, terms, writing=arrivals is not None)
    chunk.load([each.draft.key for each in prepared])
    for each in prepared:
        chunk.take(each)
    if arrivals is not None and import_id is not None:
        arrivals.write(session, chunk.new)
        write_changes(session, chunk.changed, terms, import_id=import_id)
        if chunk.opting_out:
            suppress_all(session, chunk.opting_out, reason="opted_out", at=terms.now, by=terms.file)
    return chunk.counts


def _move_on(draft: Draft, rows: Sequence[Incoming], terms: Terms) -> list[str]:
    """Applies the rows; what becomes of each."""
    became = []
    for row in rows:
        last = draft.copy()
        draft.apply(row, on_duplicate=terms.on_duplicate, now=terms.now)
        became.append("unchanged" if draft == last else "updated")
    return became


class _Chunk:
    def __init__(self, session: Session, terms: Terms, *, writing: bool) -> None:
        # Rows, not objects: the session's own way of asking costs more than SQLite's answer.
        connection = session.connection()
        use_indexes(connection)
        self.ask, self.dialect = connection.execute, connection.dialect
        self.terms, self.writing = terms, writing
        self.counts = Counts()
        #: What the database has, by address key.
        self.drafts: dict[str, Draft] = {}
        self.suppressed: set[str] = set()
        self.opting_out: list[str] = []
        self.new: list[Arrival] = []
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
        known = chosen.where(among(col(Lead.address_key), keys, self.dialect))
        rows = [row._asdict() for row in self.ask(known)]
        by_id = {row["id"]: row for row in rows}
        # A merged lead's file rows belong to the lead it was merged into.
        while missing := {r["merged_into"] for r in by_id.values()} - {None} - by_id.keys():
            further = self.ask(chosen.where(col(Lead.id).in_(missing)))
            by_id |= {row.id: row._asdict() for row in further}
        drafts = {id_: present(row) for id_, row in by_id.items()}
        for row in rows:
            end = row
            while end["merged_into"] is not None:
                end = by_id[end["merged_into"]]
            self.drafts[row["address_key"]] = drafts[end["id"]]
        self._load_sides({id_: draft for id_, draft in drafts.items() if draft.id is not None})
        held = among(col(Suppression.address_key), keys, self.dialect)
        self.suppressed = set(self.ask(select(col(Suppression.address_key)).where(held)).scalars())

    def _load_sides(self, drafts: dict[int, Draft]) -> None:
        if not drafts:
            return
        for lead_id, name, value in self.ask(
            select(col(Preference.lead_id), col(Preference.name), col(Preference.value))
            .where(col(Preference.lead_id).in_(drafts))
            .order_by(col(Preference.id))
        ):
            drafts[lead_id].preferences.setdefault(name, []).append(value)
        for lead_id, topic, state, source, at in self.ask(
            select(
                col(Consent.lead_id),
                col(Consent.topic),
                col(Consent.state),
                col(Consent.source),
                col(Consent.at),
            ).where(col(Consent.lead_id).in_(drafts))
        ):
            drafts[lead_id].consents[topic] = (state, source, at)
        chose = select(col(Wish.lead_id)).where(
            col(Wish.lead_id).in_(drafts), col(Wish.language) != ""
        )
        for (lead_id,) in self.ask(chose):
            drafts[lead_id].own_words = frozenset({"language"})

    def take(self, prepared: Prepared) -> None:
        """All rows of one address, in memory."""
        group, key = prepared.group, prepared.draft.key
        draft, became = self.drafts.get(key), prepared.became
        if prepared.opts_out:
            self.opting_out.append(key)
        if draft is not None:
            before = draft.copy()
            became = _move_on(draft, group, self.terms)
            if prepared.opts_out and key not in self.suppressed:
                if became[0] == "unchanged":
                    became[0] = "updated"
            elif draft == before:
                # Several rows contradicted each other and the last word was what we knew already.
                became = ["unchanged"] * len(became)
            if draft != before:
                self.changed.append((group[0].line, before, draft))
        elif prepared.arrival is not None:
            self.new.append(prepared.arrival)
        if prepared.opts_out:
            self.suppressed.add(key)
        counts = self.counts
        for name in became:
            setattr(counts, name, getattr(counts, name) + 1)
        counts.repeated += len(group) - 1
        if key in self.suppressed:
            counts.suppressed += len(group)
