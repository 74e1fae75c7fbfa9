"""Every table of every room in one metadata, and the way from any schema version to the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
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


def upgrade(database: Database, *, to: str = "head") -> None:
    """Brings the schema to the newest version in one transaction; does nothing when it is there."""
    with database.writer.begin() as connection:
        command.upgrade(_config(connection), to)
