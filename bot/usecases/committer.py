"""The one door: every change of anything is a case submitted here, decided in memory and committed in batches.

One transaction for up to 64 cases: load all keys with one SELECT a table, run the cases in order (each sees the
earlier ones), write with one executemany a table, commit, then answer each caller. Why: DESIGN, section 2.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from bot.domain.refusals import Refused
from bot.ports.clock import Clock
from bot.ports.fault import Fault, no_fault
from bot.ports.observer import Observer, Unobserved
from bot.ports.store import Answer, Changes, Claim, Conflict, Keys, Loaded, Store, Superseded, Unavailable

BATCH_MAX = 64
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


@dataclass(slots=True)
class _Waiting:
    case: Case
    answer: asyncio.Future[Answer]


class Committer:
    """Takes cases, commits them in sets, answers each caller after the commit."""

    def __init__(
        self, store: Store, clock: Clock, *, fault: Fault = no_fault, observer: Observer | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._fault = fault
        self._observer = observer or Unobserved()
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.on_commit: list[Wake] = []
        """Told after each commit."""
        self.on_work: list[Wake] = []
        """Told after a commit that gives delivery something to do or something to wait for."""

    async def __aenter__(self) -> "Committer":
        self._task = asyncio.create_task(self._work(), name="committer")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish what is queued, then stop."""
        self._closing = True
        await self._queue.join()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def submit(self, case: Case) -> Answer:
        """Return the answer once the case is committed.

        Raises Refused (nothing changed), Superseded (a claim was lost), or Unavailable (not saved: say so).
        """
        if self._closing:
            raise Unavailable("shutting down")
        waiting = _Waiting(case, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await asyncio.shield(waiting.answer)

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_MAX and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._commit(batch)
            except Conflict:
                for one in batch:
                    await self._commit_alone(one)
            except Exception as exc:
                self._fail(batch, exc)
            finally:
                for _ in batch:
                    self._queue.task_done()

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
        keys = Keys.of_all([*(one.case.keys() for one in batch), repeats])
        claims = [claim for one in batch for claim in one.case.claims()]
        started = time.perf_counter()
        await self._store.transact(keys, claims, work)
        self._observer.committed(len(batch), time.perf_counter() - started)
        self._fault("commit:after")
        for one, outcome in zip(batch, outcomes, strict=True):
            _settle(one, outcome)
        for wake in (*self.on_commit, *(self.on_work if any(_gives_work(one) for one in written) else ())):
            wake()


class Wake(Protocol):
    """Told after each commit, so that delivery starts at once."""

    def __call__(self) -> None: ...


def _gives_work(changes: Changes) -> bool:
    return bool(changes.effects or changes.arm or changes.release or changes.retry)


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
