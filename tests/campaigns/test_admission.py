"""Everything that may hold a message back, together, on a clock of its own over several days."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlmodel import Session, col

from campaigns.candidates import LaneRules
from campaigns.domain_cap import DomainCap
from campaigns.finish import finish
from campaigns.public_holidays import is_holiday
from campaigns.queue import claim
from campaigns.runs import move_run, pause
from campaigns.states import RunState
from campaigns.tables import Attempt, Message, Run
from console.database import Database
from deliverability import gap, lanes
from leads import FrequencyCap, Lead
from tests.campaigns.claims import ACCEPTED, SENT
from tests.campaigns.world import ZONE, add_leads, apply_campaign, start

#: The clocks of New York go back on 1 November, which is a holiday in Poland.
BEGIN = datetime(2026, 10, 31, 10, tzinfo=UTC)
ZONES = ("Europe/Warsaw", "America/New_York", "")
COUNTRIES = ("PL", "US", "")
WINDOW = {"days": "mon-sun", "from": "08:00", "to": "18:00", "skip_holidays": "PL"}


@dataclass(frozen=True)
class Rules:
    per_day: int
    domain: int
    cap: int
    spread: bool
    seed: int


@dataclass(frozen=True)
class Left:
    """One message that left."""

    at: datetime
    run: int
    lead: int
    domain: str
    zone: str
    country: str


def world(database: Database) -> None:
    """Sixty leads at seven companies, one of them large; three campaigns to all of them."""

    def fill(session: Session) -> None:
        ids = add_leads(session, 60)
        for n, number in enumerate(ids):
            session.execute(
                update(Lead)
                .where(col(Lead.id) == number)
                .values(
                    domain="big.example" if n < 25 else f"c{n % 6}.example",
                    timezone=ZONES[n % 3],
                    country=COUNTRIES[n % 3],
                )
            )

    database.write(fill)
    for n in range(3):
        name = f"c{n}"
        database.write(
            lambda s, name=name: apply_campaign(
                s, name=name, window=WINDOW, expires_after="30 days"
            )
        )
        start(database, name=name, token=f"{n:012x}", now=BEGIN)


def stroll(template: Path, rules: Rules) -> list[Left]:
    """Claims and sends at odd moments for two days; what left, in order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "potok.db"
        shutil.copy(template, path)
        database = Database(make_url(f"sqlite:///{path}"))
        world(database)
        dice, now, after = Random(rules.seed), BEGIN, 0
        lane = LaneRules(
            lane_id=database.write(lambda s: lanes(s, "anna")["other"]),
            identity="anna",
            per_day=rules.per_day,
            zone=ZONE,
            cap=FrequencyCap(messages=rules.cap, days=3),
            spread=rules.spread,
            domains=DomainCap(rules.domain),
        )
        end = BEGIN + timedelta(days=2)
        while now < end:
            limit = dice.randint(1, 6)

            def turn(
                session: Session, now: datetime = now, limit: int = limit, behind: int = after
            ) -> int:
                claims = claim(session, lane, owner="me", limit=limit, after_run=behind, now=now)
                for each in claims.claimed:
                    finish(
                        session,
                        each,
                        ACCEPTED,
                        owner="me",
                        now=now,
                        sent=SENT,
                        retry_after=None,
                        day=now.astimezone(ZONE).date(),
                        template="c",
                    )
                return claims.last_run

            after = database.write(turn)
            now += timedelta(minutes=dice.choice((1, 20, 45, 90)))
        with database.reading() as session:
            rows = session.execute(
                select(
                    col(Attempt.started_at),
                    col(Message.run_id),
                    col(Lead.id),
                    col(Lead.domain),
                    col(Lead.timezone),
                    col(Lead.country),
                )
                .join(Message, col(Message.id) == col(Attempt.message_id))
                .join(Lead, col(Lead.id) == col(Message.lead_id))
                .order_by(col(Attempt.id))
            ).all()
        database.close()
        return [Left(*row) for row in rows]


rules_of = st.builds(
    Rules,
    per_day=st.integers(3, 40),
    domain=st.integers(1, 6),
    cap=st.integers(1, 3),
    spread=st.booleans(),
    seed=st.integers(0, 10_000),
)


@settings(max_examples=2)
@given(rules=rules_of)
def test_no_limit_is_ever_passed_and_the_same_dice_make_the_same_days(
    sqlite_template: Path, rules: Rules
) -> None:
    left = stroll(sqlite_template, rules)
    assert left
    days: Counter[date] = Counter(each.at.astimezone(ZONE).date() for each in left)
    assert max(days.values()) <= rules.per_day
    for n, each in enumerate(left):
        local = each.at.astimezone(ZoneInfo(each.zone) if each.zone else ZONE)
        assert 8 <= local.hour < 18
        assert not is_holiday(each.country or "PL", local.date())
        since = [other for other in left[: n + 1] if other.at > each.at - timedelta(hours=1)]
        assert sum(other.domain == each.domain for other in since) <= rules.domain
        recent = [other for other in left[: n + 1] if other.at > each.at - timedelta(days=3)]
        assert sum(other.lead == each.lead for other in recent) <= rules.cap
        if rules.spread and n:
            assert each.at - left[n - 1].at >= gap(rules.per_day, 10.0)
    assert stroll(sqlite_template, rules) == left


@settings(max_examples=3)
@given(runs=st.integers(2, 6), wanted=st.integers(1, 3), seed=st.integers(0, 1000))
def test_each_campaign_has_its_turn_within_as_many_claims_as_there_are_campaigns(
    sqlite_template: Path, runs: int, wanted: int, seed: int
) -> None:
    """One campaign is ten times the others, one pauses and comes back; nobody is passed over."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "potok.db"
        shutil.copy(sqlite_template, path)
        database = Database(make_url(f"sqlite:///{path}"))
        database.write(lambda s: add_leads(s, 24))
        ids = []
        for n in range(runs):
            rule = "stage = demo" if n == 0 else "stage = demo and company ~ '1'"
            name = f"c{n}"
            database.write(lambda s, name=name, rule=rule: apply_campaign(s, name=name, rule=rule))
            made = start(database, name=name, token=f"{n:012x}", now=BEGIN)
            ids.append(made.run_id)
        rules = LaneRules(lane_id=made.lane_id, identity="anna", per_day=None, zone=ZONE)
        dice, after, paused = Random(seed), 0, None
        waited: Counter[int] = Counter()
        for _ in range(4 * runs):
            if dice.random() < 0.2:
                if paused is None:
                    paused = dice.randrange(runs)
                    database.write(lambda s, n=paused: pause(s, f"c{n}", reason="test"))
                else:
                    back = ids[paused]
                    paused = None
                    database.write(
                        lambda s, back=back: move_run(
                            s, back, (RunState.PAUSED,), state=RunState.RUNNING
                        )
                    )
            claims = database.write(
                lambda s, after=after: claim(
                    s, rules, owner="me", limit=wanted, after_run=after, now=BEGIN
                )
            )
            after = claims.last_run
            served = {each.run_id for each in claims.claimed}
            for number in ids:
                with database.reading() as session:
                    waits = session.scalar(
                        select(col(Message.id))
                        .join(Run, col(Run.id) == col(Message.run_id))
                        .where(
                            col(Message.run_id) == number,
                            col(Message.state) == "planned",
                            col(Run.state) == RunState.RUNNING,
                        )
                        .limit(1)
                    )
                waited[number] = 0 if number in served or waits is None else waited[number] + 1
                assert waited[number] < runs
        database.close()
