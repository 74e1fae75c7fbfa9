"""Variants that differ in who writes or in when."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import Message, variant_results
from campaigns.choosing import choose
from campaigns.due_lanes import lanes_with_work
from console.database import Database
from deliverability import Lane, lanes
from leads import Lead
from tests.campaigns.split import LATER, place, sample, sound, turned, world
from tests.campaigns.world import (
    ZONE,
    add_leads,
    rows,
    the_run,
)
from tests.conftest import NOW

BEN = {"variant": [{"identity": "ben"}]}


def test_who_writes_can_be_what_differs(database: Database) -> None:
    made = world(database, **BEN)
    run = the_run(database, made.run_id)
    anna, ben = (database.write(lambda s, n=n: lanes(s, n)) for n in ("anna", "ben"))
    for row in sample(database, made):
        first = place(row) < 2500
        assert row.lane_id in (anna if first else ben).values()
        domain = "sender.example" if first else "other.example"
        assert row.rfc_message_id.endswith(f"@{domain}")
    sound(database, made)
    with database.reading() as session:
        assert set(lanes_with_work(session, now=NOW)) == {anna["other"], ben["other"]}
        found = variant_results(session, run, now=NOW)
        assert found is not None and [each.name for each in found.variants] == ["anna", "ben"]
    for name in ("anna", "ben"):
        _claimed_by(database, name)
    database.write(lambda s: choose(s, "hello", "anna", now=NOW, by="ewa"))
    turned(database, NOW)
    for row in rows(database, made.run_id):
        if place(row) >= 5000:
            assert row.lane_id in anna.values() and row.rfc_message_id.endswith("@sender.example")
    sound(database, made)


def _claimed_by(database: Database, name: str) -> None:
    """A lane's claim takes its own identity's messages, of the campaign both write in."""
    from campaigns.candidates import LaneRules
    from campaigns.queue import claim

    lane = database.write(lambda s: lanes(s, name)["other"])
    rules = LaneRules(lane_id=lane, identity=name, per_day=None, zone=ZONE)
    claims = database.write(
        lambda s: claim(s, rules, owner="w", limit=3, after_run=0, now=NOW + timedelta(minutes=1))
    )
    assert [each.identity for each in claims.claimed] == [name] * 3
    with database.reading() as session:
        assert session.get_one(Lane, claims.claimed[0].lane_id).identity == name


def test_the_hour_can_be_what_differs(database: Database) -> None:
    def abroad(session: Session) -> None:
        session.execute(update(Lead).where(col(Lead.id) % 2 == 0).values(timezone="Asia/Tokyo"))

    database.write(lambda s: add_leads(s, 40))
    database.write(abroad)
    made = world(
        database,
        leads=40,
        first=41,
        hour="09:00",
        variant=[{"hour": "16:30"}, {"template": "short"}],
    )
    run = the_run(database, made.run_id)
    with database.reading() as session:
        zones = {
            lead.id: ZoneInfo(lead.timezone or "Europe/Warsaw")
            for lead in session.scalars(select(Lead))
        }

    def clock(row: Message) -> str:
        return f"{row.due_at.astimezone(zones[row.lead_id]):%H:%M}"

    for row in sample(database, made):
        number = sum(place(row) >= each[1] for each in run.terms["variants"])
        opens = ("09:00", "16:30", "09:00")[number]
        began = NOW.astimezone(zones[row.lead_id])
        inside = f"{began:%H:%M}" >= opens and began.hour == int(opens[:2])
        assert clock(row) == (f"{began:%H:%M}" if inside else opens)
        assert NOW <= row.due_at < NOW + timedelta(days=1)
    with database.reading() as session:
        found = variant_results(session, run, now=NOW)
        names = [each.name for each in found.variants] if found else []
    assert names == ["hello-9h00", "hello-16h30", "short-9h00"]
    database.write(lambda s: choose(s, "hello", "hello-16h30", now=LATER, by="ewa"))
    turned(database)
    rest = [row for row in rows(database, made.run_id) if place(row) >= 5000]
    assert rest and {clock(row) for row in rest} <= {"16:30", *_now_inside(zones, "16:30")}
    sound(database, made)


def _now_inside(zones: dict[int | None, ZoneInfo], opens: str) -> set[str]:
    local = {LATER.astimezone(zone) for zone in zones.values()}
    return {f"{each:%H:%M}" for each in local if f"{each:%H}" == opens[:2] and each.minute >= 30}
