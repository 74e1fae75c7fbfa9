"""Which schema the database has, and which one this program was written for.

Apart from `schema.py`, because every command asks this first and Alembic takes a while to import.
"""

from pathlib import Path

from sqlalchemy import inspect, text

from console.database import Database

#: One file a version, `0004_counts.py`: the number is the version's name.
MIGRATIONS = Path(__file__).parent / "migrations" / "versions"


def newest() -> str:
    """The schema version this program was written for."""
    return max(revisions())


def revisions() -> frozenset[str]:
    """Every schema version this program knows."""
    return frozenset(path.name.split("_")[0] for path in MIGRATIONS.glob("[0-9]*_*.py"))


def present(database: Database) -> str | None:
    """The schema version the database has; None when it is empty."""
    with database.reading() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        version: str | None = session.connection().scalar(
            text("SELECT version_num FROM alembic_version")
        )
        return version
