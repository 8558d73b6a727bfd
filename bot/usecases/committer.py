"""The one door: every change of anything is a case submitted here, decided in memory and committed in batches.

One transaction for up to 256 cases: load all keys with one SELECT a table, run the cases in order (each sees the
earlier ones), write with one executemany a table, commit, then answer each caller. Why: docs/adr/0002.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from bot.domain.refusals import Refused
from bot.domain.severity import Severity
from bot.ports.clock import Clock
from bot.ports.fault import Fault, no_fault
from bot.ports.observer import Observer, Unobserved
from bot.ports.stop import ENDED_BY, LET_GO_BY, Stop
from bot.ports.store import Answer, Changes, Claim, Conflict, Keys, Loaded, Store, Superseded, Unavailable

BATCH_MAX = 256
"""Cases in one transaction."""
ALERTS_MAX = 2000
"""Alerts in one transaction, unless one case alone brings more: a flood must not take longer than a commit may."""
log = structlog.get_logger()


class Case(Protocol):
    """One thing to do: which keys it needs, and a pure `run` over what was loaded."""

    @property
    def command_id(self) -> str:
        """Kept with the answer for 72 h; a repeat gets the stored answer. Empty: not kept."""
        ...

    def keys(self) -> Keys: ...

    def claims(self) -> Sequence[Claim]: ...

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Raises Refused or Superseded, having changed nothing."""
        ...


class Submits(Protocol):
    """The committer, as those see it who only hand cases in."""

    async def submit(self, case: Case) -> Answer:
        """Return the answer once the case is committed. Raises Refused, Superseded or Unavailable."""
        ...


@dataclass(slots=True)
class _Waiting:
    case: Case
    keys: Keys
    answer: asyncio.Future[Answer]


class Committer:
    """Takes cases, commits them in sets, answers each caller after the commit."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        fault: Fault = no_fault,
        observer: Observer | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._fault = fault
        self._observer = observer or Unobserved()
        self._stop = stop or Stop()
        self._queue: deque[_Waiting] = deque()
        self._batch: Sequence[_Waiting] = ()
        self._filled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._out_of_time = False
        self.on_commit: list[Wake] = []
        """Told after each commit."""
        self.on_work: list[Wake] = []
        """Told after a commit that gives delivery something to do or something to wait for."""
        self.on_urgent: list[Wake] = []
        """Told before that, after a commit that gives delivery something to do for a SEV1."""

    async def __aenter__(self) -> "Committer":
        self._task = asyncio.create_task(self._work(), name="committer")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish what is queued, then stop. What is not begun in the time that the stop has is refused."""
        self._closing = True
        self._filled.set()
        if self._task:
            await asyncio.wait({self._task}, timeout=self._stop.left(ENDED_BY))
            self._out_of_time = True
            await asyncio.wait({self._task}, timeout=self._stop.left(LET_GO_BY))
            if not self._task.cancel():
                await self._task
            self._fail([*self._batch, *self._queue], Unavailable("shutting down"))

    async def submit(self, case: Case) -> Answer:
        """Return the answer once the case is committed.

        Raises Refused (nothing changed), Superseded (a claim was lost), or Unavailable (not saved: say so).
        """
        if self._closing:
            raise Unavailable("shutting down")
        waiting = _Waiting(case, case.keys(), asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._filled.set()
        return await waiting.answer  # whoever goes away cancels the answer, not the case

    async def _work(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._filled.clear()
                await self._filled.wait()
                continue
            self._batch = batch = self._next_batch()
            try:
                await self._commit(batch)
            except Conflict:
                for one in batch:
                    await self._commit_alone(one)
            except Exception as exc:
                self._fail(batch, exc)

    def _next_batch(self) -> list[_Waiting]:
        """Take the first that wait, in order: as many as fit into one transaction, and at least one."""
        batch = [self._queue.popleft()]
        alerts = len(batch[0].keys.fingerprints)
        while self._queue and len(batch) < BATCH_MAX:
            alerts += len(self._queue[0].keys.fingerprints)
            if alerts > ALERTS_MAX:
                break
            batch.append(self._queue.popleft())
        return batch

    async def _commit_alone(self, one: _Waiting) -> None:
        try:
            await self._commit([one])
        except Exception as exc:
            self._fail([one], exc)

    def _fail(self, batch: Iterable[_Waiting], exc: Exception) -> None:
        if not isinstance(exc, Unavailable | Conflict):
            log.exception("commit failed", error=repr(exc))
        error = exc if isinstance(exc, Unavailable) else Unavailable(f"not saved: {type(exc).__name__}")
        for one in batch:
            _settle(one, error)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        if self._out_of_time:
            raise Unavailable("shutting down")
        outcomes: list[Answer | Exception] = []
        written: list[Changes] = []

        def work(loaded: Loaded) -> list[Changes]:
            outcomes.clear()
            written.clear()
            for one in batch:
                outcome = _run(one.case, loaded, self._clock())
                if isinstance(outcome, Changes):
                    loaded.apply(outcome)
                    written.append(outcome)
                    outcomes.append(outcome.answer)
                else:
                    outcomes.append(outcome)
            self._fault("commit:before")
            return written

        repeats = Keys(commands=frozenset(one.case.command_id for one in batch if one.case.command_id))
        keys = Keys.of_all([*(one.keys for one in batch), repeats])
        claims = [claim for one in batch for claim in one.case.claims()]
        started = time.perf_counter()
        await self._store.transact(keys, claims, work)
        self._observer.committed(len(batch), time.perf_counter() - started)
        self._fault("commit:after")
        for one, outcome in zip(batch, outcomes, strict=True):
            _settle(one, outcome)
        wakes = list(self.on_commit)
        if any(_gives_work(one) for one in written):
            wakes += [*(self.on_urgent if any(_is_urgent(one) for one in written) else ()), *self.on_work]
        for wake in wakes:
            wake()


class Wake(Protocol):
    """Told after each commit, so that delivery starts at once."""

    def __call__(self) -> None: ...


def _gives_work(changes: Changes) -> bool:
    return bool(changes.effects or changes.arm or changes.release or changes.retry)


def _is_urgent(changes: Changes) -> bool:
    return any(new.rank == Severity.SEV1.rank for new in changes.effects)


def _run(case: Case, loaded: Loaded, now: datetime) -> Changes | Answer | Exception:
    if case.command_id and (stored := loaded.answers.get(case.command_id)):
        return stored
    try:
        return case.run(loaded, now)
    except (Refused, Superseded) as exc:
        return exc
    except Exception as exc:
        log.exception("case failed", case=type(case).__name__)
        return exc


def _settle(one: _Waiting, outcome: Answer | Exception) -> None:
    if one.answer.done():
        return
    if isinstance(outcome, Exception):
        one.answer.set_exception(outcome)
        one.answer.exception()  # mark as seen: a caller that went away must not make the loop complain
    else:
        one.answer.set_result(outcome)
