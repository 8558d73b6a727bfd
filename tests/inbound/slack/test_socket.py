"""Socket Mode leads to the same counter as HTTP, and closes cleanly whether or not Slack is there."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from bot.domain.severity import Severity
from bot.ports import waits
from tests.inbound.slack.conftest import ALICE, FakeSlack, Workspace


class Link:
    """Slack's end of the socket: sends envelopes, keeps what was acknowledged."""

    def __init__(self) -> None:
        self.to_send: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.acks: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        sender = asyncio.create_task(self._send(socket))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.acks.put_nowait(json.loads(message.data))
        sender.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_json(await self.to_send.get())


@pytest.fixture
def link() -> Link:
    return Link()


async def test_a_command_over_the_socket_is_committed_and_acknowledged_with_its_answer(
    workspace: Workspace, slack: FakeSlack, link: Link
) -> None:
    app = web.Application()
    app.router.add_get("/link", link.handle)
    async with TestServer(app) as server:
        slack.answers["apps.connections.open"] = {"url": str(server.make_url("/link")).replace("http", "ws", 1)}
        payload = {
            "command": "/incident", "text": "declare sev1 Down", "user_id": ALICE, "channel_id": "C0GENERAL",
            "team_id": "T1", "trigger_id": "T9", "response_url": workspace.response_url,
        }  # fmt: skip
        envelope = {"type": "slash_commands", "envelope_id": "E1", "accepts_response_payload": True, "payload": payload}
        link.to_send.put_nowait(envelope)
        await workspace.door.start_socket("xapp-of-the-tests")
        ack = await asyncio.wait_for(link.acks.get(), 5)
        assert ack["envelope_id"] == "E1"
        assert "INC-2" in ack["payload"]["text"]
        assert workspace.office.store.tables.incidents[2].severity is Severity.SEV1
        assert workspace.door.is_connected
        await workspace.door.stop_socket()
        assert not workspace.door.is_connected


async def test_no_rate_limit_keeps_the_socket_away_for_longer_than_anybody_means(
    workspace: Workspace, slack: FakeSlack, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would sleep for the 95 years that the header asks for, or stumble over it."""
    monkeypatch.setattr(waits, "WAIT_UNTOLD", 0.001)
    monkeypatch.setattr(waits, "WAIT_MAX", 0.001)
    app = web.Application()
    app.router.add_get("/link", link.handle)
    async with TestServer(app) as server:
        url = str(server.make_url("/link")).replace("http", "ws", 1)
        headers = ["inf", "3000000000"]

        def answer(arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
            limited = {"ok": False, "error": "ratelimited"}
            return web.json_response(limited, headers={"Retry-After": headers.pop()}) if headers else {"url": url}

        slack.answers["apps.connections.open"] = answer
        await workspace.door.start_socket("xapp-of-the-tests")
        assert await workspace.door.connected(5)
        await workspace.door.stop_socket()


async def test_the_door_closes_while_slack_is_away(workspace: Workspace, slack: FakeSlack) -> None:
    slack.errors["apps.connections.open"] = "service_unavailable"
    await workspace.door.start_socket("xapp-of-the-tests")
    await asyncio.wait_for(slack.called.wait(), 5)
    await workspace.door.stop_socket()
    assert not workspace.door.is_connected
