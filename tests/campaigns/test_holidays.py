"""Days on which a country does not work."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import col

from campaigns import DefinitionError, State
from campaigns.public_holidays import is_holiday
from campaigns.window import Window, read_window
from console.database import Database
from leads import Lead
from tests.campaigns.claims import take
from tests.campaigns.world import add_leads, apply_campaign, rows, start

WARSAW, BERLIN = ZoneInfo("Europe/Warsaw"), ZoneInfo("Europe/Berlin")
OFFICE = Window(days=frozenset(range(5)), from_minute=9 * 60, to_minute=17 * 60, skip_holidays=True)
#: 11 November 2026, a Wednesday: Poland's Independence Day, and no holiday in Germany.
NOON = datetime(2026, 11, 11, 11, tzinfo=UTC)


def test_a_holiday_is_the_leads_own() -> None:
    assert not OFFICE.admits(NOON, WARSAW, "PL")
    assert OFFICE.admits(NOON, BERLIN, "DE")
    assert OFFICE.admits(NOON, WARSAW, "")
    assert not Window.of_body(OFFICE.body() | {"holidays": "PL"}).admits(NOON, WARSAW, "")
    assert OFFICE.admits(NOON, WARSAW, "XX")  # a country nobody has heard of


def test_it_opens_on_the_next_day_that_is_worked() -> None:
    opens = OFFICE.next_opening(NOON, WARSAW, "PL")
    assert opens == datetime(2026, 11, 12, 8, tzinfo=UTC)
    # Christmas 2026: Thursday the 24th to Saturday the 26th are holidays, then a Sunday.
    eve = datetime(2026, 12, 23, 17, tzinfo=UTC)
    assert OFFICE.next_opening(eve, WARSAW, "PL") == datetime(2026, 12, 28, 8, tzinfo=UTC)


def test_a_window_without_the_line_knows_no_holidays_and_keeps_its_form() -> None:
    plain = Window(days=frozenset(range(5)), from_minute=0, to_minute=1440)
    assert plain.body() == {"days": [0, 1, 2, 3, 4], "from": 0, "to": 1440}
    assert plain.admits(NOON, WARSAW, "PL")
    assert Window.of_body(plain.body()) == plain
    assert Window.of_body(OFFICE.body()) == OFFICE


@pytest.mark.parametrize(
    ("value", "skips", "country"),
    [(True, True, ""), (False, False, ""), ("PL", True, "PL"), (" de ", True, "DE")],
)
def test_what_the_file_says(value: object, skips: bool, country: str) -> None:
    window = read_window({"skip_holidays": value}, "campaigns/a.toml")
    assert (window.skip_holidays, window.country) == (skips, country)


@pytest.mark.parametrize("value", ["QQ", "Poland", 1, ["PL"], ""])
def test_what_it_cannot_say_is_answered_in_one_line(value: object) -> None:
    with pytest.raises(DefinitionError, match=r"write skip_holidays = true, or \"PL\" to take"):
        read_window({"skip_holidays": value}, "campaigns/a.toml")


@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.sampled_from(["PL", "DE", "US", "GB", ""]),
    st.sampled_from(["Europe/Warsaw", "America/New_York", "Pacific/Auckland"]),
)
def test_an_opening_is_inside_and_nothing_before_it_is(
    minutes: int, country: str, name: str
) -> None:
    zone = ZoneInfo(name)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = OFFICE.next_opening(now, zone, country)
    assert opens >= now
    assert OFFICE.admits(opens, zone, country)
    assert not is_holiday(country, opens.astimezone(zone).date())
    assert opens == now or not OFFICE.admits(opens - timedelta(minutes=1), zone, country)
    step = (opens - now) / 7
    if step > timedelta(minutes=1):
        assert not any(OFFICE.admits(now + n * step, zone, country) for n in range(1, 7))


def test_planning_and_claiming_agree_on_whose_holiday_it_is(database: Database) -> None:
    def add(session: object) -> None:
        ids = add_leads(session, 3, timezone="Europe/Warsaw")  # type: ignore[arg-type]
        for number, country in zip(ids, ("PL", "DE", ""), strict=True):
            session.execute(  # type: ignore[attr-defined]
                update(Lead).where(col(Lead.id) == number).values(country=country)
            )

    database.write(add)
    office = {"days": "mon-fri", "from": "09:00", "to": "17:00", "skip_holidays": True}
    database.write(lambda s: apply_campaign(s, window=office))
    world = start(database, now=NOON)
    due = {row.lead_id: row.due_at for row in rows(database, world.run_id)}
    assert list(due.values()) == [datetime(2026, 11, 12, 8, tzinfo=UTC), NOON, NOON]
    claims = take(world, now=NOON)
    assert [each.recipient.country for each in claims.claimed] == ["DE", ""]
    # One that was due although its country rests is put off by the claim as well.
    first = rows(database, world.run_id)[0]
    from campaigns import Message

    database.write(
        lambda s: s.execute(update(Message).where(col(Message.id) == first.id).values(due_at=NOON))
    )
    assert take(world, now=NOON).claimed == ()
    again = rows(database, world.run_id)[0]
    assert (again.state, again.due_at.date()) == (State.PLANNED, date(2026, 11, 12))
