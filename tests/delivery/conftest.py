"""A clock, a world, and the in-memory twin of the database."""

import pytest

from tests.delivery.world import Clock, World
from tests.support.memory import MemoryStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(clock: Clock, world: World) -> MemoryStore:
    return MemoryStore(clock, {kind: kind for kind in world.registry()})
