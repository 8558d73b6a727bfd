"""Which channel belongs to which incident: remembered, because every message in the workspace asks."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

REMEMBERED: Final = 10_000
MISS_SECONDS: Final = 5.0
"""How long "no incident's channel" is believed: another replica may open one at any time."""
_ID: Final = re.compile(r"[A-Za-z0-9]{1,30}")
"""A null byte, for one, is nothing that a database can look for."""


class FindsIncidents(Protocol):
    """The reader, as far as it is needed here."""

    async def incident_of_channel(self, channel: str) -> int | None: ...


class Rooms:
    """A small cache. A channel once an incident's stays so; misses are forgotten soon, and on each commit here."""

    def __init__(self, reader: FindsIncidents, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._monotonic = monotonic
        self._hits: OrderedDict[str, int] = OrderedDict()
        self._misses: OrderedDict[str, float] = OrderedDict()
        self._asked: dict[str, asyncio.Task[int | None]] = {}

    def forget_misses(self) -> None:
        """Call it after each commit."""
        self._misses.clear()

    async def incident(self, channel: str) -> int | None:
        """Return the incident of `channel`, or None. Direct messages belong to none, nor does what is no id at all."""
        if not _ID.fullmatch(channel) or channel.startswith("D"):
            return None
        if channel in self._hits:
            return self._hits[channel]
        if self._monotonic() - self._misses.get(channel, -MISS_SECONDS) < MISS_SECONDS:
            return None
        number = await self._ask(channel)
        if number is None:
            self._misses[channel] = self._monotonic()
        else:
            self._hits[channel] = number
        for remembered in (self._hits, self._misses):
            while len(remembered) > REMEMBERED:
                remembered.popitem(last=False)
        return number

    async def _ask(self, channel: str) -> int | None:
        """Ask the reader, once for all who want to know it at the same time."""
        asking = self._asked.get(channel)
        if asking is None:
            asking = self._asked[channel] = asyncio.create_task(self._reader.incident_of_channel(channel))
            asking.add_done_callback(lambda asked: self._answered(channel, asked))
        return await asyncio.shield(asking)

    def _answered(self, channel: str, asked: asyncio.Task[int | None]) -> None:
        del self._asked[channel]
        if not asked.cancelled():
            asked.exception()  # seen, also if whoever asked has gone away
