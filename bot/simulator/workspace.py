"""One open workspace: its parts wired once, its tasks owned, its routes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from bot.simulator import seeding
from bot.simulator.control import Control
from bot.simulator.delivery import Courier
from bot.simulator.doors import Doors
from bot.simulator.interactions import Desk
from bot.simulator.people import People
from bot.simulator.settings import WorkspaceSettings
from bot.simulator.socket_mode import Links
from bot.simulator.webapi.gate import Gate
from bot.simulator.world import World

log = logging.getLogger(__name__)


class Workspace:
    """A Slack workspace. Made by `workspace`; add its routes to an application and serve it."""

    def __init__(self, settings: WorkspaceSettings, http: aiohttp.ClientSession) -> None:
        self.world = World(settings)
        seeding.sow(self.world)
        self.control = Control()
        self.links = Links(self.world.app.id, settings.pace)
        self.courier = Courier(self.world, self.links, http)
        self.courier.paused = lambda: self.control.down
        self.desk = Desk(self.world, self.courier)
        self.people = People(self.world, self.desk, self.courier, http)
        self._gate = Gate(self.world, self.links, self.courier, self.control)
        self._doors = Doors(self.world, self.people, self.control, self.links, self._weather)

    def add_routes(self, app: web.Application, *, page: str = "/") -> None:
        """Mount the page (at `page`), its interface and Slack's on an application.

        The application's shutdown closes the sockets, so that the server can stop at once.
        """
        self._doors.add_routes(app, page)
        app.router.add_route("*", "/slack/api/{method}", self._gate.call)
        app.router.add_get("/slack/link", self.links.serve)
        app.router.add_post("/slack/response/{token}", self._gate.respond)
        app.on_shutdown.append(self._hang_up)

    async def _weather(self) -> None:
        """Follow a change of the weather: an outage ends every connection."""
        self.links.refused = self.control.down
        if self.control.down:
            await self.links.close()
        self.courier.wake()

    async def _hang_up(self, _app: web.Application | None = None) -> None:
        self._gate.closing.set()
        await self.links.close()
        await self._doors.close()


@asynccontextmanager
async def workspace(settings: WorkspaceSettings) -> AsyncIterator[Workspace]:
    """Open a workspace: its file, its outgoing connections and its courier; close them all."""
    async with aiohttp.ClientSession() as http:
        opened = Workspace(settings, http)
        running = asyncio.create_task(opened.courier.run(), name="simulator courier")
        running.add_done_callback(_account)
        try:
            yield opened
        finally:
            await opened._hang_up()  # noqa: SLF001 - the same module
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            opened.world.store.close()


def _account(courier: asyncio.Task[None]) -> None:
    """Say so if the courier died: nothing would reach the app any more."""
    if not courier.cancelled() and (error := courier.exception()):
        log.error("the simulator's courier stopped", exc_info=error)
