"""The bell: APScheduler, in memory, in every replica. It only rings; nothing that matters lives in it.

Three kinds of ring: the runner's next wake-up, a sweep each second for what nobody told us, and the configured ticks
(housekeeping now). A tick with an effect claims a key of its own, so that N replicas do it once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

SWEEP_EVERY: Final = 1
"""Seconds: a sweep each second, whoever wakes it besides (docs/adr/0004)."""
_DEFAULTS: Final = {
    "coalesce": True,  # after a pause one ring stands for all that were missed
    "misfire_grace_time": None,  # a late ring is still a ring
    "max_instances": 1,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tick:
    """Something to do regularly. `trigger` is an APScheduler trigger with its zone, `run` must bear repetition."""

    name: str
    trigger: Any
    run: Callable[[], Awaitable[None]]


class Ticker:
    """Rings `ring` (the runner's `wake`) and runs the ticks, between `async with` and its end."""

    def __init__(self, ring: Callable[[], None], ticks: Sequence[Tick] = ()) -> None:
        self._ring = ring
        self._ticks = ticks
        self._running: set[asyncio.Task[Any]] = set()
        self._scheduler: Any = None
        self._next: datetime | None = None

    async def __aenter__(self) -> "Ticker":
        # It logs each ring at INFO: a line a second that tells nobody anything.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=_DEFAULTS)
        self._scheduler.add_job(self._wake, IntervalTrigger(seconds=SWEEP_EVERY, timezone=UTC), id="sweep")
        for tick in self._ticks:
            self._scheduler.add_job(self._run, tick.trigger, args=(tick,), id=f"tick:{tick.name}")
        self._scheduler.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ring no more; end the ticks that run."""
        self._scheduler.shutdown(wait=False)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def wake_at(self, moment: datetime | None) -> None:
        """Ring at `moment` (None: only the sweep), instead of at the moment given before."""
        if moment == self._next:
            return
        self._next = moment
        if moment is not None:
            self._scheduler.add_job(self._wake, DateTrigger(moment, timezone=UTC), id="wake", replace_existing=True)
        elif self._scheduler.get_job("wake"):
            self._scheduler.remove_job("wake")

    async def _wake(self) -> None:
        """A coroutine, since APScheduler runs plain functions in a thread."""
        self._ring()

    async def _run(self, tick: Tick) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
        try:
            await tick.run()
        except Exception:
            # The next ring tries again; one tick's trouble is not the others'.
            log.exception("tick failed", tick=tick.name)
        finally:
            self._running.discard(task)
