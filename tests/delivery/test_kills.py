"""Killed at any boundary and started again: everything goes on, nothing is done twice."""

from collections.abc import Awaitable, Callable

import pytest

from bot.domain import commands as c
from bot.domain.refusals import Refused
from tests.delivery.world import Clock, Fatal, Process, World
from tests.support.memory import OVER, MemoryStore

Person = Callable[[Process], Awaitable[None]]
"""What somebody does, patiently: asks again, with the same command id, until there is an answer."""


async def declares(bot: Process) -> None:
    await bot.declare(id="cmd-1", service="checkout", severity="sev1")
    await bot.step()


async def updates(bot: Process) -> None:
    await bot.act(1, c.PostUpdate("we are looking"), id="cmd-2")
    await bot.step()


async def acknowledges(bot: Process) -> None:
    await bot.act(1, c.Acknowledge(), id="cmd-3")
    await bot.step()


async def resolves(bot: Process) -> None:
    await bot.act(1, c.Resolve("rolled back"), id="cmd-4")
    await bot.step()


STORY: tuple[Person, ...] = (declares, updates, acknowledges, resolves)


async def play(store: MemoryStore, world: World, clock: Clock, fault: Fatal) -> None:
    """Play the story; where the process dies, the next one begins a little later with what was not answered."""
    acts, lives = list(STORY), 0
    while acts:
        lives += 1
        async with Process(store, store, world, clock, name=f"life {lives}", fault=fault) as bot:

            async def live(bot: Process = bot) -> None:
                while acts:
                    await acts[0](bot)
                    acts.pop(0)
                await bot.settle_down(clock)

            if await bot.survive(live()):
                return
        fault = Fatal()
        clock.step(11)


def told(world: World) -> list[tuple[str, str]]:
    """What people and vendors saw, but for live messages: how often those are redrawn depends on the time."""
    return [(kind, key.partition(" ")[2]) for kind, key in sorted(world.seen) if not kind.startswith("show_")]


async def test_killed_at_any_boundary_everything_goes_on_and_nothing_happens_twice() -> None:
    clock, calm = Clock(), World()
    undisturbed = Fatal()
    await play(MemoryStore(clock), calm, clock, undisturbed)
    assert {"commit:before", "commit:after", "call:open_room:before", "call:page_pager:after"} <= set(
        undisturbed.boundaries
    )
    for n in range(1, len(undisturbed.boundaries) + 1):
        clock, world, fault = Clock(), World(), Fatal(n)
        store = MemoryStore(clock)
        await play(store, world, clock, fault)
        where = f"killed at {n}: {fault.boundaries[-1]}"
        assert fault.died.is_set(), where
        assert len(world.seen) == len(set(world.seen)), where
        assert told(world) == told(calm), where
        assert all(row.state in OVER for row in store.tables.effects.values()), where
        state = store.tables.incidents[1]
        assert (state.status, state.acknowledged_by, state.failed) == ("resolved", "U0000001", {}), where
        types = [item.event.type for item in store.tables.events[1]]
        assert types.count("update_posted") == types.count("acknowledged") == types.count("resolved") == 1, where
        shown = {name: message.shown for name, message in state.messages.items()}
        assert set(shown) == {"card", "announcement", "draft"}, where


async def test_a_command_asked_again_after_a_kill_gets_the_answer_it_had(store: MemoryStore, clock: Clock) -> None:
    fault = Fatal(2)  # commit:after: written, but nobody was told
    async with Process(store, store, World(), clock, fault=fault) as bot:

        async def ask() -> None:
            await bot.declare(id="cmd-1")

        assert not await bot.survive(ask())
    async with Process(store, store, World(), clock) as bot:
        assert await bot.declare(id="cmd-1") == 1
        with pytest.raises(Refused):
            await bot.act(2, c.Acknowledge())
    assert list(store.tables.incidents) == [1]
