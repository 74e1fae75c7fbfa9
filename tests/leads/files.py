"""Files to take in, and a short way to do it."""

from datetime import datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from console.database import Database
from leads import (
    Event,
    Lead,
    Pipeline,
    Preference,
    Stage,
    Taken,
    Terms,
    address_key,
    find_lead,
    map_columns,
    open_source,
    parse_address,
    take_in,
)
from tests.conftest import NOW

KEY = b"k" * 32
WARSAW = ZoneInfo("Europe/Warsaw")
SALES = Pipeline(
    name="sales", stages=tuple(Stage(name=name) for name in ("new", "contacted", "demo", "won"))
)
PARTNERS = Pipeline(name="partners", stages=(Stage(name="asked"), Stage(name="signed")))


def terms(**wish: object) -> Terms:
    usual: dict[str, object] = {
        "key": KEY,
        "file": "fair.csv",
        "by": "ewa",
        "now": NOW,
        "zone": WARSAW,
        "pipelines": {"sales": SALES, "partners": PARTNERS},
        "pipeline": SALES,
    }
    return Terms(**(usual | wish))  # type: ignore[arg-type]


def written(folder: Path, text: str | bytes, name: str = "fair.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def taken_in(
    database: Database,
    path: Path,
    *,
    mapping: tuple[str, ...] = (),
    dry_run: bool = False,
    seed: int = 1,
    **wish: object,
) -> Taken:
    source = open_source(path)
    return take_in(
        source,
        map_columns(source, mapping),
        terms(file=path.name, **wish),
        write=database.write,
        read=database.read,
        ahead=database.dialect != "sqlite",
        dice=Random(seed),
        dry_run=dry_run,
    )


def sums(taken: Taken) -> tuple[int, int, int, int]:
    """(added, updated, unchanged, rejected); they make up the rows that were read."""
    counts = taken.counts
    four = (counts.added, counts.updated, counts.unchanged, counts.rejected)
    assert taken.document()["read"] == sum(four)
    return four


def key_of(email: str) -> str:
    return address_key(parse_address(email), KEY)


def lead(session: Session, email: str) -> Lead:
    found = find_lead(session, key_of(email))
    assert found is not None
    return found


def stated(session: Session, email: str) -> dict[str, list[str]]:
    """{name: values} of a lead's preferences."""
    rows = session.scalars(
        select(Preference)
        .where(col(Preference.lead_id) == lead(session, email).id)
        .order_by(col(Preference.id))
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row.value)
    return found


def kinds(session: Session, email: str) -> list[str]:
    """The kinds of a lead's events, oldest first."""
    chosen = (
        select(col(Event.kind))
        .where(col(Event.lead_id) == lead(session, email).id)
        .order_by(col(Event.at), col(Event.id))
    )
    return list(session.scalars(chosen))


def everything(session: Session) -> tuple[list[tuple[object, ...]], ...]:
    """Leads, preferences and the number of events: what a repeated import must not change."""
    names = ("email", "name", "company", "stage", "attributes", "tags", "token", "draw")
    leads = session.execute(
        select(*(getattr(Lead, name) for name in names)).order_by(col(Lead.email))
    )
    preferences = session.execute(
        select(col(Lead.email), col(Preference.name), col(Preference.value))
        .join(Lead, col(Lead.id) == col(Preference.lead_id))
        .order_by(col(Lead.email), col(Preference.name), col(Preference.value))
    )
    events = session.execute(
        select(col(Lead.email), col(Event.kind))
        .join(Lead, col(Lead.id) == col(Event.lead_id))
        .order_by(col(Lead.email), col(Event.id))
    )
    return tuple([tuple(row) for row in rows] for rows in (leads, preferences, events))


def moment(year: int, month: int, day: int) -> datetime:
    """Midnight in Warsaw."""
    return datetime(year, month, day, tzinfo=WARSAW)
