"""From the declaration to the last bookmark: complete, in order, and in three round trips."""

import asyncio
from collections import Counter

from bot.domain import commands as c
from tests.delivery.world import Clock, Process, World
from tests.support.memory import OVER, MemoryStore


async def test_a_declaration_leads_to_everything_and_each_thing_once(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
    done = Counter(world.kinds())
    assert done["open_room"] == done["post_card"] == done["invite"] == done["pin_card"] == 1
    assert done["post_announcement"] == done["post_draft"] == done["bookmark"] == 1
    assert len(world.seen) == len(set(world.seen))
    assert all(row.state in OVER for row in store.tables.effects.values())
    state = store.tables.incidents[number]
    assert state.room
    assert state.room.channel == f"C{number}"
    assert set(state.messages) == {"card", "announcement", "draft"}


class RoundTrips:
    """Every call waits for the next round trip; rounds are counted, not timed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: list[asyncio.Future[None]] = []
        self.rounds = 0
        self.ended_in: dict[str, int] = {}
        world.latency = self._call

    async def _call(self) -> None:
        gate = asyncio.get_running_loop().create_future()
        self._waiting.append(gate)
        await gate

    async def run(self, task: asyncio.Future[object]) -> None:
        while not task.done():
            for _ in range(200):  # let everything that can go on without an answer go on
                await asyncio.sleep(0)
            if not self._waiting:
                continue
            self.rounds += 1
            gates, self._waiting = self._waiting, []
            before = len(self._world.seen)
            for gate in gates:
                gate.set_result(None)
            for _ in range(3):
                await asyncio.sleep(0)
            for kind in self._world.kinds()[before:]:
                self.ended_in.setdefault(kind, self.rounds)


async def test_the_card_stands_after_two_round_trips_and_everything_after_three(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    trips = RoundTrips(world)
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        await trips.run(asyncio.ensure_future(bot.step()))
    assert trips.ended_in["open_room"] == 1
    assert trips.ended_in["post_card"] == trips.ended_in["invite"] == trips.ended_in["post_announcement"] == 2
    assert trips.ended_in["pin_card"] == trips.ended_in["bookmark"] == trips.ended_in["post_draft"] == 3
    assert trips.rounds == 3


async def test_a_slow_sibling_does_not_hold_the_next_level_up(store: MemoryStore, world: World, clock: Clock) -> None:
    release = asyncio.Event()

    async def slow(job: object) -> object:
        await release.wait()
        return await world.carry(job)  # type: ignore[arg-type]

    registry = world.registry(post_announcement=slow)  # type: ignore[arg-type]
    async with Process(store, store, world, clock, registry=registry) as bot:
        await bot.declare()
        stepping = asyncio.ensure_future(bot.step())
        for _ in range(500):
            await asyncio.sleep(0)
        assert "pin_card" in world.kinds()
        assert "post_announcement" not in world.kinds()
        release.set()
        await stepping
    assert world.kinds().count("post_announcement") == 1


async def test_one_claim_and_few_commits_serve_a_whole_level(store: MemoryStore, world: World, clock: Clock) -> None:
    trips = RoundTrips(world)
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        await trips.run(asyncio.ensure_future(bot.step()))
    assert store.commits <= 1 + 2 * trips.rounds
    assert store.claims <= 1 + 3 * trips.rounds


async def test_messages_of_one_channel_go_out_in_the_order_of_the_log(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.fails["tell"] = [ConnectionError("a mistake of a handler")]
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        for n in range(5):
            await bot.act(number, c.PostUpdate(f"update {n}"))
        await bot.act(number, c.Acknowledge())
        await bot.step()
        assert world.texts() == []
        await bot.settle_down(clock)
    assert world.texts() == ["update_posted"] * 5 + ["acknowledged"]
    ids = [key.split()[0] for kind, key in world.seen if kind == "tell"]
    assert ids == sorted(ids, key=lambda id_: [int(part) for part in id_.split(".")])


async def test_messages_wait_for_the_card_so_that_the_channel_begins_with_it(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.act(number, c.PostUpdate("early"))
        await bot.step()
    assert world.kinds().index("post_card") < world.kinds().index("tell")


async def test_what_is_shown_is_brought_up_to_date_once_for_many_changes(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        world.seen.clear()
        for n in range(20):
            await bot.act(number, c.PostUpdate(f"update {n}"))
        await bot.step()
    cards = [key for kind, key in world.seen if kind == "show_message" and key.endswith("card")]
    assert len(cards) == 1
    shown = [job.state.seq for job in world.jobs if job.effect.kind == "show_message"]
    assert shown[-1] == store.tables.incidents[number].seq
