"""Killed at any boundary and started again: everything goes on, nothing is done twice."""

import pytest

from bot.domain import commands as c
from bot.domain.refusals import Refused
from tests.delivery.bases import InMemory, on_database
from tests.delivery.stories import check_after_kill, play
from tests.delivery.world import Clock, Fatal, Process, World
from tests.support.databases import Databases


async def calm() -> tuple[World, list[str]]:
    """Return the world after an undisturbed play, and the boundaries it went through."""
    clock, world, fault = Clock(), World(), Fatal()
    await play(InMemory(clock), world, clock, fault)
    return world, fault.boundaries


def first_and_last_of_each(boundaries: list[str]) -> list[int]:
    """Return where each kind of boundary comes first and last, counted from 1."""
    first = {name: n for n, name in reversed(list(enumerate(boundaries, 1)))}
    last = {name: n for n, name in enumerate(boundaries, 1)}
    return sorted({*first.values(), *last.values()})


async def test_killed_at_any_boundary_everything_goes_on_and_nothing_happens_twice() -> None:
    undisturbed, boundaries = await calm()
    assert {"commit:before", "commit:after", "call:open_room:before", "call:page_pager:after"} <= set(boundaries)
    for n in range(1, len(boundaries) + 1):
        clock, world, fault = Clock(), World(), Fatal(n)
        base = InMemory(clock)
        await play(base, world, clock, fault)
        await check_after_kill(base, world, undisturbed, fault)


@pytest.mark.kill
async def test_killed_on_a_database_everything_goes_on_and_nothing_happens_twice(databases: Databases) -> None:
    """In memory every boundary is tried; here the first and the last of each kind."""
    undisturbed, boundaries = await calm()
    for n in first_and_last_of_each(boundaries):
        clock, world, fault = Clock(), World(), Fatal(n)
        url = databases.migrated()
        async with on_database(url, clock) as base:
            await play(base, world, clock, fault)
            await check_after_kill(base, world, undisturbed, fault)
        databases.drop(url)


async def test_a_command_asked_again_after_a_kill_gets_the_answer_it_had(clock: Clock) -> None:
    base, fault = InMemory(clock), Fatal(2)  # commit:after: written, but nobody was told
    async with Process(base.store, base.outbox, World(), clock, fault=fault) as bot:

        async def ask() -> None:
            await bot.declare(id="cmd-1")

        assert not await bot.survive(ask())
    async with Process(base.store, base.outbox, World(), clock) as bot:
        assert await bot.declare(id="cmd-1") == 1
        with pytest.raises(Refused):
            await bot.act(2, c.Acknowledge())
    assert list(base.store.tables.incidents) == [1]
