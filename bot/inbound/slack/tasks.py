"""What goes on after an answer was sent: every task has an owner, which awaits it before the process ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

SECONDS_TO_FINISH: Final = 10.0


class Tasks:
    """Keeps tasks alive, and awaits them when it closes."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run `work` beside everything else."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def finish(self) -> None:
        """Await what runs; what takes longer than 10 s is cancelled."""
        while self._running:
            _, late = await asyncio.wait(self._running, timeout=SECONDS_TO_FINISH)
            for task in late:
                task.cancel()
