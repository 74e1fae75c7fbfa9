"""Planning a run for everybody beside a bare INSERT ... SELECT of the same rows.

Bare means: one statement, one commit, the same columns, indexes and constraints, and nothing asked.
It is done twice: with the very rows that were planned, kept in a plain table in between, and with
as many rows from `lead` that are all alike (one lane, one due time, nobody skipped), which go to
the end of every index. The product plans in ranges with a window in each lead's zone, while another
process commits small transactions like a sending lane; its longest wait is reported.
"""

import json
import multiprocessing
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from time import perf_counter, sleep
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.engine import URL
from sqlmodel import Session, col

from benchmarks.counting import ZONE
from benchmarks.crowd import NOW
from campaigns import Campaign, Message, Run, begin, prepare
from console.database import Database
from console.planning import plan
from deliverability import OTHER, Identity, Limits, SmtpServer, lanes
from leads import Event, freeze
from segments import SegmentVersion
from segments import read_definition as read_segment
from templates import TemplateVersion, compile_template

_ANNA = Identity(
    name="anna",
    from_name="Anna Nowak",
    from_address="anna@sender.example",
    postal_address="Potok sp. z o.o., ul. Długa 1, 00-001 Warszawa",
    smtp=SmtpServer(host="127.0.0.1", port=2525, tls="none"),
    limits=Limits(connections=5, per_connection=50),
)
#: `by` of the events the lane writes.
_LANE = "benchmark"
_MESSAGE = b'subject = "News"\ntopic = "news"\n'
_TEXT = b"{{ sender.name }}, {{ sender.postal_address }}\n{{ links.unsubscribe }}\n"
_COLUMNS = (
    "run_id, lead_id, pass, step, lane_id, template_version_id, state, reason, due_at, expires_at,"
    " rfc_message_id, attempts, deferrals, settled_at, reply"
)


@dataclass(frozen=True, kw_only=True)
class PlanningRound:
    """Seconds; waits in milliseconds."""

    rows: int
    #: One statement for rows that are all alike, and for the rows that were planned.
    alike: float
    bare: float
    planned: float
    waits: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return self.planned / self.bare

    @property
    def ratio_alike(self) -> float:
        return self.planned / self.alike


def _prepare(session: Session, name: str) -> Any:
    return prepare(session, name, identities={"anna": _ANNA}, consent_required=False)


def _apply(session: Session, name: str) -> None:
    segment = read_segment(name, {"description": "", "rule": "everyone"})
    freeze(session, SegmentVersion, name, segment.body(), now=NOW)
    compiled = compile_template(name, {"message.toml": _MESSAGE, "body.txt": _TEXT})
    freeze(session, TemplateVersion, name, compiled.body(), now=NOW)
    from campaigns.definition import read_definition

    definition = read_definition(
        name,
        {
            "segment": name,
            "template": name,
            "identity": "anna",
            "window": {"days": "mon-fri", "from": "09:00", "to": "17:00"},
        },
    )
    freeze(session, Campaign, name, definition.body(), now=NOW)


def _plan(database: Database, name: str, token: str) -> float:
    """Seconds the product takes for a run of the campaign, from its opening to its last range."""

    def open_run(session: Session) -> tuple[int, Any]:
        prepared = _prepare(session, name)
        run = begin(session, prepared, now=NOW, by="bench", token=token, when_in_doubt="hold")
        return run.id or 0, prepared.rule(ZONE)

    began = perf_counter()
    run_id, rule = database.write(open_run)
    plan(database, run_id, lambda _: rule, now=NOW, zone=ZONE)
    return perf_counter() - began


def _alike(database: Database, name: str, token: str) -> float:
    """Seconds one statement takes for rows of the same width that are all alike."""

    def open_run(session: Session) -> dict[str, Any]:
        run = begin(
            session,
            _prepare(session, name),
            now=NOW,
            by="bench",
            token=token,
            when_in_doubt="hold",
        )
        lane = lanes(session, "anna")[OTHER]
        return {"run": run.id, "lane": lane, "template": run.template_version_id}

    given = database.write(open_run)
    at = "2026-03-10 11:00:00.000000" + ("" if database.dialect == "sqlite" else "+00")
    # A colon would begin the name of a parameter.
    at = at.replace(":", "\\:")
    statement = text(
        f"INSERT INTO message ({_COLUMNS}) SELECT {given['run']}, id, 0, 'mail', {given['lane']},"
        f" {given['template']}, 'planned', '', '{at}', '{at}',"
        f" '{token}.mail.0.' || token || '@sender.example', 0, 0, NULL, '' FROM lead ORDER BY id"
    )
    began = perf_counter()
    database.write(lambda session: session.execute(statement))
    return perf_counter() - began


