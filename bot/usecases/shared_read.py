"""One read for all who ask at the same time: forty declarations look at what is open once or twice, not forty times."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """Shares `read` among those who ask meanwhile. Nobody gets what was read before they asked."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Return what is so now. Raises what the read raises, to everybody who shares it."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running), name="shared read")
            self._next.add_done_callback(_seen)
        return await asyncio.shield(self._next)  # one who goes away does not end it for the others

    async def _after(self, earlier: asyncio.Task[T] | None) -> T:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._running, self._next = asyncio.current_task(), None
        return await self._read()


def _seen(task: "asyncio.Task[T]") -> None:
    """Should everybody have gone away, nobody needs to hear that it failed."""
    if not task.cancelled():
        task.exception()
