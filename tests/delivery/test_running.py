"""The runner and the ticker as tasks: woken, told, stopped."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.date import DateTrigger
from structlog.testing import capture_logs

from bot.delivery import ticker as ticking
from bot.delivery.runner import Runner
from bot.delivery.ticker import Tick, Ticker
from bot.ports.clock import utc_now
from bot.ports.delivery import Done, Job, Registry
from bot.ports.stop import Stop
from bot.ports.store import Conflict, Unavailable
from bot.usecases.committer import Committer
from tests.delivery.world import POLICY, START, Clock, Process, World
from tests.support.ears import Ears
from tests.support.memory import MemoryStore


def runner_of(bot: Process, store: MemoryStore, clock: Clock, registry: Registry, **more: Any) -> Runner:
    runner = Runner(
        store,
        bot.committer,
        registry,
        clock,
        worker_id="one",
        policy=lambda: POLICY,
        monotonic=clock.seconds,
        **more,
    )
    bot.committer.on_commit.append(runner.wake)
    return runner


async def test_a_commit_wakes_the_runner_and_it_tells_when_it_is_needed_next(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    idle = asyncio.Event()
    told: list[datetime | None] = []

    def on_idle(at: datetime | None) -> None:
        told.append(at)
        if at:
            idle.set()

    async with Process(store, store, world, clock) as bot:
        runner = runner_of(bot, store, clock, world.registry())
        runner.on_idle.append(on_idle)
        async with runner:
            await bot.declare(severity="sev1")
            await asyncio.wait_for(idle.wait(), 5)
    assert "pin_card" in world.kinds()
    assert told[-1] == START + timedelta(minutes=5) or told[-1] is None, "when nobody leads, it asks"


async def test_a_clean_stop_finishes_what_is_in_flight_and_starts_nothing_more(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    out, answer = asyncio.Event(), asyncio.Event()

    async def slow(job: Job) -> Done:
        out.set()
        await answer.wait()
        return await world.carry(job)

    async with Process(store, store, world, clock) as bot:
        runner = runner_of(bot, store, clock, world.registry(open_room=slow))
        await runner.__aenter__()
        await bot.declare()
        await out.wait()
        stopping = asyncio.ensure_future(runner.__aexit__())
        for _ in range(50):
            await asyncio.sleep(0)
        assert not stopping.done()
        answer.set()
        await stopping
    assert world.kinds() == ["open_room"]
    assert store.tables.incidents[1].room
    assert all(row.state != "claimed" for row in store.tables.effects.values())


async def test_a_call_that_never_ends_does_not_hold_the_stop_up_for_ever(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    out = asyncio.Event()

    async def hangs(job: Job) -> Done:
        out.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with (
        Process(store, store, world, clock) as bot,
        runner_of(bot, store, clock, world.registry(open_room=hangs), landed_by=0.01),
    ):
        await bot.declare()
        await out.wait()
    assert store.tables.effects["1.1.0"].state == "waiting"  # handed back: another replica need not wait for the lease


@pytest.mark.parametrize("trouble", [Unavailable("away"), Conflict("two shows wait"), None])
async def test_what_cannot_be_handed_back_keeps_nobody_from_starting_or_ending(
    store: MemoryStore, world: World, clock: Clock, trouble: Exception | None
) -> None:
    """Its lease ends by itself. None: the database does not answer at all."""

    async def release(worker: str) -> None:
        if trouble is not None:
            raise trouble
        await asyncio.Event().wait()

    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        await store.claim("two", 1, clock())
        store.release = release  # type: ignore[method-assign]
        over = Stop(itertools.count(0, 100).__next__)  # by this clock the time of a stop is up at once
        runner = runner_of(bot, store, clock, world.registry(), gone=lambda _: trouble is not None, stop=over)
        async with asyncio.timeout(5), runner:
            pass
    assert store.tables.effects["1.1.0"].state == "claimed"


async def test_an_error_that_nobody_foresaw_is_logged_and_the_next_wake_up_goes_on(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    claim, stumbled, idle = store.claim, asyncio.Event(), asyncio.Event()

    async def stumbles(*_: object) -> list[Job]:
        stumbled.set()
        raise RuntimeError("a driver's mistake")

    async with Process(store, store, world, clock) as bot:
        runner = runner_of(bot, store, clock, world.registry())
        runner.on_idle.append(lambda at: idle.set() if at else None)
        store.claim = stumbles  # type: ignore[method-assign]
        with capture_logs() as logs:
            async with runner:
                await bot.declare()
                await stumbled.wait()
                store.claim = claim  # type: ignore[method-assign]
                while not idle.is_set():
                    runner.wake()
                    await asyncio.sleep(0)
    assert "runner stumbled" in [line["event"] for line in logs]
    assert "pin_card" in world.kinds()


async def test_every_attempt_is_observed_and_logged_with_its_effect(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    ears = Ears()
    world.fails["open_room"] = [TimeoutError()]
    committer = Committer(store, clock)
    runner = Runner(store, committer, world.registry(), clock, worker_id="one", policy=lambda: POLICY, observer=ears)
    committer.on_commit.append(runner.wake)
    with capture_logs() as logs:
        async with committer:
            bot = Process(store, store, world, clock)
            bot.committer = committer
            await bot.declare(severity="sev1")
            await runner.run_due()
            clock.step(60 * 15 + 3)
            await runner.run_due()
    assert ears.of("delivered")[0] == ("open_room", "retry")
    assert ("open_room", "done") in ears.of("delivered")
    rang = {line["kind"]: line["late_ms"] for line in logs if line["event"] == "timer rang"}
    assert rang == {"role": 603_000, "respond": 3000}
    line = next(line for line in logs if line["event"] == "effect")
    assert {"effect": "1.1.0", "kind": "open_room", "attempt": 1, "outcome": "retry"}.items() <= line.items()
    assert line["took_ms"] >= 0


# --- the ticker -----------------------------------------------------------------------------------
@pytest.fixture
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rings was asked for."""
    monkeypatch.setattr(ticking, "SWEEP_EVERY", 3600)


