"""Every table of every room in one metadata, and the way from any schema version to the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import campaigns
import deliverability
import segments
import templates
from console.database import Database
from leads import Row

#: Importing a room registers its tables; the names keep the imports alive.
ROOMS = (segments, templates, deliverability, campaigns)

metadata = Row.metadata


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The schema version this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package holds no migrations"  # noqa: S101 - a broken build
    return head


def revisions() -> frozenset[str]:
    """Every schema version this program knows."""
    return frozenset(
        script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def present(database: Database) -> str | None:
    """The schema version the database has; None when it is empty."""
    with database.writer.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, *, to: str = "head") -> None:
    """Brings the schema to the newest version in one transaction; does nothing when it is there."""
    with database.writer.begin() as connection:
        command.upgrade(_config(connection), to)
