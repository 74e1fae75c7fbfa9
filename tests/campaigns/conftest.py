"""Worlds that several files look at."""

import pytest

from console.database import Database
from tests.campaigns.answering import send_all
from tests.campaigns.world import World, small_world


@pytest.fixture
def sent(database: Database) -> World:
    """Five leads, five mails out."""
    world = small_world(database, 5)
    send_all(world)
    assert world.states() == {"accepted": 5}
    return world
