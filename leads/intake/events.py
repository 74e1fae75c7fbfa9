"""A file of events of your own: each row is put on its lead's timeline, once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from leads.errors import FieldError, MappingError
from leads.intake.about import (
    Circumstances,
    Known,
    Said,
    cell,
    find_columns,
    said,
    take_in_rows,
)
from leads.intake.counts import Counts, Taken
from leads.intake.encoding import find_encoding
from leads.intake.headings import plain
from leads.intake.json_lines import objects
from leads.intake.opening import holds_lines
from leads.intake.pace import Pace, Transaction
from leads.intake.reading import Row, Source
from leads.intake.values import moment
from leads.own_events import Properties, event_name, fingerprint, properties_of, said_value
from leads.tables import Event

#: Field -> what its column is called.
HEADINGS = {
    "event": "event|event name|event type|zdarzenie|ereignis",
    "at": (
        "at|time|timestamp|date|datetime|occurred at|happened at|event time|event date|created at|"
        "czas|data|kiedy|zeit|datum|zeitpunkt"
    ),
}

#: When, what, with which properties.
Told = tuple[datetime, str, Properties]


def take_in_events(
    source: Source,
    around: Circumstances,
    *,
    at: datetime | None = None,
    mapping: Sequence[str] = (),
    write: Transaction,
    pace: Pace | None = None,
) -> Taken:
    """Takes the events of the file in: email, event, at, and the rest as properties.

    JSON lines keep numbers, true and false as they are, and may nest `properties`. `at` is for
    rows without a time. The same event (lead, time, name, properties) is there once, however often
    it is brought. Raises MappingError, FileError.
    """
    columns = find_columns(source, HEADINGS, mapping)
    if "event" not in columns:
        raise MappingError(
            f"{source.path} has no column with the event's name; its columns are: "
            f"{', '.join(source.header)}. Name the right one: --map 'COLUMN=event'"
        )
    bodies: dict[int, Mapping[str, Any]] = {}

    def read(row: Row) -> Said[Told]:
        found = {name: cell(row, columns.get(name)) for name in ("email", *HEADINGS)}
        body = bodies.pop(row.line, {})
        return said(row, found["email"], lambda: _told(found, body, at, around), around.key)

    rows = _objects if holds_lines(source.path) else _cells
    found, apply = rows(source, columns, bodies), partial(_apply, around=around)
    return take_in_rows(source, found, read, apply, write=write, pace=pace)


def _cells(
    source: Source, columns: Mapping[str, int], bodies: dict[int, Mapping[str, Any]]
) -> Iterator[Row]:
    """The rows; what stands in the other columns is laid into `bodies` by line."""
    taken = set(columns.values())
    if [plain(heading) for heading in source.header[:2]] == ["line", "reason"]:
        taken |= {0, 1}  # a file of rejected rows
    rest = [(name, i) for i, name in enumerate(source.header) if i not in taken and name]
    for row in source.rows():
        bodies[row.line] = {n: said_value(text) for n, i in rest if (text := cell(row, i))}
        yield row


def _objects(
    source: Source, columns: Mapping[str, int], bodies: dict[int, Mapping[str, Any]]
) -> Iterator[Row]:
    """The same of JSON lines, with every value as it stands there."""
    taken = {source.header[column] for column in columns.values()}
    encoding = find_encoding(source.path, source.encoding.rpartition(", ")[2]).name
    for row, (_, found) in zip(source.rows(), objects(source.path, encoding), strict=True):
        body = {name: value for name, value in (found or {}).items() if name not in taken}
        nested = body.get("properties")
        if isinstance(nested, Mapping):
            body = {n: v for n, v in body.items() if n != "properties"} | dict(nested)
        bodies[row.line] = body
        yield row


def _told(
    found: Mapping[str, str],
    body: Mapping[str, Any],
    at: datetime | None,
    around: Circumstances,
) -> Told:
    name = event_name(found["event"])
    if found["at"]:
        at = moment(found["at"], around.zone)
    if at is None:
        raise FieldError("the row does not say when; --at gives a time to all that do not")
    if at > around.now:
        raise FieldError(f'"{found["at"]}" has not come yet')
    return at, name, properties_of(body)


def _apply(session: Session, rows: Sequence[Known[Told]], *, around: Circumstances) -> Counts:
    counts = Counts()
    if not rows:
        return counts
    times = [row.fact[0] for row in rows]
    there = {
        (row.lead_id, row.at, row.kind, fingerprint(row.data.get("properties", {})))
        for row in session.execute(
            select(col(Event.lead_id), col(Event.at), col(Event.kind), col(Event.data)).where(
                col(Event.lead_id).in_({row.lead_id for row in rows}),
                col(Event.at).between(min(times), max(times)),
                # coalesce keeps SQLite at the leads' own events, away from the index on kind.
                func.coalesce(col(Event.kind), "").in_({row.fact[1] for row in rows}),
            )
        )
    }
    new = []
    for row in rows:
        at, name, properties = row.fact
        same = row.lead_id, at, name, fingerprint(properties)
        if same in there:
            counts.unchanged += 1
            continue
        there.add(same)
        counts.added += 1
        new.append(
            {
                "lead_id": row.lead_id,
                "at": at,
                "kind": name,
                "by": f"{around.by}, {around.file}",
                "data": {"properties": properties},
            }
        )
    if new:
        session.connection().execute(insert(Event), new)
    return counts
