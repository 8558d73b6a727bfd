"""Socket Mode: the app's own WebSocket connections, and envelopes down them.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
from typing import Any

from aiohttp import WSMsgType, web

from bot.simulator import limits
from bot.simulator.settings import Pace
from bot.simulator.store import Json


class LinkLost(Exception):
    """The connection closed before the app acknowledged."""


class Links:
    """The open connections of the app; an envelope goes to one of them, by chance."""

    def __init__(self, app_id: str, pace: Pace) -> None:
        self._app_id = app_id
        self._pace = pace
        self._tickets: set[str] = set()
        self._open: dict[web.WebSocketResponse, set[str]] = {}
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._opened = asyncio.Event()
        self._chance = random.Random()  # noqa: S311 - Slack's choice is no secret
        self.refused = False

    @property
    def connected(self) -> int:
        """How many connections stand."""
        return len(self._standing)

    @property
    def _standing(self) -> list[web.WebSocketResponse]:
        return [socket for socket in self._open if not socket.closed]

    def ticket(self) -> str:
        """Return a new ticket; it opens one connection."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection until either side closes it."""
        ticket = request.query.get("ticket", "")
        if self.refused:
            raise web.HTTPServiceUnavailable
        if ticket not in self._tickets or self.connected >= limits.LINKS:
            raise web.HTTPForbidden(text="no such ticket, or too many connections")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=30.0)
        await socket.prepare(request)
        self._open[socket] = set()
        try:
            await socket.send_json(self._hello())
            self._opened.set()
            async with asyncio.TaskGroup() as group:
                ageing = group.create_task(self._age(socket))
                await self._listen(socket)
                ageing.cancel()
        except ConnectionError:
            pass  # the app hung up; its envelopes are failed below
        finally:
            for envelope_id in self._open.pop(socket):
                self._fail(envelope_id)
        return socket

    def _hello(self) -> Json:
        debug = {"host": "applink-1", "build_number": 42}
        return {
            "type": "hello",
            "num_connections": self.connected,
            "debug_info": debug | {"approximate_connection_time": int(self._pace.link_life)},
            "connection_info": {"app_id": self._app_id},
        }

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                said = json.loads(frame.data)
            except ValueError:
                continue  # the SDK's own text pings; Slack ignores what it cannot read
            answer = self._answers.get(str(said.get("envelope_id")))
            if answer is not None and not answer.done():
                payload = said.get("payload")
                answer.set_result(payload if isinstance(payload, dict) else {})

    async def _age(self, socket: web.WebSocketResponse) -> None:
        await asyncio.sleep(max(0.0, self._pace.link_life - self._pace.link_warning))
        await self._bye(socket, "warning")
        await asyncio.sleep(self._pace.link_warning)
        await self._bye(socket, "refresh_requested")
        await socket.close()

    async def _bye(self, socket: web.WebSocketResponse, reason: str) -> None:
        frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
        with contextlib.suppress(ConnectionError):  # the app hung up first
            await socket.send_json(frame)

    def _fail(self, envelope_id: str) -> None:
        answer = self._answers.get(envelope_id)
        if answer is not None and not answer.done():
            answer.set_exception(LinkLost())

    async def send(self, kind: str, payload: Json, *, answers: bool, **more: Any) -> Json:
        """Send an envelope and return the payload of its acknowledgement.

        Raises TimeoutError when the app is silent, LinkLost when the connection ends first.
        """
        socket = self._chance.choice(self._standing)
        envelope_id = secrets.token_hex(16)
        envelope: Json = {"envelope_id": envelope_id, "payload": payload, "type": kind}
        envelope |= {"accepts_response_payload": answers, **more}
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._answers[envelope_id] = answer
        self._open[socket].add(envelope_id)
        try:
            async with asyncio.timeout(self._pace.acknowledge_within):
                await socket.send_json(envelope)
                return await answer
        except (ConnectionError, RuntimeError) as gone:
            raise LinkLost from gone
        finally:
            del self._answers[envelope_id]
            self._open.get(socket, set()).discard(envelope_id)

    async def wait(self) -> None:
        """Wait for the next connection to be opened."""
        self._opened.clear()
        await self._opened.wait()

    async def refresh(self) -> None:
        """Ask every connection to make place for a new one, as Slack does now and then."""
        for socket in list(self._open):
            await self._bye(socket, "refresh_requested")
            await socket.close()

    async def close(self) -> None:
        """Close every connection."""
        self._tickets.clear()
        for socket in list(self._open):
            await socket.close(code=1001)