@pytest.mark.usefixtures("no_sweep")
async def test_the_ticker_rings_at_the_moment_it_was_given() -> None:
    rung = asyncio.Event()
    async with Ticker(rung.set) as ticker:
        ticker.wake_at(utc_now() + timedelta(hours=1))
        ticker.wake_at(utc_now() + timedelta(milliseconds=20))
        await asyncio.wait_for(rung.wait(), 10)


@pytest.mark.usefixtures("no_sweep")
async def test_a_moment_that_has_passed_rings_at_once() -> None:
    rung = asyncio.Event()
    async with Ticker(rung.set) as ticker:
        ticker.wake_at(datetime(2020, 1, 1, tzinfo=UTC))
        await asyncio.wait_for(rung.wait(), 10)


async def test_the_ticker_sweeps_without_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticking, "SWEEP_EVERY", 0.01)
    rings = asyncio.Semaphore(0)
    async with Ticker(rings.release) as ticker:
        ticker.wake_at(None)
        for _ in range(3):
            await asyncio.wait_for(rings.acquire(), 10)


async def test_a_tick_that_fails_is_logged_and_the_others_go_on() -> None:
    ran = asyncio.Event()

    async def breaks() -> None:
        raise RuntimeError("no")

    async def runs() -> None:
        ran.set()

    now = DateTrigger(datetime(2020, 1, 1, tzinfo=UTC))
    with capture_logs() as logs:
        async with Ticker(lambda: None, [Tick("breaks", now, breaks), Tick("runs", now, runs)]):
            await asyncio.wait_for(ran.wait(), 1)
    assert [(line["event"], line["tick"]) for line in logs] == [("tick failed", "breaks")]


async def test_a_tick_that_still_runs_is_ended_with_the_ticker() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Ticker(lambda: None, [Tick("long", DateTrigger(datetime(2020, 1, 1, tzinfo=UTC)), long)]):
        await asyncio.wait_for(started.wait(), 1)
    assert ended.is_set()
