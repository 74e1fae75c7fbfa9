"""Leads kept back until the better variant is known: who, when they go, and with what."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from campaigns import Message, status_of, verify
from campaigns import choosing as choosing_room
from campaigns.chooser import Chooser
from campaigns.choosing import Choice, choice_of, choose, release, settle_choice
from campaigns.errors import NotPossible
from campaigns.feedback import stop_for_reply
from campaigns.runs import cancel, pause
from campaigns.settling import settle, settle_runs
from campaigns.states import State
from campaigns.tables import Run
from console.database import Database, Store
from tests.campaigns.split import (
    BY_HAND,
    GOAL,
    LATER,
    PLAN,
    Heard,
    Standing,
    place,
    replied,
    sample,
    sent,
    sound,
    template,
    turned,
    world,
)
from tests.campaigns.world import (
    ZONE,
    rows,
    the_run,
)
from tests.conftest import NOW


def test_the_draw_says_who_tries_and_who_is_kept_back(database: Database) -> None:
    made = world(database)
    run = the_run(database, made.run_id)
    for row in rows(database, made.run_id):
        assert row.state == ("planned" if place(row) < 5000 else "reserved")
        if row.state == "planned":
            assert template(row, run) == (place(row) >= 2500)
    assert min(made.states().values()) > PLAN
    sound(database, made)
    with database.reading() as session:
        assert sum(made.states().values()) == status_of(session, run).planned


def test_the_rest_gets_the_better_one_with_a_time_of_its_own(database: Database) -> None:
    made = world(database)
    run = the_run(database, made.run_id)
    tried = sample(database, made)
    sent(database, tried)
    short = [each for each in tried if template(each, run)]
    replied(database, short[: PLAN - 1])
    rest = made.states()["reserved"]

    assert turned(database, NOW + timedelta(days=2)) == []
    assert made.states()["reserved"] == rest
    (said,) = turned(database)
    assert said.startswith("campaign hello: short is better: ")
    assert said.endswith(f"the {rest} leads kept back get it")
    assert made.states() == {"accepted": len(tried), "planned": rest}
    for row in rows(database, made.run_id):
        if row.state == "planned":
            assert template(row, run) == 1
            assert row.due_at == LATER
            assert row.expires_at == LATER + timedelta(days=5)
    sound(database, made, but=BY_HAND)
    # Said and done once: whoever looks again changes nothing.
    assert turned(database) == []
    chosen = choice_of(the_run(database, made.run_id))
    assert chosen is not None and (chosen.how, chosen.variant) == ("won", "short")


def test_a_worker_that_died_on_the_way_is_followed_by_one_that_ends_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing_room, "PORTION", 7)
    made = world(database)
    tried = sample(database, made)
    sent(database, tried)
    rest = made.states()["reserved"]
    turned(database, turns=3)
    assert 0 < made.states()["planned"] < rest
    turned(database, turns=1000)
    assert made.states() == {"accepted": len(tried), "planned": rest}
    sound(database, made, but=BY_HAND)


@pytest.mark.parametrize("otherwise", ["first", "wait"])
def test_without_a_better_one_the_file_says_what_happens(
    database: Database, otherwise: str
) -> None:
    made = world(database, goal=GOAL | {"otherwise": otherwise})
    sent(database, sample(database, made))
    rest = made.states()["reserved"]
    (said,) = turned(database)
    run = the_run(database, made.run_id)
    assert said.startswith("campaign hello: not decided: ")
    if otherwise == "first":
        assert "get the first variant, hello" in said
        assert made.states()["planned"] == rest
        return
    assert "potok campaigns choose hello VARIANT" in said
    assert made.states()["reserved"] == rest
    database.write(lambda s: settle_runs(s, now=LATER))
    assert the_run(database, made.run_id).state == "running"
    database.write(lambda s: choose(s, "hello", "short", now=LATER, by="ewa"))
    turned(database)
    assert made.states()["planned"] == rest
    assert {template(r, run) for r in rows(database, made.run_id) if r.state == "planned"} == {1}
    sound(database, made, but=BY_HAND)


def test_a_test_that_cannot_reach_its_leads_ends_with_those_there_are(database: Database) -> None:
    made = world(database, leads=PLAN)
    sent(database, sample(database, made))
    (said,) = turned(database)
    assert f"leads instead of the {PLAN} planned for each" in said
    assert "reserved" not in made.states()


def test_a_worker_that_would_end_asks_once_more_and_waits_for_a_verdict_near(
    database: Database,
) -> None:
    made = world(database, leads=PLAN)
    clock = Standing(NOW)
    store = Store(database)

    async def work() -> None:
        chooser = Chooser(store, clock, Heard(), ZONE)
        assert not await chooser.turn()
        assert await chooser.idle(timedelta(days=9))  # nobody knows when: mails are to leave
        sent(database, sample(database, made))
        clock.moment = NOW + timedelta(minutes=40)
        assert not await chooser.idle(timedelta(days=3))
        assert await chooser.idle(timedelta(hours=1))
        # A run that is paused meanwhile keeps nobody waiting.
        database.write(lambda s: pause(s, "hello", reason="wait"))
        clock.moment = LATER
        assert not await chooser.turn()
        assert await chooser.idle(timedelta(days=3))

    try:
        asyncio.run(work())
    finally:
        store.close()


def test_mails_that_are_still_to_leave_keep_the_verdict_open(database: Database) -> None:
    made = world(database, leads=PLAN)
    sent(database, sample(database, made)[1:])
    assert turned(database) == []
    assert made.states()["reserved"]


def test_a_person_chooses_early_once_and_only_what_there_is(database: Database) -> None:
    made = world(database)

    def refused(name: str) -> str:
        with pytest.raises(NotPossible) as error:
            database.write(lambda s: choose(s, "hello", name, now=NOW, by="ewa"))
        return str(error.value)

    assert "no variant 'shrt'; it has hello, short" in refused("shrt")
    waiting = made.states()["reserved"]
    assert database.write(lambda s: choose(s, "hello", "hello", now=NOW, by="ewa")) == waiting
    database.write(lambda s: choose(s, "hello", "hello", now=NOW, by="ewa"))
    assert "has chosen hello already" in refused("short")
    turned(database, NOW)
    assert "reserved" not in made.states()
    sound(database, made)


def test_only_the_first_choice_is_kept(database: Database) -> None:
    made = world(database)
    one, other = (
        Choice(number=number, variant=name, how="won", at=NOW, why="so")
        for number, name in enumerate(("hello", "short"))
    )
    assert database.write(lambda s: settle_choice(s, made.run_id, one))
    assert not database.write(lambda s: settle_choice(s, made.run_id, other))
    assert choice_of(the_run(database, made.run_id)) == one


def test_paused_cancelled_and_answered_mails_do_not_go(database: Database) -> None:
    made = world(database)
    lead = next(r.lead_id for r in rows(database, made.run_id) if r.state == "reserved")
    database.write(lambda s: stop_for_reply(s, lead, "hello", now=NOW))
    assert made.states()["skipped"] == 1
    database.write(lambda s: choose(s, "hello", "short", now=NOW, by="ewa"))
    database.write(lambda s: s.execute(update(Run).values(state="paused")))
    assert database.write(lambda s: release(s, made.run_id, now=NOW, zone=ZONE)) == 0
    database.write(lambda s: cancel(s, "hello", reason="no more"))
    while database.write(lambda s: settle(s, now=NOW))[1]:
        pass
    assert set(made.states()) == {"cancelled", "skipped"}
    sound(database, made)


def test_what_is_kept_back_breaks_nothing_unseen(database: Database) -> None:
    """Each rule of the proof notices when it is broken."""
    made = world(database)
    run = the_run(database, made.run_id)
    tried = sample(database, made)
    wrong: list[tuple[str, Callable[[Session], object]]] = [
        (
            "drawn-variant",
            lambda s: s.execute(
                update(Message)
                .where(col(Message.id) == tried[0].id)
                .values(template_version_id=run.terms["variants"][1 - template(tried[0], run)][0])
            ),
        ),
        (
            "kept-back",
            lambda s: s.execute(
                update(Message).where(col(Message.id) == tried[1].id).values(state=State.RESERVED)
            ),
        ),
    ]
    for name, break_it in wrong:
        database.write(break_it)
        with database.reading() as session:
            assert name in {each.id for each in verify(session, made.run_id)}
