"""What must be so wherever a bot keeps its things. Each story gets a fresh base, a world and a clock."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.domain import commands as c
from bot.ports.delivery import DeliveryError
from tests.delivery.bases import Base
from tests.delivery.world import Clock, Fatal, Process, World, transient

Story = Callable[[Base, World, Clock], Awaitable[None]]


async def a_declaration_leads_to_everything_once(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.step()
    done = Counter(world.kinds())
    assert done["open_room"] == done["post_card"] == done["invite"] == done["pin_card"] == done["page_pager"] == 1
    assert len(world.seen) == len(set(world.seen))
    assert await base.unfinished(number) == []
    state = await base.state(number)
    assert state.room
    assert set(state.messages) == {"card", "announcement", "draft"}
    assert state.reached["default"] == "sent"


async def messages_keep_the_order_of_the_log_through_failures(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await bot.declare()
        await bot.act(number, c.PostUpdate("early"))
        world.fails["tell"] = [transient(), transient()]
        await bot.step()
        for n in range(3):
            await bot.act(number, c.PostUpdate(f"update {n}"))
        await bot.act(number, c.Acknowledge())
        await bot.settle_down(clock)
    assert world.texts() == ["update_posted"] * 4 + ["acknowledged"]
    assert world.kinds().index("post_card") < world.kinds().index("tell")
    attempts = [job.attempt for job in world.jobs if job.effect.kind == "tell"]
    assert attempts == [1, 2, 3, 1, 1, 1, 1]


async def the_back_off_is_kept_and_a_repeat_knows_that_it_is_one(base: Base, world: World, clock: Clock) -> None:
    world.fails["open_room"] = [transient()]
    async with Process(base.store, base.outbox, world, clock) as bot:
        await bot.declare()
        at = await bot.step()
        assert at == clock.now + timedelta(seconds=0.5)
        clock.step(0.4)
        await bot.step()
        assert world.calls["open_room"] == 1
        clock.step(0.1)
        await bot.step()
    first, second = (job for job in world.jobs if job.effect.kind == "open_room")
    assert (first.id, first.attempt, first.first_at is None) == (second.id, 1, True)
    assert (second.attempt, second.first_at is None) == (2, False)
    assert first.token != second.token


async def a_permanent_failure_is_told_and_can_be_tried_again_by_a_person(
    base: Base, world: World, clock: Clock
) -> None:
    world.fails["page_pager"] = [DeliveryError("no key", permanent=True, mend="set PAGERDUTY_ROUTING_KEY")]
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.step()
        state = await base.state(number)
        assert state.reached["default"] == "failed"
        assert list(state.failed.values()) == ["page pager"]
        assert "page_answered" in world.texts()
        await bot.act(number, c.RetryDelivery())
        await bot.step()
    state = await base.state(number)
    assert (state.reached["default"], state.failed) == ("sent", {})
    assert world.kinds().count("page_pager") == 1


async def a_rate_limit_parks_its_budget_for_everybody(base: Base, world: World, clock: Clock) -> None:
    world.fails["bookmark"] = [DeliveryError("ratelimited", retry_after=30, parks="bookmark")]
    async with Process(base.store, base.outbox, world, clock) as bot:
        await bot.declare()
        await bot.step()
    async with Process(base.store, base.outbox, world, clock, name="another") as bot:
        await bot.declare("Search is down")
        await bot.step()
        assert "bookmark" not in world.kinds()
        assert world.kinds().count("pin_card") == 2
        assert world.calls["bookmark"] == 1
        await bot.settle_down(clock, until=timedelta(minutes=1))
    assert world.kinds().count("bookmark") == 2


async def timers_ring_once_however_many_runners_there_are(base: Base, world: World, clock: Clock) -> None:
    async with (
        Process(base.store, base.outbox, world, clock) as one,
        Process(base.store, base.outbox, world, clock, name="two") as two,
    ):
        numbers = [await one.declare(f"Incident {n}", severity="sev1", service="checkout") for n in range(4)]
        await asyncio.gather(one.step(), two.step())
        clock.step(15 * 60)
        await asyncio.gather(one.step(), two.step())
        await asyncio.gather(one.step(), two.step())
    assert len(world.seen) == len(set(world.seen))
    for number in numbers:
        assert [ev.level for ev in await base.events(number) if ev.type == "response_overdue"] == [1]


async def an_acknowledgement_stops_the_timer_and_what_calls_for_it(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.act(number, c.Acknowledge())
        await bot.settle_down(clock, until=timedelta(hours=3))
    assert not {"page_pager", "tell_user"} & set(world.kinds())
    assert "response_overdue" not in [ev.type for ev in await base.events(number)]


async def who_lost_the_claim_records_nothing(base: Base, world: World, clock: Clock) -> None:
    """A frozen process wakes up after another has taken its effect over."""
    frozen, thawed = asyncio.Event(), asyncio.Event()

    async def freezes() -> None:
        if not frozen.is_set():
            frozen.set()
            await thawed.wait()

    world.latency = freezes
    async with Process(base.store, base.outbox, world, clock) as slow:
        number = await slow.declare()
        stepping = asyncio.ensure_future(slow.step())
        await frozen.wait()
        await base.end_leases()
        async with Process(base.store, base.outbox, world, clock, name="two") as other:
            await other.step()
        assert (await base.state(number)).room
        before = [ev.type for ev in await base.events(number)]
        thawed.set()
        await stepping
    after = [ev.type for ev in await base.events(number)]
    assert after == before


# --- outages ----------------------------------------------------------------------------------------
DOWN = timedelta(minutes=30)


def _goes_down(world: World) -> None:
    world.always.update(dict.fromkeys(world.registry(), transient()))


async def _outage(bot: Process, number: int, clock: Clock, *says: c.Command) -> None:
    """Let people act, a minute apart, and in vain; then half an hour is over."""
    ends = clock.now + DOWN
    for command in says:
        await bot.act(number, command)
        await bot.step()
        clock.step(60)
    clock.now = ends
    await bot.step()


async def _furnished(bot: Process, clock: Clock) -> int:
    number = await bot.declare()
    await bot.settle_down(clock, until=timedelta(minutes=1))
    return number


async def what_waited_through_an_outage_is_told_in_one_message(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await _furnished(bot, clock)
        _goes_down(world)
        await _outage(bot, number, clock, *(c.PostUpdate(f"update {n}") for n in range(10)))
        assert world.texts() == []
        world.always.clear()
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert world.texts().count("update_posted") == 10
    assert [len(ids) for ids in world.digests] == [world.texts().count("update_posted") + _overdue(world)]
    assert world.seen == sorted(set(world.seen), key=world.seen.index)
    assert await base.unfinished(number) == []
    assert (await base.state(number)).failed == {}


def _overdue(world: World) -> int:
    return world.texts().count("update_overdue")


async def what_stands_for_itself_is_told_alone_and_in_its_place(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await _furnished(bot, clock)
        _goes_down(world)
        early, late = [c.PostUpdate(f"early {n}") for n in range(3)], [c.AddTask(f"late {n}") for n in range(4)]
        await _outage(bot, number, clock, *early, c.Resolve("over"), c.Reopen("it is not"), *late)
        world.always.clear()
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert world.texts() == ["update_posted"] * 3 + ["resolved", "reopened"] + ["task_added"] * 4
    assert [len(ids) for ids in world.digests] == [3, 4]


async def two_messages_are_told_one_by_one(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await _furnished(bot, clock)
        _goes_down(world)
        await _outage(bot, number, clock, c.AddTask("one"), c.AddTask("two"))
        world.always.clear()
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert world.texts() == ["task_added"] * 2
    assert world.digests == []


async def a_moment_of_silence_folds_nothing(base: Base, world: World, clock: Clock) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await _furnished(bot, clock)
        world.fails["tell"] = [transient()] * 3
        for n in range(5):
            await bot.act(number, c.PostUpdate(f"update {n}"))
        await bot.settle_down(clock, until=timedelta(minutes=1))
    assert world.texts() == ["update_posted"] * 5
    assert world.digests == []


async def what_waited_for_its_channel_is_told_in_one_message_once_it_exists(
    base: Base, world: World, clock: Clock
) -> None:
    _goes_down(world)
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await bot.declare()
        await _outage(bot, number, clock, *(c.AddTask(f"task {n}") for n in range(5)))
        world.always.clear()
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert world.kinds().index("post_card") < world.kinds().index("tell")
    assert world.texts() == ["task_added"] * 5
    assert [len(ids) for ids in world.digests] == [5]


async def an_answer_that_is_lost_makes_no_second_digest(base: Base, world: World, clock: Clock) -> None:
    """The first digest gets through, unknown to us; more comes to wait before it is tried again."""
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await _furnished(bot, clock)
        _goes_down(world)
        await _outage(bot, number, clock, *(c.AddTask(f"task {n}") for n in range(4)))
        world.always.clear()
        world.lost["tell"] = 1
        clock.step(60)
        await bot.step()
        assert [len(ids) for ids in world.digests] == [4]
        await bot.act(number, c.AddTask("one more"))
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert world.texts() == ["task_added"] * 5
    assert [len(ids) for ids in world.digests] == [4]
    assert len(world.seen) == len(set(world.seen))
    assert await base.unfinished(number) == []


async def a_refused_message_does_not_take_those_with_it_that_were_to_be_told_together(
    base: Base, world: World, clock: Clock
) -> None:
    async with Process(base.store, base.outbox, world, clock) as bot:
        number = await _furnished(bot, clock)
        _goes_down(world)
        await _outage(bot, number, clock, *(c.AddTask(f"task {n}") for n in range(6)))
        world.always.clear()
        world.fails["tell"] = [DeliveryError("invalid_blocks", permanent=True)]
        await bot.settle_down(clock, until=timedelta(minutes=2))
        assert [len(ids) for ids in world.digests] == [5]
        await bot.act(number, c.RetryDelivery())
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert len(world.texts()) == len(set(world.seen) & {mark for mark in world.seen if mark[0] == "tell"}) == 6


# --- kills ----------------------------------------------------------------------------------------
async def _declares(bot: Process) -> None:
    await bot.declare(id="cmd-1", service="checkout", severity="sev1")
    await bot.step()


async def _updates(bot: Process) -> None:
    await bot.act(1, c.PostUpdate("we are looking"), id="cmd-2")
    await bot.step()


async def _acknowledges(bot: Process) -> None:
    await bot.act(1, c.Acknowledge(), id="cmd-3")
    await bot.step()


async def _resolves(bot: Process) -> None:
    await bot.act(1, c.Resolve("rolled back"), id="cmd-4")
    await bot.step()


async def play(base: Base, world: World, clock: Clock, fault: Fatal) -> None:
    """Play an incident; where the process dies, the next one goes on, and people ask again what was not answered."""
    acts, lives = [_declares, _updates, _acknowledges, _resolves], 0
    while True:
        lives += 1
        async with Process(base.store, base.outbox, world, clock, name=f"life {lives}", fault=fault) as bot:

            async def live(bot: Process = bot) -> None:
                while acts:
                    await acts[0](bot)
                    acts.pop(0)
                await bot.settle_down(clock)

            if await bot.survive(live()):
                return
        fault = Fatal()
        clock.step(11)
        await base.end_leases()


def told(world: World) -> list[tuple[str, str]]:
    """What people and vendors saw, but for live messages: how often those are redrawn depends on the time."""
    return [(kind, key.partition(" ")[2]) for kind, key in sorted(world.seen) if not kind.startswith("show_")]


async def check_after_kill(base: Base, world: World, calm: World, fault: Fatal) -> None:
    """Hold what became of a killed story against an undisturbed one."""
    where = f"killed at {len(fault.boundaries)}: {fault.boundaries[-1]}"
    assert fault.died.is_set(), where
    assert len(world.seen) == len(set(world.seen)), where
    assert told(world) == told(calm), where
    assert await base.unfinished(1) == [], where
    state = await base.state(1)
    assert (state.status, state.acknowledged_by, state.failed) == ("resolved", "U0000001", {}), where
    assert set(state.messages) == {"card", "announcement", "draft"}, where
    types = [event.type for event in await base.events(1)]
    for once in ("declared", "room_created", "update_posted", "acknowledged", "resolved"):
        assert types.count(once) == 1, where


STORIES: tuple[Story, ...] = (
    a_declaration_leads_to_everything_once,
    messages_keep_the_order_of_the_log_through_failures,
    the_back_off_is_kept_and_a_repeat_knows_that_it_is_one,
    a_permanent_failure_is_told_and_can_be_tried_again_by_a_person,
    a_rate_limit_parks_its_budget_for_everybody,
    timers_ring_once_however_many_runners_there_are,
    an_acknowledgement_stops_the_timer_and_what_calls_for_it,
    who_lost_the_claim_records_nothing,
    what_waited_through_an_outage_is_told_in_one_message,
    what_stands_for_itself_is_told_alone_and_in_its_place,
    two_messages_are_told_one_by_one,
    a_moment_of_silence_folds_nothing,
    what_waited_for_its_channel_is_told_in_one_message_once_it_exists,
    an_answer_that_is_lost_makes_no_second_digest,
    a_refused_message_does_not_take_those_with_it_that_were_to_be_told_together,
)
