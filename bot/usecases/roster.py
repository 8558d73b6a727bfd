"""Who is on call, kept true in memory: decisions read it with the policy, and never wait for anything.

Overrides are read again when somebody changes them, here or in another replica; PagerDuty's schedules every few
minutes; deactivated accounts when the directory was fetched.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from bot.domain.duty import Calendar
from bot.domain.policy import Policy
from bot.ports.clock import Clock
from bot.ports.reader import Reader
from bot.ports.store import Unavailable

BREATH: Final = 0.5
"""Seconds between two readings: other replicas may commit many times in that."""
KEPT: Final = timedelta(days=100)
"""Overrides that ended since are still looked at: they tell when a shift began."""

log = structlog.get_logger()


class Roster:
    """Puts what is known into `policy`. Between `async with` and its end it listens to `rung`."""

    def __init__(self, reader: Reader, policy: Policy, clock: Clock, *, breath: float = BREATH) -> None:
        self._reader = reader
        self._policy = policy
        self._clock = clock
        self._breath = breath
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.on_change: list[Callable[[], None]] = []
        """Told when it has become different."""

    async def __aenter__(self) -> "Roster":
        self._task = asyncio.create_task(self._listen(), name="roster")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def rung(self) -> None:
        """Another process has committed something. Quick, and never raises."""
        if self._policy.oncall:
            self._bell.set()

    async def refresh(self) -> None:
        """Read the overrides. Raises Unavailable."""
        found = tuple(await self._reader.overrides(self._clock() - KEPT))
        if found != self._policy.duty.overrides:
            self._policy.learn(replace(self._policy.duty, overrides=found))
            self._tell()

    def see_people(self, gone: Collection[str]) -> None:
        """These accounts are deactivated, or are bots."""
        self._policy.learn(replace(self._policy.duty, gone=frozenset(gone)))

    def see_calendars(self, calendars: Mapping[str, Calendar]) -> None:
        """This is what the vendor says, or why it does not."""
        if calendars != self._policy.duty.calendars:
            self._policy.learn(replace(self._policy.duty, calendars=dict(calendars)))
            self._tell()

    def _tell(self) -> None:
        for notice in self.on_change:
            notice()

    async def _listen(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                await self.refresh()
            except Unavailable as exc:
                log.warning("overrides not read", error=str(exc))
                self._bell.set()
            await asyncio.sleep(self._breath)
