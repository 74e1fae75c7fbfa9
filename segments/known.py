"""What a rule can speak of in this workspace: fields, attributes, preferences, tags, events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlmodel import Session, col

from leads import Deal, Event, Lead, Preference
from segments.columns import Column, dotted
from segments.dialects import elements
from segments.dialects_rows import entries, seen_kind, text_number
from segments.errors import SegmentError
from segments.side_tables import PROPERTIES
from segments.vocabulary import DEAL_FIELDS, FIELDS, VERBS, Kind, nearest

#: Attributes are looked for among so many leads, evenly spread, unless all are asked for.
SAMPLE = 50_000
#: `draw` lies below this.
_DRAWS = 2**31
_TEXTUAL = (Kind.TEXT, Kind.CODE, Kind.CHOICE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """One name a rule can use."""

    #: As rules spell it.
    name: str
    #: What it holds: one word, or several where leads differ: `number`, `text or list`.
    holds: str
    #: How many leads (events, deals) have it.
    filled: int
    #: Of how many.
    total: int
    #: For people; of an event, what a rule says of it, if anything.
    about: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """Everything a rule can speak of, each sort by name."""

    leads: int
    #: Attributes were looked for among so many leads.
    looked_at: int
    fields: tuple[Known, ...]
    attributes: tuple[Known, ...]
    preferences: tuple[Known, ...]
    tags: Known
    events: tuple[Known, ...]
    deals: tuple[Known, ...]


def vocabulary(session: Session, *, everybody: bool = False) -> Vocabulary:
    """What there is to speak of, and how many have it.

    Attributes and tags are looked for in a random sample of leads (by `draw`, so always the same
    one) and given as shares of it, once there are twice as many leads; with `everybody` all are
    read. 1,000,000 leads, 3,000,000 preferences and 5,000,000 events on SQLite, on a busy machine:
    5 to 6 s, and some 13 s with `everybody`; a bare scan of `lead` took 1 s beside it.
    """
    counts = {name: _filled(name) for name in FIELDS}
    row = session.execute(select(func.count().label("leads"), *counts.values())).one()
    total = row.leads
    below = None if everybody or total <= 2 * SAMPLE else int(_DRAWS * (SAMPLE / total))
    sample = () if below is None else (col(Lead.draw) < below,)
    looked_at = total
    if sample:
        looked_at = session.scalar(select(func.count()).select_from(Lead).where(*sample)) or 0
    worn = elements(col(Lead.tags)).table_valued("value", joins_implicitly=True)
    tagged = select(col(Lead.id)).select_from(Lead, worn).where(*sample).distinct().subquery()
    return Vocabulary(
        leads=total,
        looked_at=looked_at,
        fields=tuple(
            Known(
                name=name,
                holds=word.kind.value,
                filled=int(getattr(row, name) or 0),
                total=total,
                about=word.about,
            )
            for name, word in FIELDS.items()
        ),
        attributes=_attributes(session, sample, looked_at),
        preferences=_preferences(session, sample, looked_at),
        tags=Known(
            name="tag",
            holds="text",
            filled=session.scalar(select(func.count()).select_from(tagged)) or 0,
            total=looked_at,
            about="any number of words",
        ),
        events=_events(session),
        deals=_deals(session),
    )


def _filled(name: str) -> Any:
    return _has(col(getattr(Lead, FIELDS[name].column)), FIELDS[name].kind).label(name)


def _has(column: Any, kind: Kind) -> Any:
    """How many rows have something in the column; an empty text is nothing."""
    if kind in _TEXTUAL:
        return func.sum(case((column != "", 1), else_=0))
    return func.count(column)


def _attributes(session: Session, sample: Sequence[Any], total: int) -> tuple[Known, ...]:
    rows = entries(col(Lead.attributes)).rows()
    kind = seen_kind(rows.c.value, rows.c.type).label("kind")
    seen = select(rows.c.key.label("key"), kind).select_from(Lead, rows).where(*sample).subquery()
    counted = session.execute(
        select(seen.c.key, seen.c.kind, func.count())
        .where(seen.c.kind.is_not(None))
        .group_by(seen.c.key, seen.c.kind)
    )
    kinds: dict[str, dict[str, int]] = defaultdict(dict)
    for key, kind_, count in counted:
        kinds[key][kind_] = count
    return tuple(
        Known(
            name=dotted("attr", key),
            holds=" or ".join(sorted(found, key=lambda each: (-found[each], each))),
            filled=sum(found.values()),
            total=total,
        )
        for key, found in sorted(kinds.items())
    )


def _preferences(session: Session, sample: Sequence[Any], total: int) -> tuple[Known, ...]:
    # Every name and value comes out of the index; a value is read as a number once.
    each: Any = select(
        col(Preference.name).label("name"),
        col(Preference.value).label("value"),
    ).distinct()
    said = each.subquery()
    kinds = session.execute(
        select(said.c.name, func.count(), func.count(text_number(said.c.value)))
        .group_by(said.c.name)
        .order_by(said.c.name)
    ).all()
    pairs: Any = select(col(Preference.lead_id), col(Preference.name).label("name")).distinct()
    if sample:
        pairs = pairs.where(col(Preference.lead_id).in_(select(col(Lead.id)).where(*sample)))
    one = pairs.subquery()
    counted = session.execute(select(one.c.name, func.count().label("leads")).group_by(one.c.name))
    leads = {row.name: row.leads for row in counted}
    return tuple(
        Known(
            name=dotted("prefers", name),
            holds="number" if numbers == count else "number or text" if numbers else "text",
            filled=leads.get(name, 0),
            total=total,
        )
        for name, count, numbers in kinds
    )


def _events(session: Session) -> tuple[Known, ...]:
    rows = session.execute(
        select(col(Event.kind), func.count()).group_by(col(Event.kind)).order_by(col(Event.kind))
    ).all()
    total = sum(count for _, count in rows)
    said = {kind: verb for verb, kind in VERBS.items()}
    return tuple(
        Known(
            name=kind,
            holds="event",
            filled=count,
            total=total,
            about=said.get(kind) or (f'event "{kind}"' if "." in kind else ""),
        )
        for kind, count in rows
    )


def _deals(session: Session) -> tuple[Known, ...]:
    counts = [_deal_filled(name) for name in DEAL_FIELDS]
    row = session.execute(select(func.count().label("deals"), *counts).select_from(Deal)).one()
    return tuple(
        Known(
            name=f"deal.{name}",
            holds=word.kind.value,
            filled=int(getattr(row, name) or 0),
            total=row.deals,
            about=word.about,
        )
        for name, word in DEAL_FIELDS.items()
        if row.deals
    )


def _deal_filled(name: str) -> Any:
    return _has(col(getattr(Deal, DEAL_FIELDS[name].column)), DEAL_FIELDS[name].kind).label(name)


def require_known(session: Session, column: Column) -> None:
    """Raises SegmentError with the nearest name when nothing at all stands under `column`'s name.

    For attributes, preferences and events, whose names are the workspace's own.
    """
    if column.event:
        what = "no event was called"
        if "." in column.name.replace(f'event."{column.event}"', ""):
            what = 'a name with a dot stands in quotes, event."demo.requested"; no event was called'
        _among(column.event, _names(session, select(col(Event.kind))), what)
        if column.inner:
            rows = entries(col(Event.data), PROPERTIES).rows()
            asked = select(rows.c.key).select_from(Event, rows)
            names = _names(session, asked.where(col(Event.kind) == column.event))
            _among(column.inner, names, f'no event "{column.event}" has the property')
    elif column.name.startswith("attr."):
        rows = entries(col(Lead.attributes)).rows()
        names = _names(session, select(rows.c.key).select_from(Lead, rows))
        _among(column.inner, names, "no lead has the attribute")
    elif column.name.startswith("prefers."):
        _among(column.inner, _names(session, select(col(Preference.name))), "no lead prefers any")


def _names(session: Session, asked: Select[Any]) -> list[str]:
    return sorted(session.scalars(asked.distinct()))


def _among(name: str, known: list[str], what: str) -> None:
    if name in known:
        return
    near = nearest(name, known)
    listed = f"; there is: {', '.join(known[:12])}" if known else ""
    hint = f'; did you mean "{near}"?' if near else listed
    raise SegmentError(f'{what} "{name}"{hint}')
