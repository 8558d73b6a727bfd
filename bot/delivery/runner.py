"""The runner: claims what may run, carries it out side by side, rings due timers; starts the next level at once.

The table is the queue (docs/adr/0004). `run_due` is a stepper: it does all there is to do at the given time and
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

from bot.delivery.carrier import USUAL, Carrier, Times
from bot.delivery.worker import is_gone
from bot.domain.policy import Policy
from bot.ports.clock import Clock
from bot.ports.delivery import Registry
from bot.ports.fault import Fault, no_fault
from bot.ports.observer import Observer, Unobserved
from bot.ports.stop import ENDED_BY, LANDED_BY, Stop
from bot.ports.store import Conflict, DueTimer, Outbox, Superseded, Unavailable
from bot.usecases.committer import Committer
from bot.usecases.precedence import Precedence
from bot.usecases.settling import Ring

CONCURRENCY: Final = 160
"""Effects in flight at once: a whole level of twenty incidents."""
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
        times: Times = USUAL,
        stop: Stop | None = None,
        landed_by: float = LANDED_BY,
        gone: Callable[[str], bool] = is_gone,
        fault: Fault = no_fault,
        spread: Callable[[], float] = random.random,
        observer: Observer | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        precedence: Precedence | None = None,
    ) -> None:
        self._outbox = outbox
        self._committer = committer
        self._clock = clock
        self._worker = worker_id
        self._policy = policy
        self._concurrency = concurrency
        self._stop = stop or Stop()
        self._landed_by = landed_by
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
            times=times,
            fault=fault,
            observer=self._observer,
            monotonic=monotonic,
        )
        self._precedence = precedence or Precedence()
        self._urgent = False
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
        """Claim nothing more, finish what is in flight, hand the rest back: all in the time that the stop has."""
        self.claim_no_more()
        if self._task:
            await asyncio.wait({self._task}, timeout=self._stop.left(self._landed_by))
            if self._task.cancel():  # the database keeps it waiting
                await asyncio.gather(self._task, return_exceptions=True)
            else:
                await self._task
        await self._land()
        with suppress(Unavailable, Conflict, TimeoutError):  # the leases end by themselves
            async with asyncio.timeout(self._stop.left(ENDED_BY)):
                await self._outbox.release(self._worker)

    def claim_no_more(self) -> None:
        """Begin nothing new; what is in flight goes on."""
        self._stopping = True
        self.wake()

    async def _take_over(self) -> None:
        """Hand back what processes held that are gone: no need to wait for the end of their leases."""
        try:
            for worker in await self._outbox.holders():
                if self._gone(worker):
                    log.info("took over from a worker that is gone", worker=worker)
                    await self._outbox.release(worker)
        except (Unavailable, Conflict) as exc:  # the leases end by themselves
            log.warning("cannot look for what was left behind", error=str(exc))

    def wake(self) -> None:
        """There may be something to do. Cheap; call it after every commit, from the event loop."""
        self._woken.set()

    def hurry(self) -> None:
        """There is something to do for a SEV1: the next claim lets nobody pass. As cheap as `wake`."""
        self._urgent = True
        self._woken.set()

    async def run_due(self) -> datetime | None:
        """Do everything that is due, level after level. Return when the runner is needed next (None: no idea).

        What becomes ripe while effects are in flight is started beside them, not after them.
        """
        while not self._stopping:
            self._woken.clear()
            if not self._urgent:
                await self._precedence.let_pass()
            self._urgent = False
            started = await self._start_ripe()
            if not self._flying or self._clock() - self._looked_at >= TIMERS_EVERY:
                await self._ring_due()  # while the first calls are on their way
                await self._look_due()
            if self._flying:
                await self._until_more_may_start()
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

    async def _until_more_may_start(self) -> None:
        """Wait while what ends lets nothing new start: most of a cascade's calls do not, and a claim costs as much."""
        while self._flying and not await self._something_happens():
            if self._clock() - self._looked_at >= TIMERS_EVERY:
                return

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
            await asyncio.wait(self._flying, timeout=self._stop.left(self._landed_by))
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
            if missed := rang.fields.get("missed"):
                self._observer.missed(missed)
            late = max((self._clock() - timer.due).total_seconds(), 0.0)
            log.info("timer rang", incident=timer.incident, kind=timer.kind, late_ms=round(late * 1000, 1))

    async def _look_due(self) -> None:
        for look in await self._carrier.copies.due():
            self._flying.add(asyncio.create_task(look, name="a look for late copies"))

    async def _next_wake(self) -> datetime | None:
        try:
            known = (await self._outbox.next_wake(self._clock()), self._carrier.copies.needed_at())
        except Unavailable:
            return self._clock() + LOOK_AGAIN
        return min((moment for moment in known if moment is not None), default=None)
