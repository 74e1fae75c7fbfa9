"""Those who get nothing: drawn by chance, the same each time, and told apart in the results."""

from datetime import timedelta
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update
from sqlmodel import Session, col

from campaigns import Message, compare, read_definition, verify
from campaigns.errors import DefinitionError
from campaigns.holdout import effect
from console.database import Database
from leads import Event
from segments import place_of
from tests.campaigns.world import add_leads, apply_campaign, rows, small_world, start, the_run
from tests.conftest import NOW


def _draw(lead_id: int) -> int:
    return (lead_id * 48271) % 2147483647


def _held(database: Database, run_id: int) -> set[int]:
    return {each.lead_id for each in rows(database, run_id) if each.reason == "held_out"}


def test_the_share_gets_nothing_and_its_rows_say_so(database: Database) -> None:
    database.write(lambda s: add_leads(s, 1000))
    database.write(lambda s: apply_campaign(s, holdout=0.1))
    world = start(database, size=300)
    held = _held(database, world.run_id)
    by_hand = {n for n in range(1, 1001) if place_of(_draw(n), "holdout/hello") < 1000}
    assert held == by_hand
    assert 60 < len(held) < 140
    assert world.states() == {"planned": 1000 - len(held), "skipped": len(held)}
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_who_is_held_out_is_held_out_again(database: Database) -> None:
    database.write(lambda s: add_leads(s, 200))
    database.write(lambda s: apply_campaign(s, holdout=0.2))
    first = start(database)
    database.write(lambda s: _settle(s, first.run_id))
    again = start(database, token="ba9876543210", now=NOW + timedelta(days=1), again=True)
    assert again.run_id != first.run_id
    assert _held(database, again.run_id) == _held(database, first.run_id)


def test_without_the_key_nobody_is_held_out(database: Database) -> None:
    world = small_world(database, 100)
    assert world.states() == {"planned": 100}
    with database.reading() as session:
        assert compare(session, the_run(database, world.run_id)).held_out == 0


@pytest.mark.parametrize("wrong", [-0.1, 0.6, 1, True, "5%", 0.00001])
def test_a_share_that_is_none_is_refused(wrong: object) -> None:
    data = {"segment": "a", "template": "b", "identity": "c", "holdout": wrong}
    with pytest.raises(DefinitionError, match=r"campaigns/x\.toml: holdout is the share"):
        read_definition("x", data)


def _settle(session: Session, run_id: int) -> None:
    session.execute(
        update(Message)
        .where(col(Message.run_id) == run_id, col(Message.state) == "planned")
        .values(state="accepted", settled_at=NOW)
    )
    from campaigns.tables import Run

    session.execute(update(Run).where(col(Run.id) == run_id).values(state="finished"))


def test_the_results_put_both_groups_side_by_side(database: Database) -> None:
    database.write(lambda s: add_leads(s, 400))
    database.write(lambda s: apply_campaign(s, holdout=0.25))
    world = start(database)
    database.write(lambda s: _settle(s, world.run_id))
    held = _held(database, world.run_id)
    others = [n for n in range(1, 401) if n not in held]
    moves = [(n, 1) for n in others[:60]] + [(n, 2) for n in sorted(held)[:5]]
    moves += [(others[0], 3), (others[70], -5)]  # once more, and before the start

    def move(session: Session) -> None:
        session.execute(
            insert(Event),
            [
                {
                    "lead_id": lead,
                    "at": NOW + timedelta(hours=hours),
                    "kind": "stage",
                    "data": {"from": "demo", "to": "won"},
                    "by": "test",
                }
                for lead, hours in moves
            ],
        )

    database.write(move)
    with database.reading() as session:
        found = compare(session, the_run(database, world.run_id))
    assert (found.written, found.held_out) == (len(others), len(held))
    [won] = found.effects
    assert (won.stage, won.written, won.held_out) == ("won", 60, 5)
    assert isclose(won.difference, 60 / len(others) - 5 / len(held))
    assert won.low < won.difference < won.high


def test_the_interval_is_newcombes() -> None:
    # Newcombe 1998, table II, example (a): 56/70 - 48/80 lies between 0.0524 and 0.3339.
    found = effect("won", 56, 70, 48, 80)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_difference_lies_in_its_interval(first: int, second: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, first)), data.draw(st.integers(0, second))
    found = effect("won", a, first, b, second)
    assert -1 - 1e-9 <= found.low <= found.difference <= found.high <= 1 + 1e-9
