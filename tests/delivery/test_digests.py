"""Killed anywhere around a digest, the process that follows tells everything once and in order."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from tests.delivery.bases import Base, InMemory, on_database
from tests.delivery.world import Clock, Fatal, Process, World, transient

TASKS = 5
TOLD = ["task_added"] * TASKS + ["resolved", "task_done"]


async def outage(base: Base, world: World, clock: Clock) -> None:
    """People work for half an hour while nothing gets out."""
    async with Process(base.store, base.outbox, world, clock, name="before") as bot:
        number = await bot.declare()
        await bot.settle_down(clock, until=timedelta(minutes=1))
        world.always.update(dict.fromkeys(world.registry(), transient()))
        for n in range(TASKS):
            await bot.act(number, c.AddTask(f"task {n}"))
        await bot.act(number, c.Resolve("over"))
        await bot.act(number, c.CompleteTask(1))
        await bot.step()
        clock.step(30 * 60)
        await bot.step()
    world.always.clear()
    clock.step(60)


async def aftermath(base: Base, world: World, clock: Clock, fault: Fatal) -> None:
    """Slack is back; where the process dies, the next one goes on."""
    while True:
        async with Process(base.store, base.outbox, world, clock, name=f"{clock.now}", fault=fault) as bot:
            if await bot.survive(bot.settle_down(clock, until=timedelta(minutes=5))):
                return
        fault = Fatal()
        clock.step(11)
        await base.end_leases()


async def boundaries() -> int:
    """How many there are in an undisturbed run."""
    world, clock, fault = World(), Clock(), Fatal()
    base = InMemory(clock)
    await outage(base, world, clock)
    await aftermath(base, world, clock, fault)
    assert [len(ids) for ids in world.digests] == [TASKS]
    return len(fault.boundaries)


async def check(base: Base, world: World, clock: Clock, n: int) -> None:
    """Kill at boundary `n`, and look at what was told."""
    await outage(base, world, clock)
    fault = Fatal(n)
    await aftermath(base, world, clock, fault)
    where = f"killed at {n}: {fault.boundaries[-1]}"
    assert fault.died.is_set(), where
    assert world.texts() == TOLD, where
    assert len(world.seen) == len(set(world.seen)), where
    assert [len(ids) for ids in world.digests] == [TASKS], where
    assert await base.unfinished(1) == [], where


async def test_wherever_it_is_killed_the_digest_is_told_once() -> None:
    for n in range(1, await boundaries() + 1):
        clock = Clock()
        await check(InMemory(clock), World(), clock, n)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_in_the_call_on_a_database(database_url: str, when: str) -> None:
    """The call is the one place where the world may know more than we do."""
    world, clock = World(), Clock()
    async with on_database(database_url, clock) as base:
        await outage(base, world, clock)
        await aftermath(base, world, clock, _Call(when))
        assert world.texts() == TOLD
        assert [len(ids) for ids in world.digests] == [TASKS]
        assert await base.unfinished(1) == []


class _Call(Fatal):
    """Kills at the first call that tells something in the channel."""

    def __init__(self, when: str) -> None:
        super().__init__()
        self._at = f"call:tell:{when}"

    def __call__(self, boundary: str) -> None:
        if boundary == self._at:
            self._n = len(self.boundaries) + 1
        super().__call__(boundary)
