"""What the open pages are told, in order; a page that was away catches up by number."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from bot.simulator.store import Json

KEPT = 2000


@dataclass(frozen=True)
class News:
    """One thing that happened; `audience` None means everyone."""

    seq: int
    type: str
    body: Json
    audience: frozenset[str] | None

    def concerns(self, user: str) -> bool:
        """Whether this person may know."""
        return self.audience is None or user in self.audience


class Feed:
    """A bounded list of news. Nothing is shown before `release`, which follows the commit."""

    def __init__(self) -> None:
        # Numbers begin at the clock, so that a page from before a restart is told to reload.
        self.seq = int(time.time() * 1000)
        self._first = self.seq
        self._kept: deque[News] = deque(maxlen=KEPT)
        self._waiting: list[tuple[str, Json, frozenset[str] | None]] = []
        self._turn = asyncio.Event()

    def push(self, kind: str, body: Json, audience: frozenset[str] | None) -> None:
        """Add a piece of news for these people."""
        self._waiting.append((kind, body, audience))

    def release(self) -> None:
        """Number what waits and wake the pages."""
        if not self._waiting:
            return
        for kind, body, audience in self._waiting:
            self.seq += 1
            self._kept.append(News(self.seq, kind, body, audience))
        self._waiting.clear()
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    def knows(self, after: int) -> bool:
        """Whether everything after this number is still at hand."""
        oldest = self._kept[0].seq - 1 if self._kept else self._first
        return oldest <= after <= self.seq

    def since(self, after: int) -> Iterator[News]:
        """Yield the news after a number, oldest first."""
        return (news for news in list(self._kept) if news.seq > after)

    async def changed(self, after: int) -> None:
        """Wait until there is news after a number."""
        while self.seq <= after:
            await self._turn.wait()
