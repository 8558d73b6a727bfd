"""The runner: claims what may run, carries it out side by side, rings due timers; starts the next level at once.

The table is the queue (DESIGN, section 4). `run_due` is a stepper: it does all there is to do at the given time and
returns when it is needed again, so a fake clock can walk through a night. Inside `async with` a task of the runner's
own steps whenever it is woken: by a commit, by the database, by the ticker.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from bot.delivery.carrier import CALL_TIMEOUT, LEASE, SETTLE_PAUSE, Carrier, Times
from bot.delivery.worker import is_gone
from bot.domain.policy import Policy
from bot.ports.clock import Clock
from bot.ports.delivery import Registry
from bot.ports.fault import Fault, no_fault
from bot.ports.observer import Observer, Unobserved
from bot.ports.store import DueTimer, Outbox, Superseded, Unavailable
from bot.usecases.cases import Ring
from bot.usecases.committer import Committer

CONCURRENCY: Final = 64
"""Effects in flight at once; a whole level of several incidents, well under a connection pool's size."""
STOP_WITHIN: Final = 8.5
"""Seconds that a clean stop waits for what is in flight: longer than a call may take, and with the rest under ten."""
LOOK_AGAIN: Final = timedelta(seconds=1)
"""When the database did not answer."""
TIMERS_EVERY: Final = timedelta(seconds=0.5)
"""While effects are in flight, timers are looked at no more often: a cascade pays for no needless round trip."""
TIMERS_AT_ONCE: Final = 64

log = structlog.get_logger()


