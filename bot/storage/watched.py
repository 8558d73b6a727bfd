"""Writing, and remembering whether it could be done: a database that answers reads may still refuse every change."""

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from bot.ports.store import Conflict, Unavailable
from bot.storage.backend import Backend, T

FRESH: Final = 5.0
"""Seconds for which a refusal counts, even if another change was taken since: one lock may stop only some of them."""


class WatchedWrites:
    """Writes through `backend`. `monotonic` counts seconds."""

    def __init__(self, backend: Backend, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._monotonic = monotonic
        self._reason = ""
        self._refused_at = 0.0
        self._taken_since = True

    @property
    def trouble(self) -> str:
        """Why changes are refused, or were within the last few seconds; empty if they are not.

        The runner claims each second, so this is known without anybody asking for anything.
        """
        if not self._reason or (self._taken_since and self._monotonic() - self._refused_at > FRESH):
            return ""
        return self._reason

    async def write(self, work: Callable[[Connection], T], *, announce: bool = True) -> T:
        """See Backend."""
        try:
            result = await self._backend.write(work, announce=announce)
        except Unavailable as exc:
            self._reason, self._refused_at, self._taken_since = str(exc), self._monotonic(), False
            raise
        except Conflict:
            self._taken_since = True  # it said no to this one, and would have taken another
            raise
        self._taken_since = True
        return result
