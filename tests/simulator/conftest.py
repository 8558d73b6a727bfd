"""A workspace on loopback, an app's client, and a person at its page."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.simulator import Pace, Workspace, WorkspaceSettings, workspace
from tests.conftest import SHARED, SHARED_MISSING

FIXTURES = SHARED / "slack"
SOON = Pace(retry_after=(0.0, 0.02, 0.04))
HURRIED = Pace(retry_after=(0.0, 0.02, 0.04), acknowledge_within=0.1)
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-test", "xapp-test", "a-signing-secret"

MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Tocsin"},
    "features": {
        "bot_user": {"display_name": "tocsin"},
        "app_home": {"home_tab_enabled": True},
        "slash_commands": [
            {
                "command": "/incident",
                "description": "Declare and run incidents",
                "usage_hint": "declare checkout is down",
                "should_escape": True,
            }
        ],
        "shortcuts": [
            {
                "name": "Declare",
                "type": "global",
                "callback_id": "inc.declare",
                "description": "Declare an incident",
            },
            {
                "name": "Add to timeline",
                "type": "message",
                "callback_id": "inc.timeline_add",
                "description": "Keep this message in the timeline",
            },
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read",
                "bookmarks:read",
                "bookmarks:write",
                "channels:history",
                "channels:join",
                "channels:manage",
                "channels:read",
                "chat:write",
                "chat:write.customize",
                "chat:write.public",
                "commands",
                "groups:history",
                "groups:read",
                "groups:write",
                "im:history",
                "im:read",
                "im:write",
                "mpim:read",
                "pins:read",
                "pins:write",
                "reactions:read",
                "reactions:write",
                "team:read",
                "usergroups:read",
                "users:read",
                "users:read.email",
            ]
        }
    },
    "settings": {
        "socket_mode_enabled": True,
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {
            "bot_events": [
                "app_home_opened",
                "app_mention",
                "channel_archive",
                "channel_created",
                "channel_rename",
                "channel_unarchive",
                "member_joined_channel",
                "member_left_channel",
                "message.channels",
                "message.groups",
                "message.im",
                "pin_added",
                "pin_removed",
                "reaction_added",
                "reaction_removed",
            ]
        },
    },
}


def fixture(name: str) -> Any:
    """Read one of the shared Slack fixtures, or skip by name."""
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(SHARED_MISSING)
    return json.loads(path.read_text(encoding="utf-8"))


def named(name: str, request: str) -> dict[str, Any]:
    """Return the payload of one request of a fixture file."""
    return next(r["payload"] for r in fixture(name)["requests"] if r["name"] == request)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.at


class Person:
    """Somebody at the page."""

    def __init__(self, http: aiohttp.ClientSession, base: str, user: str) -> None:
        self._http, self._base, self.id = http, base, user

    async def post(self, act: str, **body: Any) -> dict[str, Any]:
        """Act; return the answer with its status."""
        url = f"{self._base}/simulator/{act}"
        async with self._http.post(url, json={"as": self.id, **body}) as answer:
            return {"status": answer.status, **await answer.json()}

    async def do(self, act: str, **body: Any) -> dict[str, Any]:
        """Act, and insist that it worked."""
        answer = await self.post(act, **body)
        assert answer["ok"], answer
        return answer

    async def get(self, what: str, **query: Any) -> dict[str, Any]:
        """Read."""
        url = f"{self._base}/simulator/{what}"
        async with self._http.get(url, params={"as": self.id, **query}) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def texts(self, channel: str) -> list[str]:
        """Return the texts this person sees in a channel."""
        return [m["text"] for m in (await self.get("messages", channel=channel))["messages"]]

    @asynccontextmanager
    async def live(self, **query: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Watch the news."""
        url = f"{self._base}/simulator/live"
        async with self._http.ws_connect(url, params={"as": self.id, **query}) as page:
            yield page


@dataclass
class Company:
    """One workspace that is served, and its people and app."""

    workspace: Workspace
    base: str
    http: aiohttp.ClientSession
    stack: AsyncExitStack

    @property
    def slack(self) -> AsyncWebClient:
        """The app's real client."""
        return AsyncWebClient(BOT_TOKEN, base_url=f"{self.base}/slack/api/", session=self.http, retry_handlers=[])

    def person(self, user: str = "U0001") -> Person:
        """Somebody who works here."""
        return Person(self.http, self.base, user)

    async def control(self, **wanted: Any) -> None:
        """Set the weather."""
        async with self.http.post(f"{self.base}/simulator/control", json=wanted) as answer:
            assert answer.status == 200, await answer.text()

    async def connect(self, app: AsyncApp) -> AsyncSocketModeHandler:
        """Connect a Bolt app over Socket Mode; it is disconnected with the company."""
        handler = AsyncSocketModeHandler(app, APP_TOKEN, web_client=app.client)
        handler.client.ping_interval = 60
        await handler.connect_async()  # type: ignore[no-untyped-call]
        self.stack.push_async_callback(handler.close_async)
        return handler

    def bolt(self) -> AsyncApp:
        """A real Bolt app of this workspace."""
        return AsyncApp(token=BOT_TOKEN, signing_secret=SECRET, client=self.slack)


async def until(true: Callable[[], bool]) -> None:
    """Let the others work until something is true, for two seconds at most."""
    async with asyncio.timeout(2):
        while not true():  # noqa: ASYNC110 - a witness outside has no event to wait for
            await asyncio.sleep(0.002)


Open = Callable[..., Awaitable[Company]]


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[web.Application], Awaitable[str]]]:
    """Serve applications on loopback."""
    async with AsyncExitStack() as stack:

        async def on_loopback(app: web.Application, port: int = 0) -> str:
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", port or free_port())
            await site.start()
            return site.name

        yield on_loopback


@pytest.fixture
async def found() -> AsyncIterator[Open]:
    """Found companies; each closes at the end of the test."""
    async with AsyncExitStack() as stack:

        async def company(**changes: Any) -> Company:
            port = free_port()
            base = f"http://127.0.0.1:{port}"
            settings = WorkspaceSettings(
                path=":memory:",
                base_url=base,
                bot_token=BOT_TOKEN,
                app_token=APP_TOKEN,
                signing_secret=SECRET,
                manifest=MANIFEST,
                pace=SOON,
            )
            own = await stack.enter_async_context(AsyncExitStack())
            opened = await own.enter_async_context(workspace(replace(settings, **changes)))
            app = web.Application()
            opened.add_routes(app)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            own.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", port).start()
            http = await own.enter_async_context(aiohttp.ClientSession())
            return Company(opened, base, http, own)

        yield company


@pytest.fixture
async def acme(found: Open) -> Company:
    """The seeded company."""
    return await found()