class Runner:
    """Delivers for this process. Any number of runners may share one database."""

    def __init__(
        self,
        outbox: Outbox,
        committer: Committer,
        registry: Registry,
        clock: Clock,
        *,
        worker_id: str,
        policy: Callable[[], Policy],
        concurrency: int = CONCURRENCY,
        lease: float = LEASE,
        call_timeout: float = CALL_TIMEOUT,
        settle_pause: float = SETTLE_PAUSE,
        stop_within: float = STOP_WITHIN,
        gone: Callable[[str], bool] = is_gone,
        fault: Fault = no_fault,
        spread: Callable[[], float] = random.random,
        observer: Observer | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._committer = committer
        self._clock = clock
        self._worker = worker_id
        self._policy = policy
        self._concurrency = concurrency
        self._stop_within = stop_within
        self._gone = gone
        self._monotonic = monotonic
        self._observer = observer or Unobserved()
        self._carrier = Carrier(
            outbox,
            committer,
            registry,
            clock,
            policy=policy,
            spread=spread,
            times=Times(lease, call_timeout, settle_pause),
            fault=fault,
            observer=self._observer,
            monotonic=monotonic,
        )
        self._flying: set[asyncio.Task[bool]] = set()
        self._woken = asyncio.Event()
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.on_idle: list[Callable[[datetime | None], None]] = []
        """Told when all is done, with the time at which the runner is needed again: for the ticker."""

    async def __aenter__(self) -> "Runner":
        await self._take_over()
        self._woken.set()
        self._task = asyncio.create_task(self._run(), name="runner")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Claim nothing more, finish what is in flight, hand the rest back."""
        self._stopping = True
        self.wake()
        if self._task:
            await self._task
        await self._land()
        await self._carrier.close()
        with suppress(Unavailable):  # the leases end by themselves
            await self._outbox.release(self._worker)

    async def _take_over(self) -> None:
        """Hand back what processes held that are gone: no need to wait for the end of their leases."""
        try:
            for worker in await self._outbox.holders():
                if self._gone(worker):
                    log.info("took over from a worker that is gone", worker=worker)
                    await self._outbox.release(worker)
        except Unavailable as exc:  # the leases end by themselves
            log.warning("cannot look for what was left behind", error=str(exc))

    def wake(self) -> None:
        """There may be something to do. Cheap; call it after every commit, from the event loop."""
        self._woken.set()

    async def run_due(self) -> datetime | None:
        """Do everything that is due, level after level. Return when the runner is needed next (None: no idea).

        What becomes ripe while effects are in flight is started beside them, not after them.
        """
        while not self._stopping:
            self._woken.clear()
            idle = not self._flying
            started = await self._start_ripe()
            if idle or self._clock() - self._looked_at >= TIMERS_EVERY:
                await self._ring_due()  # while the first calls are on their way
            if self._flying:
                await self._something_happens()
            elif not started and not self._woken.is_set():
                return await self._next_wake()
        return None

    async def _run(self) -> None:
        while not self._stopping:
            try:
                next_at = await self.run_due()
            except Exception:
                # An error nobody foresaw (a driver's, ours): the next wake-up tries again, a second later at most.
                log.exception("runner stumbled")
                self._woken.clear()
            else:
                for told in self.on_idle:
                    told(next_at)
            if not self._stopping:
                await self._woken.wait()

    # --- effects --------------------------------------------------------------------------------------
    async def _start_ripe(self) -> int:
        room = self._concurrency - len(self._flying)
        if room <= 0:
            return 0
        claimed = self._monotonic()
        try:
            jobs = await self._outbox.claim(self._worker, room, self._clock())
        except Unavailable as exc:
            log.warning("cannot claim", error=str(exc))
            return 0
        for job in jobs:
            self._flying.add(asyncio.create_task(self._carrier.carry(job, claimed), name=f"effect {job.id}"))
        return len(jobs)

    async def _something_happens(self) -> bool:
        """Wait for an end of something in flight, or to be woken. Return True if something new may start."""
        was_full = len(self._flying) >= self._concurrency
        woken = asyncio.create_task(self._woken.wait(), name="runner woken")
        try:
            await asyncio.wait({*self._flying, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        unblocked = await self._reap()
        return unblocked or was_full or self._woken.is_set() or self._stopping

    async def _reap(self) -> bool:
        """Take up what has ended; return True if one of them may let another start.

        An error that got this far is no delivery's: it stops the others and goes up.
        """
        ended = [task for task in self._flying if task.done()]
        self._flying -= set(ended)
        errors = [(task.get_name(), task.exception()) for task in ended if not task.cancelled()]
        fatal = None
        for name, error in errors:
            if isinstance(error, Exception):
                log.error("effect not carried", task=name, exc_info=error)
            elif error is not None:
                fatal = error
        if fatal is not None:
            await self._cancel_flying()
            raise fatal
        return any(task.cancelled() or task.exception() or task.result() for task in ended)

    async def _land(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying, timeout=self._stop_within)
        await self._reap()
        await self._cancel_flying()

    async def _cancel_flying(self) -> None:
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        self._flying.clear()

    # --- timers ---------------------------------------------------------------------------------------
    async def _ring_due(self) -> None:
        self._looked_at = self._clock()
        try:
            due = await self._outbox.due_timers(self._looked_at, TIMERS_AT_ONCE)
        except Unavailable as exc:
            log.warning("cannot see the timers", error=str(exc))
            return
        if due:
            # Submitted together: the committer takes them as one batch.
            await asyncio.gather(*(self._ring(timer) for timer in due))

    async def _ring(self, timer: DueTimer) -> None:
        try:
            rang = await self._committer.submit(Ring(timer.incident, timer.kind, timer.due, self._policy()))
        except Superseded:
            return  # another replica was first, or it was cancelled meanwhile
        except Unavailable as exc:
            log.warning("timer not rung", incident=timer.incident, kind=timer.kind, error=str(exc))
        except Exception:
            # One timer that cannot be decided must not keep all the others from ringing; it stays armed and loud.
            log.exception("timer failed", incident=timer.incident, kind=timer.kind)
        else:
            if breached := rang.fields.get("breached"):
                self._observer.breached(breached)
            late = max((self._clock() - timer.due).total_seconds(), 0.0)
            log.info("timer rang", incident=timer.incident, kind=timer.kind, late_ms=round(late * 1000, 1))

    async def _next_wake(self) -> datetime | None:
        try:
            return await self._outbox.next_wake(self._clock())
        except Unavailable:
            return self._clock() + LOOK_AGAIN
