"""An import in a process of its own, which says so after each chunk. For being killed.

python -m tests.leads.import_in_process DATABASE_URL FILE
"""

import sys
from pathlib import Path
from random import SystemRandom

from sqlalchemy.engine import make_url

from console.database import Database
from leads import map_columns, open_source, take_in
from tests.leads.files import terms


def tell(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


def main(url: str, file: str) -> None:
    database = Database(make_url(url))
    source = open_source(Path(file))
    take_in(
        source,
        map_columns(source),
        terms(),
        write=database.write,
        read=database.read,
        ahead=database.dialect != "sqlite",
        dice=SystemRandom(),
        progress=tell,
    )
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