def _keep(database: Database) -> None:
    """Puts the planned rows aside."""

    def work(session: Session) -> None:
        session.execute(text("DROP TABLE IF EXISTS planned_rows"))
        session.execute(text(f"CREATE TABLE planned_rows AS SELECT {_COLUMNS} FROM message"))

    database.write(work)


def _bare(database: Database) -> float:
    """Seconds one statement takes for the rows that were put aside."""
    statement = text(
        f"INSERT INTO message ({_COLUMNS}) SELECT {_COLUMNS} FROM planned_rows ORDER BY lead_id"
    )
    began = perf_counter()
    database.write(lambda session: session.execute(statement))
    took = perf_counter() - began
    database.write(lambda session: session.execute(text("DROP TABLE planned_rows")))
    return took


def _clear(database: Database) -> None:
    def work(session: Session) -> None:
        if database.dialect == "sqlite":
            session.execute(text("DELETE FROM message"))
        else:
            session.execute(text("TRUNCATE message CASCADE"))
        mine = (col(Event.kind) == "sent", col(Event.at) == NOW, col(Event.by) == _LANE)
        session.execute(delete(Event).where(*mine))
        session.execute(update(Run).where(col(Run.state) != "finished").values(state="finished"))

    database.write(work)


def _lane(url: URL, ready: Any, stop: Any, waits: Any) -> None:
    """Commits small transactions, forty a second, until told to stop."""
    database = Database(url)
    found = []

    def work(session: Session) -> None:
        last = session.scalar(select(func.max(col(Event.id)))) or 0
        session.execute(
            insert(Event).values(lead_id=1, at=NOW, kind="sent", data={}, message_id=last, by=_LANE)
        )

    database.write(work)
    ready.set()
    while not stop.is_set():
        began = perf_counter()
        database.write(work)
        found.append((perf_counter() - began) * 1000)
        sleep(0.025)
    waits.put(found)
    database.close()


def measure_planning(url: URL, rounds: int) -> list[PlanningRound]:
    """Rounds of both in turn. What they write is taken out of the database again."""
    database, found = Database(url), []
    start = perf_counter()
    for number in range(rounds):
        name = f"bench{number}-{int(start)}"
        database.write(lambda session, name=name: _apply(session, name))
        database.write(lambda session, name=name: _apply(session, f"{name}b"))
        _clear(database)
        token = f"{number:04x}{int(start * 1000) % 16**8:08x}"
        alike = _alike(database, f"{name}b", f"{token[:-1]}b")
        rows = _rows(database)
        _clear(database)
        context = multiprocessing.get_context("spawn")
        ready, stop, waits = context.Event(), context.Event(), context.Queue()
        lane = context.Process(target=_lane, args=(url, ready, stop, waits))
        lane.start()
        ready.wait()
        planned = _plan(database, name, f"{token[:-1]}a")
        stop.set()
        waited = waits.get()
        lane.join()
        assert _rows(database) == rows
        _keep(database)
        _clear(database)
        bare = _bare(database)
        assert _rows(database) == rows
        found.append(
            PlanningRound(rows=rows, alike=alike, bare=bare, planned=planned, waits=tuple(waited))
        )
    _clear(database)
    database.close()
    return found


def _rows(database: Database) -> int:
    return database.read(lambda s: s.scalar(select(func.count()).select_from(Message))) or 0


def plan_once(url: URL) -> None:
    """Plans a run for everybody."""
    database = Database(url)
    stamp = int(perf_counter() * 1000)
    database.write(lambda session: _apply(session, f"bench-memory-{stamp}"))
    _plan(database, f"bench-memory-{stamp}", f"{stamp % 16**12:012x}")
    database.close()


def memory_of_planning(url: URL) -> int:
    """Most memory, in kB, that a process of its own takes to plan a run for everybody."""
    given = [sys.executable, "-m", "benchmarks.planning_memory", url.render_as_string(False)]
    database = Database(url)
    _clear(database)
    told = subprocess.run(given, check=True, capture_output=True).stdout
    _clear(database)
    database.close()
    return int(json.loads(told))


def planning_ratio(rounds: list[PlanningRound]) -> float:
    """The median of the rounds' own ratios."""
    return median(each.ratio for each in rounds)
