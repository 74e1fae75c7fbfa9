"""Mails sent and answered in the small world: what tests of the way back share."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Desk, Message, Taken, take, verify
from campaigns.finish import Sent, finish
from campaigns.queue import Claimed, LaneRules, claim
from console.database import Database
from deliverability import (
    Arrived,
    Outcome,
    Phase,
    Verdict,
    classify_inbound,
    fingerprint,
    identity_version,
)
from leads import Event, Lead, Suppression
from tests.campaigns.world import KEY, ZONE, World, rows
from tests.conftest import NOW

LINKS = (b"l" * 32,)
DESK = Desk(
    identity="anna",
    address_key=KEY,
    link_keys=LINKS,
    own=frozenset({"anna@sender.example"}),
)
#: Of our form, but no message has it.
NOT_OURS = "ffffffffffff.mail.0.ffffffffffffffff@sender.example"
LATER = NOW + timedelta(hours=1)


def send_all(world: World, *, verdict: Verdict = Verdict.ACCEPTED, limit: int = 100) -> None:
    """Claims what is due and finishes it with `verdict`, as the worker does."""

    def work(session: Session) -> None:
        version = identity_version(session, "anna", {"from_name": "Anna Nowak"}, now=NOW)
        rules = LaneRules(lane_id=world.lane_id, identity="anna", per_day=None, zone=ZONE)
        claims = claim(session, rules, owner="me", limit=limit, after_run=0, now=NOW)
        for one in claims.claimed:
            _finish(session, one, verdict, version)

    world.database.write(work)


def _finish(session: Session, one: Claimed, verdict: Verdict, version: int) -> None:
    outcome = Outcome(
        verdict=verdict,
        phase=Phase.DONE if verdict is Verdict.ACCEPTED else Phase.BODY,
        reply="250 2.0.0 Ok: queued as 4F1kZq2XyZz1" if verdict is Verdict.ACCEPTED else "",
        relay_id=f"4F1kZq2Xy{one.message_id:04}" if verdict is Verdict.ACCEPTED else None,
    )
    finish(
        session,
        one,
        outcome,
        owner="me",
        now=NOW,
        sent=Sent(
            subject=f"A word, {one.recipient.first_name}?",
            context={"read": {}},
            identity_version_id=version,
        ),
        retry_after=None,
        day=NOW.date(),
        template="hello",
    )


def bring(database: Database, raw: bytes, *, times: int = 1) -> Taken | None:
    """One mail through the door, `times` times; what the first was taken for."""
    first: Taken | None = None
    for number in range(times):
        arrived = Arrived(name="x", raw=raw, sha256=fingerprint(raw), at=LATER)
        reading = classify_inbound(raw)
        taken = database.write(
            lambda session, a=arrived, r=reading: take(session, a, r, DESK, now=LATER)
        )
        if number == 0:
            first = taken
        else:
            assert taken is None
    return first


def events(database: Database, kind: str) -> list[Event]:
    with database.reading() as session:
        return list(
            session.scalars(
                select(Event).where(col(Event.kind) == kind).order_by(col(Event.id))
            ).all()
        )


def suppressed(database: Database) -> dict[str, str]:
    """{address: reason} of suppressed leads."""
    with database.reading() as session:
        return dict(
            session.execute(
                select(col(Lead.email), col(Suppression.reason)).join(
                    Suppression, col(Suppression.address_key) == col(Lead.address_key)
                )
            ).all()
        )


def holds(world: World) -> bool:
    with world.database.reading() as session:
        return verify(session, world.run_id) == []


def first(world: World) -> Message:
    return rows(world.database, world.run_id)[0]


def inbox(tmp_path: Path, mails: list[bytes]) -> Path:
    box = tmp_path / "inbox"
    for part in ("tmp", "new", "cur"):
        (box / part).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(mails):
        (box / "new" / f"{number:05}.mail").write_bytes(raw)
    return box
