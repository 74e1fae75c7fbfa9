"""Rows about leads that are there already: columns found, addresses looked up, chunks written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlmodel import Session, col

from leads.address import address_key, parse_address
from leads.errors import FieldError, LeadError, MappingError
from leads.intake.counts import SHOWN, Counts, Taken
from leads.intake.headings import HEADINGS, plain
from leads.intake.pace import CHUNK, Pace, Transaction
from leads.intake.reading import Row, Source
from leads.intake.rejects import Rejects
from leads.tables import Lead

Fact = TypeVar("Fact")


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What holds for every row of the file."""

    #: Keys `leads.address_key`.
    key: bytes
    #: The file's name without its folder.
    file: str
    by: str
    now: datetime
    #: What times without a zone mean.
    zone: tzinfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Said(Generic[Fact]):
    """A good row: whose it is, and what it says."""

    row: Row
    key: str
    #: The address as it was typed, for messages.
    email: str
    fact: Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class Known(Generic[Fact]):
    """A good row about a lead that is there."""

    line: int
    lead_id: int
    fact: Fact


def find_columns(
    source: Source, words: Mapping[str, str], given: Sequence[str] = ()
) -> dict[str, int]:
    """{field: column} by the headings, else by the user's word `COLUMN=FIELD`; always with `email`.

    `words` are the headings of each field, parted by |. Raises MappingError.
    """
    if not source.header:
        raise MappingError(
            f"{source.path} has no header: put a line such as email,{','.join(words)} on top"
        )
    known = {"email": HEADINGS["email"], **words}
    headings = [plain(heading) for heading in source.header]
    found: dict[str, int] = {}
    for text in given:
        left, sign, field = (part.strip() for part in text.rpartition("="))
        if not sign or field not in known or plain(left) not in headings:
            raise MappingError(
                f"--map {text!r}: write COLUMN=FIELD; columns: {', '.join(source.header)}; "
                f"fields: {', '.join(known)}"
            )
        found[field] = headings.index(plain(left))
    for field, names in known.items():
        for name in (plain(each) for each in names.split("|")):
            if field not in found and name in headings:
                at = headings.index(name)
                if at not in found.values():
                    found[field] = at
    if "email" not in found:
        raise MappingError(
            f"{source.path} has no column with e-mail addresses; its columns are: "
            f"{', '.join(source.header)}. Name the right one: --map 'COLUMN=email'"
        )
    return found


def cell(row: Row, column: int | None) -> str:
    """What stands there, blanks cut off; empty when the row is shorter or there is no column."""
    return "" if column is None or column >= len(row.cells) else row.cells[column].strip()


def said(row: Row, email: str, fact: Callable[[], Fact], key: bytes) -> "Said[Fact]":
    """A row with a good address and a good fact. Raises LeadError with the reason why not."""
    if row.wrong:
        raise FieldError(row.wrong)
    address = parse_address(email)
    return Said(row=row, key=address_key(address, key), email=address.email, fact=fact())


def take_in_rows(
    source: Source,
    rows: Iterable[Row],
    read: Callable[[Row], "Said[Fact]"],
    apply: Callable[[Session, Sequence["Known[Fact]"]], Counts],
    *,
    write: Transaction,
    pace: Pace | None = None,
) -> Taken:
    """Reads every row and applies those of known leads, at most `CHUNK` in a transaction.

    Rows that cannot be taken in, of unknown addresses too, go to NAME.rejected.csv. With `pace`
    transactions are short and leave breaks for others.
    """
    taken, rejects = Taken(), Rejects(source)
    complete = False
    try:
        for chunk in _chunks(rows, pace):
            refused: list[tuple[Row, str]] = []
            good: list[Said[Fact]] = []
            for row in chunk:
                try:
                    good.append(read(row))
                except LeadError as error:
                    refused.append((row, str(error)))
            work = partial(_apply, rows=good, apply=apply)
            counts, strangers = write(work) if pace is None else pace.run(write, work)
            refused = sorted(refused + strangers, key=lambda each: each[0].line)
            counts.rejected = len(refused)
            taken.counts.add(counts)
            for row, reason in refused:
                rejects.add(row, reason)
                if len(taken.reasons) < SHOWN:
                    taken.reasons.append((row.line, reason))
        complete = True
    finally:
        taken.rejects_file = rejects.close(complete=complete)
    return taken


def _chunks(rows: Iterable[Row], pace: Pace | None) -> Iterator[list[Row]]:
    every = iter(rows)
    while chunk := list(islice(every, CHUNK if pace is None else pace.rows)):
        yield chunk


def _apply(
    session: Session,
    *,
    rows: Sequence["Said[Fact]"],
    apply: Callable[[Session, Sequence["Known[Fact]"]], Counts],
) -> tuple[Counts, list[tuple[Row, str]]]:
    """One transaction: what became of the rows, and those whose address is no lead."""
    leads = _leads(session, [each.key for each in rows])
    known = [
        Known(line=each.row.line, lead_id=leads[each.key], fact=each.fact)
        for each in rows
        if each.key in leads
    ]
    strangers = [
        (each.row, f"{each.email} is no lead: potok leads import brings leads in")
        for each in rows
        if each.key not in leads
    ]
    return apply(session, known), strangers


def _leads(session: Session, keys: Sequence[str]) -> dict[str, int]:
    """{address key: number of the lead}; a merged one stands for the one it became. Locks them."""
    there = func.coalesce(col(Lead.merged_into), col(Lead.id))
    found = {
        row.address_key: row.lead
        for row in session.execute(
            select(col(Lead.address_key), there.label("lead")).where(
                col(Lead.address_key).in_(set(keys)), col(Lead.erased_at).is_(None)
            )
        )
    }
    locked = select(col(Lead.id)).where(col(Lead.id).in_(set(found.values())))
    session.execute(locked.order_by(col(Lead.id)).with_for_update()).all()
    return found
