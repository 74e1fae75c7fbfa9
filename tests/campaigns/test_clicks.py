"""A link followed is a line on the timeline: a person's counts, a machine's is told apart."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import clicked_in, forget, note_click, require_run
from campaigns.states import State
from console.database import Database
from deliverability import FollowedLink, Verdict, Visit
from leads import Event, Lead, erase, merge, timeline
from segments import parse, where
from tests.campaigns.answering import events, first, holds, send_all
from tests.campaigns.world import ZONE, World, rows, small_world
from tests.conftest import NOW

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SHOP, PRICES = "https://shop.example/?utm_source=potok", "https://shop.example/prices"


def press(
    world: World,
    seconds: float,
    target: str = SHOP,
    *,
    agent: str = FIREFOX,
    place: int = 0,
    lead: str = "",
) -> str | None:
    """One visit, so long after the mail was accepted; the event it became."""
    message = rows(world.database, world.run_id)[place]
    at = NOW + timedelta(seconds=seconds)

    def work(session: Session) -> str | None:
        token = lead or session.get_one(Lead, message.lead_id).token
        link = FollowedLink(lead_token=token, message_id=message.id or 0, target=target)
        visit = Visit(at=at, target=target, agent=agent, headers={})
        return note_click(session, link, visit, now=at)

    return world.database.write(work)


@pytest.fixture
def world(database: Database) -> World:
    world = small_world(database, 3)
    send_all(world)
    return world


def test_a_persons_click_is_on_the_timeline_with_campaign_message_and_page(world: World) -> None:
    assert press(world, 90) == "clicked"
    (event,) = events(world.database, "clicked")
    assert (event.lead_id, event.campaign, event.template) == (1, "hello", "hello")
    assert (event.message_id, event.by) == (first(world).id, "link")
    assert event.at == NOW + timedelta(seconds=90)
    # The browser of a person is nobody's business.
    assert event.data == {"url": SHOP, "seconds_after": 90}
    assert holds(world)


def test_pressing_once_more_within_a_minute_is_one_click(world: World) -> None:
    assert [press(world, second) for second in (90, 90.5, 130)] == ["clicked", None, None]
    assert press(world, 200) == "clicked"
    assert press(world, 205, PRICES) == "clicked"
    assert len(events(world.database, "clicked")) == 3


def test_a_machine_is_told_apart_and_says_why(world: World) -> None:
    assert press(world, 2) == "link_scanned"
    assert press(world, 90, agent="BarracudaSentinel/1.0") == "link_scanned"
    told = [
        (each.data["why"], each.data["agent"]) for each in events(world.database, "link_scanned")
    ]
    assert told == [("soon", FIREFOX), ("agent", "BarracudaSentinel/1.0")]
    assert press(world, 95) == "clicked"
    assert len(events(world.database, "clicked")) == 1


def test_a_later_click_turns_an_earlier_one_of_the_same_sweep(world: World) -> None:
    assert press(world, 40, SHOP) == "clicked"
    assert press(world, 40.3, PRICES) == "link_scanned"
    assert events(world.database, "clicked") == []
    assert [each.data["why"] for each in events(world.database, "link_scanned")] == ["sweep"] * 2
    # Another lead's message is another matter, and so is the person an hour later.
    assert press(world, 40.4, SHOP, place=1) == "clicked"
    assert press(world, 3600, SHOP) == "clicked"


def test_before_the_server_took_the_mail_nobody_reads_it(database: Database) -> None:
    assert press(small_world(database, 1), 3600) == "link_scanned"


def test_following_a_link_settles_doubt(database: Database) -> None:
    world = small_world(database, 1)
    send_all(world, verdict=Verdict.IN_DOUBT)
    assert press(world, 600) == "clicked"
    message = first(world)
    assert (message.state, message.reason) == (State.ACCEPTED, "settled by a click")
    assert press(world, 700, PRICES) == "clicked", "the time counts from when it was handed over"
    assert holds(world)


def test_a_test_mail_and_a_foreign_message_count_for_nobody(world: World) -> None:
    assert press(world, 90, lead="test") is None
    assert press(world, 90, lead=f"{2:016x}") is None
    with world.database.reading() as session:
        kinds = set(session.scalars(select(col(Event.kind))))
    assert kinds == {"sent"}


def test_an_erased_lead_leaves_nothing_of_its_clicks_and_gets_no_new_ones(world: World) -> None:
    press(world, 90, "https://shop.example/?email=anna@firma.example")
    press(world, 95, agent="curl/8.4.0 anna")

    def gone(session: Session) -> None:
        forget(session, [1], now=NOW, by="ewa")
        erase(session, [1], dice=Random(7), at=NOW, by="ewa")

    world.database.write(gone)
    assert press(world, 600) is None
    (clicked,) = events(world.database, "clicked")
    (scanned,) = events(world.database, "link_scanned")
    assert (clicked.data, clicked.by, scanned.data, scanned.by) == ({}, "", {}, "")
    # A sum that is all that is left counts on.
    assert clicked_in_run(world)[0] == 1


def test_a_click_of_a_merged_lead_is_on_the_timeline_of_the_kept_one(world: World) -> None:
    press(world, 90)
    world.database.write(lambda session: merge(session, 2, 1, at=NOW, by="ewa"))
    assert press(world, 90.5) is None, "what moved along is still the same click"
    assert press(world, 300) == "clicked"
    with world.database.reading() as session:
        told = [entry for entry in timeline(session, 2) if entry.kind == "clicked"]
    assert len(told) == 2
    assert holds(world)


def clicked_in_run(world: World) -> tuple[int, int, tuple[tuple[str, int], ...]]:
    with world.database.reading() as session:
        found = clicked_in(session, require_run(session, "hello"))
    return found.leads, found.scanned, found.links


def test_results_count_leads_and_machines_apart(world: World) -> None:
    with world.database.reading() as session:
        assert not clicked_in(session, require_run(session, "hello")).tracked
    for place, second, target in ((0, 90, SHOP), (0, 200, PRICES), (1, 90, SHOP), (2, 2, SHOP)):
        press(world, second, target, place=place)
    assert clicked_in_run(world) == (2, 1, ((SHOP, 2), (PRICES, 1)))


def test_rules_about_clicks_see_people_and_not_machines(world: World) -> None:
    press(world, 2, place=0)
    press(world, 90, place=1)
    press(world, 90, place=2)
    press(world, 600, PRICES, place=2)
    expected = {
        'clicked "hello" within 14 days': [2, 3],
        "clicked any": [2, 3],
        "clicked any at least 2 times in 30 days": [3],
        'not clicked "hello"': [1],
        'clicked "other"': [],
    }
    now = NOW + timedelta(days=1)
    for text, leads in expected.items():
        found = select(col(Lead.id)).where(where(parse(text), now=now, zone=ZONE))
        with world.database.reading() as session:
            assert list(session.scalars(found.order_by(col(Lead.id)))) == leads, text
