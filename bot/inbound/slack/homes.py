"""Whose App Home is open: shown when it is opened, and again while what it shows changes.

https://docs.slack.dev/reference/events/app_home_opened. Slack does not say when somebody looks away, so a Home follows
for an hour. This is known to the process that was told of the opening, and forgotten with it: the next opening mends
that. Nobody is asked anything regularly: commits here and elsewhere tell that something may have changed.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog

from bot.inbound.slack.tasks import Tasks
from bot.ports.clock import Clock
from bot.ports.store import Unavailable
from bot.usecases.committer import Submits
from bot.usecases.home import Homes, ShowHomes
from bot.usecases.queries import Data

log = structlog.get_logger()

FOLLOWED_FOR: Final = timedelta(hours=1)
LOOK_EVERY: Final = 3.0
"""Seconds between two looks at what changed, however much happens."""
FOLLOWED_AT_ONCE: Final = 1000
"""People; who opened theirs the longest ago is forgotten first."""


@dataclass(slots=True)
class OpenHomes:
    """The Homes that were opened here within the last hour, and what they showed."""

    homes: Homes
    submit: Submits
    clock: Clock
    tasks: Tasks
    every: float = LOOK_EVERY
    _open: OrderedDict[str, tuple[datetime, str]] = field(default_factory=OrderedDict)
    """Person → when they opened it, and what it showed then or later."""
    _next: asyncio.TimerHandle | None = None
    _looked_at: float = float("-inf")
    _closed: bool = False

    async def opened(self, user: str, command_id: str = "") -> None:
        """Show it, and follow it from now on. Raises Unavailable.

        What it shows is noted before it is asked for: whatever changes later is then seen as a change.
        """
        shown = _print(await self.homes.of_one(user))
        self._open[user] = (self.clock(), shown)
        self._open.move_to_end(user)
        while len(self._open) > FOLLOWED_AT_ONCE:
            self._open.popitem(last=False)
        await self.submit.submit(ShowHomes((user,), uuid4().hex, command_id))

    def changed(self) -> None:
        """Something was committed, here or elsewhere: look soon, but not more often than `every`."""
        if not self._open or self._next is not None or self._closed:
            return
        loop = asyncio.get_running_loop()
        wait = max(self._looked_at + self.every - loop.time(), 0.0)
        self._next = loop.call_later(wait, self._start)

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _start(self) -> None:
        self._looked_at = asyncio.get_running_loop().time()
        self._next = None
        self.tasks.start(self._look())

    async def _look(self) -> None:
        """Show anew what has changed for those who look."""
        since = self.clock() - FOLLOWED_FOR
        for user in [user for user, (at, _) in self._open.items() if at < since]:
            del self._open[user]
        try:
            found = {user: _print(data) for user, data in (await self.homes.of(list(self._open))).items()}
            changed = tuple(
                user for user, shown in found.items() if user in self._open and self._open[user][1] != shown
            )
            if changed:
                await self.submit.submit(ShowHomes(changed, uuid4().hex))
                for user in changed:
                    self._open[user] = (self._open[user][0], found[user])
        except Unavailable as exc:
            log.warning("homes not brought up to date", error=str(exc))


def _print(data: Data) -> str:
    return json.dumps(data, sort_keys=True, default=str)
