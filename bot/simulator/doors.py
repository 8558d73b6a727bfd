"""The page's HTTP and WebSocket doors: PROTOCOL.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.simulator import sight
from bot.simulator.control import Control
from bot.simulator.errors import PersonError
from bot.simulator.feed import News
from bot.simulator.people import People
from bot.simulator.socket_mode import Links
from bot.simulator.store import Json
from bot.simulator.world import World

STATIC = Path(__file__).with_name("static")
PAGE = 50
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Doors:
    """Everything under `/` and `/simulator`."""

    def __init__(
        self,
        world: World,
        people: People,
        control: Control,
        links: Links,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._world = world
        self._people = people
        self._control = control
        self._links = links
        self._changed = changed
        self._pages: set[web.WebSocketResponse] = set()

    def add_routes(self, app: web.Application, page: str) -> None:
        """Mount the doors."""
        app.router.add_get(page, self.page)
        app.router.add_get("/archives/{channel:[A-Z0-9]+}{message:(/p[0-9]+)?}", self.leads_to(page))
        app.router.add_get("/simulator/static/{path:.+}", self.asset)
        app.router.add_get("/simulator/live", self.live)
        for name, handler in {
            "state": self.state,
            "messages": self.messages,
            "thread": self.thread,
            "home": self.home,
            "control": self.control,
            "calls": self.calls,
        }.items():
            app.router.add_get(f"/simulator/{name}", _explained(handler))
        app.router.add_post("/simulator/control", _explained(self.set_control))
        app.router.add_post("/simulator/{act}", _explained(self.act))

    # -- the page ---------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Serve the page."""
        return _file(STATIC / "index.html")

    def leads_to(self, page: str) -> Handler:
        """Return the door of permalinks: the page opens at the channel. Whoever may not see it is told there."""

        async def redirect(request: web.Request) -> web.StreamResponse:
            channel = request.match_info["channel"]
            if channel not in self._world.channels:
                raise web.HTTPNotFound
            raise web.HTTPFound(f"{page}#{channel}")

        return redirect

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """Serve what the page loads."""
        path = (STATIC / request.match_info["path"]).resolve()
        if not path.is_relative_to(STATIC.resolve()):
            raise web.HTTPNotFound
        return _file(path)

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Everything the page needs to start."""
        return web.json_response(sight.state(self._world, self._me(request)))

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """A page of a channel's messages."""
        me = self._me(request)
        channel = self._people.channel(me, request.query)
        said = sight.messages(self._world, channel, me)
        before = request.query.get("before")
        said = [m for m in said if not before or m["ts"] < before]
        limit = request.query.get("limit", "")
        size = min(int(limit), 500) if limit.isdigit() and int(limit) else PAGE
        answer = {"ok": True, "messages": said[-size:], "has_more": len(said) > size}
        return web.json_response(answer)

    async def thread(self, request: web.Request) -> web.StreamResponse:
        """A thread, its parent first."""
        me = self._me(request)
        channel = self._people.channel(me, request.query)
        said = sight.thread(self._world, channel, me, request.query.get("ts", ""))
        return web.json_response({"ok": True, "messages": said})

    async def home(self, request: web.Request) -> web.StreamResponse:
        """App Home; asking is opening."""
        view = await self._people.home(self._me(request))
        return web.json_response({"ok": True, "view": view})

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Something a person does."""
        body = await _body(request)
        return web.json_response(await self._people.act(request.match_info["act"], body))

    def _me(self, request: web.Request) -> str:
        return self._people.person(request.query.get("as"))

    # -- live -------------------------------------------------------------------------------

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Push the news to one page until it leaves."""
        try:
            me = self._me(request)
        except PersonError as refused:
            raise web.HTTPForbidden(text=refused.message) from None
        given = request.query.get("after", "")
        after = int(given) if given.isdigit() else self._world.feed.seq
        page = web.WebSocketResponse(heartbeat=30.0)
        await page.prepare(request)
        self._pages.add(page)
        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell(page, me, after))
                async for _ in page:
                    pass  # the page has nothing to say here: it acts by POST
                telling.cancel()
        finally:
            self._pages.discard(page)
        return page

    async def _tell(self, page: web.WebSocketResponse, me: str, after: int) -> None:
        feed = self._world.feed
        try:
            if not feed.knows(after):
                after = feed.seq
                await page.send_json({"seq": after, "type": "reload"})
            while True:
                for news in feed.since(after):
                    after = news.seq
                    if news.concerns(me) and (told := self._told(news, me)):
                        await page.send_json(told)
                await feed.changed(after)
        except ConnectionError:
            await page.close()

    def _told(self, news: News, me: str) -> Json | None:
        if news.type != "channel":
            return {"seq": news.seq, "type": news.type, **news.body}
        channel = self._world.channels[news.body["channel"]]
        if not self._world.may_see(channel, me):
            return None
        return {"seq": news.seq, "type": "channel", "channel": sight.room(self._world, channel, me)}

    async def close(self) -> None:
        """Close every page's connection."""
        for page in list(self._pages):
            await page.close(code=1001)

    # -- control ----------------------------------------------------------------------------

    async def control(self, request: web.Request) -> web.StreamResponse:
        """The weather."""
        return web.json_response(self._control.shown())

    async def set_control(self, request: web.Request) -> web.StreamResponse:
        """Change the weather."""
        body = await _body(request)
        self._control.set(body)
        if body.get("refresh_links"):
            await self._links.refresh()
        await self._changed()
        return web.json_response({"ok": True, **self._control.shown()})

    async def calls(self, request: web.Request) -> web.StreamResponse:
        """What the app called, in order."""
        given = request.query.get("after", "")
        after = int(given) if given.isdigit() else 0
        made = [asdict(call) for call in self._control.calls if call.n > after]
        return web.json_response({"ok": True, "calls": made})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise PersonError("invalid_json", "The request is not JSON.") from None
    if not isinstance(body, dict):
        raise PersonError("invalid_json", "The request is not a JSON object.")
    return body


def _explained(handler: Handler) -> Handler:
    """Answer a person's error in words."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except PersonError as refused:
            body = {"ok": False, "error": refused.code, "message": refused.message}
            return web.json_response(body, status=refused.status)

    return answer


def _file(path: Path) -> web.StreamResponse:
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
