"""An import to run as a process of its own, which says so after each chunk. For being killed."""

from multiprocessing.connection import Connection
from pathlib import Path
from random import SystemRandom

from sqlalchemy.engine import URL

from console.database import Database
from leads import map_columns, open_source, take_in
from tests.leads.files import terms


def take_in_file(url: URL, file: Path, told: Connection) -> None:
    """Imports `file`; `told` gets how many rows are done after each chunk."""
    database = Database(url)
    source = open_source(file)
    take_in(
        source,
        map_columns(source),
        terms(),
        write=database.write,
        read=database.read,
        ahead=database.dialect != "sqlite",
        dice=SystemRandom(),
        progress=lambda done, _total: told.send(done),
    )
    database.close()
