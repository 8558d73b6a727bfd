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

    async def finish(self, within: float = SECONDS_TO_FINISH) -> None:
        """Await what runs, and what that starts; what takes longer than `within` seconds in all is cancelled."""
        try:
            async with asyncio.timeout(within):
                while self._running:
                    await asyncio.wait(self._running)
        except TimeoutError:
            await self.drop()

    async def drop(self) -> None:
        """Cancel what runs."""
        late = list(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
