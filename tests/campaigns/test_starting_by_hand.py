"""A campaign with a schedule that somebody starts by hand."""

import pytest

from campaigns import AlreadyRan
from campaigns.errors import NotPossible
from console.database import Database
from tests.campaigns.starts import LATE, MONDAY, accept_all, arm, newest, runs, turn, waiting
from tests.campaigns.world import start, the_run
from tests.conftest import NOW


def test_by_hand_it_still_starts_once(database: Database) -> None:
    arm(database)
    world = start(database)
    assert the_run(database, world.run_id).occurrence == "once"
    accept_all(database, NOW)
    # The scheduled one then finds nobody who has not had it.
    turn(database, MONDAY)
    assert waiting(database, newest(database)) == 0
    accept_all(database, MONDAY)
    with pytest.raises(AlreadyRan):
        start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE)


def test_by_hand_nobody_is_written_to_who_has_had_it_by_schedule(database: Database) -> None:
    arm(database)
    turn(database, MONDAY)
    with pytest.raises(AlreadyRan, match="--again"):
        start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE)
    with pytest.raises(NotPossible):
        start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE, again=True)
    accept_all(database, MONDAY)
    world = start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE, again=True)
    assert world.states() == {"skipped": 3}


def test_by_hand_answers_an_open_question(database: Database) -> None:
    arm(database)
    turn(database, MONDAY + LATE)
    start(database, now=MONDAY + LATE)
    assert [state for _, state in runs(database)] == ["cancelled", "running"]
