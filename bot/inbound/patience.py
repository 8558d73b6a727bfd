"""How long a caller may take to send what it announced."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from aiohttp import web

SENT_WITHIN: Final = 10.0
"""Seconds for a body. aiohttp waits for ever, also for the rest of a body whose encoding broke after the headers."""
T = TypeVar("T")


async def in_time(reading: Awaitable[T], patience: float = SENT_WITHIN) -> T:
    """Return what `reading` a request's body gives. Raises HTTPRequestTimeout (408) after `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            return await reading
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


class Patience:
    """What `asyncio.timeout` does, for very many that wait equally long: one timer for all of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[asyncio.Task[Any], float] = {}
        """Who waits, first come first, and until when by the loop's clock."""
        self._timer: asyncio.TimerHandle | None = None

    async def of(self, waiting: Awaitable[T]) -> T:
        """Return what `waiting` gives. Raises TimeoutError when it takes too long; then `waiting` is cancelled."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        due = self._due[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(due, self._ring)
        try:
            return await waiting
        except asyncio.CancelledError:
            if task not in self._due and task.uncancel() <= 0:
                raise TimeoutError from None
            raise
        finally:
            self._due.pop(task, None)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._due:
            task, due = next(iter(self._due.items()))
            if due > loop.time():
                self._timer = loop.call_at(due, self._ring)
                return
            del self._due[task]
            task.cancel()
