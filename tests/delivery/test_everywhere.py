"""The stories, in memory and on both databases."""

import pytest

from tests.delivery.bases import InMemory, on_database
from tests.delivery.stories import STORIES, Story
from tests.delivery.world import Clock, World

EACH = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)


@EACH
async def test_in_memory(story: Story, world: World, clock: Clock) -> None:
    await story(InMemory(clock), world, clock)


@EACH
async def test_on_a_database(story: Story, world: World, clock: Clock, database_url: str) -> None:
    async with on_database(database_url, clock) as base:
        await story(base, world, clock)
