"""A small world for the queue's tests: leads, an applied campaign, a planned run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlmodel import Session, col

from campaigns import Prepared, begin, plan_range, prepare
from campaigns.definition import read_definition
from campaigns.tables import Campaign, Message, Run
from console.database import Database
from deliverability import Identity, Limits, SmtpServer, lanes
from leads import Lead, address_key, freeze, parse_address
from segments import SegmentVersion
from segments import read_definition as read_segment
from templates import TemplateVersion, compile_template
from tests.conftest import NOW

KEY = b"k" * 32
ZONE = ZoneInfo("Europe/Warsaw")
ANNA = Identity(
    name="anna",
    from_name="Anna Nowak",
    from_address="anna@sender.example",
    postal_address="Potok sp. z o.o., ul. Długa 1, 00-001 Warszawa",
    smtp=SmtpServer(host="127.0.0.1", port=2525, tls="none"),
    limits=Limits(connections=5, per_connection=50),
)
BEN = replace(
    ANNA, name="ben", from_name="Ben Kos", from_address="ben@other.example", smtp=ANNA.smtp
)

MESSAGE = """\
subject = "A word, {{ lead.first_name }}?"
topic = "news"
[defaults]
first_name = "there"
"""
TEXT = """\
Hello {{ lead.first_name }} of {{ lead.company }},

this is for you.

{{ sender.name }}, {{ sender.postal_address }}
No more of this: {{ links.unsubscribe }}
"""


def add_leads(session: Session, count: int, *, first: int = 1, **facts: object) -> list[int]:
    """`count` leads `l1@d1.example`, ... with draws and tokens that are the same in every run."""
    rows = []
    for n in range(first, first + count):
        email = f"l{n}@d{n % 7}.example"
        row: dict[str, object] = {
            "email": email,
            "address_key": address_key(parse_address(email), KEY),
            "domain": f"d{n % 7}.example",
            "first_name": f"Ala{n}",
            "name": f"Ala{n} Kot",
            "last_name": "Kot",
            "company": f"Firma {n}",
            "job_title": "",
            "phone": "",
            "country": "PL",
            "language": "pl",
            "timezone": "",
            "owner": "",
            "source": "test",
            "pipeline": "sales",
            "stage": "demo",
            "stage_at": NOW - timedelta(days=3),
            "score": 0.0,
            "attributes": {},
            "tags": [],
            "draw": (n * 48271) % 2147483647,
            "token": f"{n:016x}",
            "created_at": NOW,
            "updated_at": NOW,
        }
        rows.append(row | facts)
    session.execute(insert(Lead), rows)
    return list(session.scalars(select(col(Lead.id)).order_by(col(Lead.id))))[-count:]


@dataclass(frozen=True)
class World:
    database: Database
    run_id: int
    lane_id: int

    def states(self) -> dict[str, int]:
        """How many messages are in each state."""
        with self.database.reading() as session:
            found: dict[str, int] = {}
            for state in session.scalars(
                select(col(Message.state)).where(col(Message.run_id) == self.run_id)
            ):
                found[state] = found.get(state, 0) + 1
            return found


def apply_campaign(
    session: Session,
    *,
    name: str = "hello",
    rule: str = "stage = demo",
    text: str = TEXT,
    **more: object,
) -> None:
    """Freezes a segment, a text template and a campaign called `name`."""
    segment = read_segment(name, {"description": "", "rule": rule})
    freeze(session, SegmentVersion, name, segment.body(), now=NOW)
    compiled = compile_template(name, {"message.toml": MESSAGE.encode(), "body.txt": text.encode()})
    freeze(session, TemplateVersion, name, compiled.body(), now=NOW)
    definition = read_definition(
        name, {"segment": name, "template": name, "identity": "anna"} | more
    )
    freeze(session, Campaign, name, definition.body(), now=NOW)


def prepared(session: Session, name: str = "hello", **options: object) -> Prepared:
    return prepare(
        session,
        name,
        identities={"anna": ANNA, "ben": BEN},
        consent_required=False,
        **options,  # type: ignore[arg-type]
    )


def start(
    database: Database,
    *,
    name: str = "hello",
    when_in_doubt: str = "hold",
    token: str = "0123456789ab",
    now: datetime = NOW,
    size: int = 20_000,
    **options: object,
) -> World:
    """Plans a run of the applied campaign to its end."""

    def open_run(session: Session) -> int:
        run = begin(
            session,
            prepared(session, name, **options),
            now=now,
            by="test",
            token=token,
            when_in_doubt=when_in_doubt,
        )
        assert run.id is not None
        return run.id

    run_id = database.write(open_run)
    done = False
    while not done:

        def step(session: Session) -> bool:
            rule = prepared(session, name).rule(ZONE)
            return plan_range(session, run_id, rule, now=now, zone=ZONE, size=size).done

        done = database.write(step)
    lane_id = database.write(lambda session: lanes(session, "anna")["other"])
    return World(database=database, run_id=run_id, lane_id=lane_id)


def small_world(database: Database, leads: int = 10, **options: object) -> World:
    """`leads` leads in stage demo and one planned, running campaign for all of them."""
    database.write(lambda session: add_leads(session, leads))
    database.write(lambda session: apply_campaign(session))
    return start(database, **options)  # type: ignore[arg-type]


def rows(database: Database, run_id: int) -> Sequence[Message]:
    """Every message row of a run, by id."""
    with database.reading() as session:
        return session.scalars(
            select(Message).where(col(Message.run_id) == run_id).order_by(col(Message.id))
        ).all()


def the_run(database: Database, run_id: int) -> Run:
    with database.reading() as session:
        return session.get_one(Run, run_id)
