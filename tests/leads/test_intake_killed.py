"""A killed import leaves whole chunks, and importing again does exactly the rest."""

import random
import time
from multiprocessing import Pipe
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL
from sqlmodel import Session, col

from console.database import Database
from leads import Event, Import, Lead, Preference
from tests.leads.files import everything, sums, taken_in, written
from tests.leads.import_in_process import take_in_file
from tests.processes import begin, end

ROWS = 10_000
#: Every fiftieth row has the address of one far away, every hundredth is no lead.
REPEATED, WRONG = ROWS // 50, ROWS // 100
LEADS = ROWS - REPEATED - WRONG


def twin(n: int) -> int:
    """The ordinary row whose address row `n` repeats: behind it, or before it in the later half."""
    return (n + 5003) % ROWS


#: What comes first in the file counts: its repetitions fill what is empty, and nothing is.
PREFERENCES = 3 * LEADS - sum(1 for n in range(7, ROWS, 50) if twin(n) > n)


def rows() -> str:
    lines = ["email,name,company,prefers.topic,prefers.budget,tags"]
    for n in range(ROWS):
        if n % 100 == 99:
            lines.append(f"wrong{n},Nobody,,,,")
        elif n % 50 == 7:
            lines.append(f"P{twin(n)}@d.example,Somebody,Again {n},pricing,1,again")
        else:
            lines.append(f"p{n}@d.example,Anna Nowak{n},Firma {n},pricing;demo,{n},fair")
    return "\n".join(lines) + "\n"


def counted(session: Session) -> tuple[int, int, int]:
    """(leads, preferences, events)."""

    def of(table: type) -> int:
        return session.scalar(select(func.count()).select_from(table)) or 0

    return of(Lead), of(Preference), of(Event)


def killed_import(url: URL, path: Path, *, after: int, pause: float) -> int:
    """Starts an import and kills it `pause` seconds after a chunk; how many chunks it told of."""
    ours, theirs = Pipe(duplex=False)
    child = begin(take_in_file, url, path, theirs)
    theirs.close()
    told = 0
    with ours:
        while told < after:
            try:
                ours.recv()
            except EOFError:
                break
            told += 1
        time.sleep(pause)
        child.kill()
        end(child)
    return told


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_import_is_finished_by_the_next(
    seed: int, database_url: URL, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    path = written(tmp_path, rows())
    told = killed_import(database_url, path, after=dice.randint(1, 4), pause=dice.uniform(0, 0.05))
    assert told >= 1
    database = Database(database_url)
    try:
        leads, _, events = database.read(counted)
        assert 0 < leads < ROWS
        assert events == leads, "each lead of a whole chunk came with its event"
        with database.reading() as session:
            cut = session.scalars(select(Import)).one()
            assert cut.finished_at is None
            assert cut.counts["added"] == leads
            assert cut.counts["read"] % 2000 <= REPEATED
        done = taken_in(database, path)
        added, updated, unchanged, rejected = sums(done)
        assert added + updated + unchanged + rejected == ROWS
        assert rejected == WRONG
        once = database.read(everything)
        with database.reading() as session:
            assert counted(session) == (LEADS, PREFERENCES, LEADS)
            assert added == LEADS - leads
            kinds = session.scalars(select(col(Event.kind)).distinct()).all()
            assert list(kinds) == ["imported"]
        again = taken_in(database, path, seed=7)
        assert sums(again) == (0, 0, ROWS - WRONG, WRONG)
        assert database.read(everything) == once
    finally:
        database.close()
