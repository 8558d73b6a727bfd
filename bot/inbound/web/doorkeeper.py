"""Who is being answered; and once this process was told to stop, nobody new is let in."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.ports.stop import Stop

ALWAYS_OPEN: Final = frozenset({"/health/live", "/slack/events"})
"""Whether we live has nothing to do with it; and Slack is answered in its own words (`bot/inbound/slack`)."""


class Stopping(Exception):
    """We end in a moment, and take nothing new."""


class Doorkeeper:
    """Stands at the routes that it was shown; others that share the listener are not ours to close."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._routes: frozenset[web.AbstractResource] = frozenset()
        self._inside = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    def guard(self, app: web.Application) -> None:
        """Stand at every route that `app` has by now."""
        self._routes = frozenset(app.router.resources())

    @web.middleware
    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request in. Raises Stopping."""
        if request.match_info.route.resource not in self._routes:
            return await handler(request)
        if self._stop.told and request.path not in ALWAYS_OPEN:
            raise Stopping
        self._inside += 1
        self._nobody.clear()
        try:
            return await handler(request)
        finally:
            self._inside -= 1
            if not self._inside:
                self._nobody.set()

    async def all_answered(self, within: float) -> None:
        """Wait until everybody inside has an answer, for `within` seconds: who has not asked to the end is cut off."""
        try:
            async with asyncio.timeout(within):
                await self._nobody.wait()
        except TimeoutError:
            pass
