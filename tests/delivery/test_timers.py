"""Timers ring once, escalate, and stop when somebody answers. The night is stepped, not slept."""

import asyncio
from datetime import timedelta

from bot.domain import commands as c
from bot.domain.policy import Policy
from tests.delivery.world import POLICY, START, Clock, Process, World
from tests.support.ears import Ears
from tests.support.memory import MemoryStore

MINUTE = timedelta(minutes=1)


def overdue(store: MemoryStore, number: int) -> list[int]:
    return [e.event.level for e in store.tables.events[number] if e.event.type == "response_overdue"]


async def test_the_next_wake_up_is_the_first_timer_that_runs(store: MemoryStore, world: World, clock: Clock) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(severity="sev1")
        assert await bot.step() == START + 5 * MINUTE, "nobody leads"
        await bot.act(number, c.AssignRole("lead", "U0ANNA"))
        assert await bot.step() == START + 15 * MINUTE, "nobody has acknowledged"


async def test_nothing_rings_a_moment_too_early(store: MemoryStore, world: World, clock: Clock) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(severity="sev1")
        await bot.step()
        clock.step(15 * 60 - 0.001)
        await bot.step()
        assert overdue(store, number) == []
        clock.step(0.001)
        await bot.step()
        assert overdue(store, number) == [1]


async def test_an_unanswered_incident_escalates_level_by_level_and_then_stops(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.settle_down(clock, until=timedelta(hours=3))
    assert overdue(store, number) == list(range(1, len(overdue(store, number)) + 1))
    assert overdue(store, number)
    people = {job.effect.user for job in world.jobs if job.effect.kind == "tell_user"}
    assert people == {"U0000002", "U0000003"}
    assert store.tables.incidents[number].respond_by is None


async def test_a_response_time_that_passed_is_counted_once_and_not_for_private_incidents_or_drills(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    ears, three = Ears(), {name: {"people": [name.upper()]} for name in ("u1", "u2", "u3")}
    policy = Policy.model_validate({"oncall": three})
    async with Process(store, store, world, clock, observer=ears, policy=policy) as bot:
        number = await bot.declare(severity="sev1")
        await bot.declare("Slow", severity="sev2")
        await bot.declare("Secret", severity="sev1", private=True)
        await bot.declare("Practice", severity="sev1", drill=True)
        await bot.settle_down(clock, until=timedelta(hours=3))
    assert overdue(store, number) == [1, 2]
    assert ears.of("breached") == [("sev1",), ("sev2",)]


async def test_an_update_that_did_not_come_is_a_fact_and_counted_and_not_for_private_incidents_or_drills(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    ears = Ears()
    async with Process(store, store, world, clock, observer=ears) as bot:
        number = await bot.declare(severity="sev1")
        await bot.declare("Secret", severity="sev1", private=True)
        await bot.declare("Practice", severity="sev1", drill=True)
        clock.step(31 * 60)
        await bot.step()
        await bot.act(number, c.PostUpdate("We restart it"))
        clock.step(29 * 60)
        await bot.step()
        assert ears.of("missed") == [("sev1",)]
        clock.step(60)
        await bot.step()
    late = [e.event.late_by for e in store.tables.events[number] if e.event.type == "update_overdue"]
    assert late == [60.0, 0.0]
    assert ears.of("missed") == [("sev1",)] * 2


async def test_an_acknowledgement_stops_the_timer_and_ends_the_page(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.step()
        assert world.kinds().count("page_pager") == 1
        await bot.act(number, c.Acknowledge())
        await bot.settle_down(clock, until=timedelta(hours=3))
    assert overdue(store, number) == []
    assert world.kinds().count("page_pager") == 1
    assert world.kinds().count("quiet_pager") == 1


async def test_no_page_leaves_once_the_acknowledgement_is_committed(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.act(number, c.Acknowledge())
        await bot.step()
    assert "page_pager" not in world.kinds()
    assert "tell_user" not in world.kinds()


async def test_a_page_that_was_out_during_the_acknowledgement_is_ended(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    out, acknowledged = asyncio.Event(), asyncio.Event()

    async def slow(job: object) -> object:
        out.set()
        await acknowledged.wait()
        return await world.carry(job)  # type: ignore[arg-type]

    registry = world.registry(page_pager=slow)  # type: ignore[arg-type]
    async with Process(store, store, world, clock, registry=registry) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        stepping = asyncio.ensure_future(bot.step())
        await out.wait()
        await bot.act(number, c.Acknowledge())
        acknowledged.set()
        await stepping
    quiet = [job.effect for job in world.jobs if job.effect.kind == "quiet_pager"]
    assert [(q.target, q.action) for q in quiet] == [("default", "acknowledge")]


async def test_two_runners_ring_a_timer_once_and_do_each_effect_once(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as one, Process(store, store, world, clock, name="two") as two:
        for n in range(10):
            await one.declare(f"Incident {n}", severity="sev1", service="checkout")
        await asyncio.gather(one.step(), two.step())
        clock.step(15 * 60)
        await asyncio.gather(one.step(), two.step())
        await asyncio.gather(one.step(), two.step())
    assert len(world.seen) == len(set(world.seen))
    for number in store.tables.incidents:
        assert overdue(store, number) == [1]


async def test_a_timer_that_was_due_while_nobody_ran_rings_at_once_and_says_how_late(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(severity="sev1")
        await bot.step()
    clock.step(45 * 60)
    async with Process(store, store, world, clock, name="later") as bot:
        await bot.step()
    [late] = [e.event.late_by for e in store.tables.events[number] if e.event.type == "response_overdue"]
    assert late == 30 * 60


async def test_a_timer_rings_while_a_slow_call_is_in_flight(store: MemoryStore, world: World, clock: Clock) -> None:
    answer = asyncio.Event()

    async def slow(job: object) -> object:
        await answer.wait()
        return await world.carry(job)  # type: ignore[arg-type]

    registry = world.registry(bookmark=slow)  # type: ignore[arg-type]
    async with Process(store, store, world, clock, registry=registry) as bot:
        number = await bot.declare(severity="sev1")
        stepping = asyncio.ensure_future(bot.step())
        for _ in range(300):
            await asyncio.sleep(0)
        clock.step(15 * 60)
        bot.runner.wake()  # as the sweep does
        for _ in range(300):
            await asyncio.sleep(0)
        assert overdue(store, number) == [1]
        answer.set()
        await stepping


async def test_a_response_time_of_two_seconds_is_kept(store: MemoryStore, world: World, clock: Clock) -> None:
    policy = type(POLICY).model_validate({"severities": {"sev1": {"respond": "2s"}}})
    async with Process(store, store, world, clock, policy=policy) as bot:
        number = await bot.declare(severity="sev1")
        assert await bot.step() == START + timedelta(seconds=2)
        clock.step(2)
        await bot.step()
    assert overdue(store, number) == [1]
