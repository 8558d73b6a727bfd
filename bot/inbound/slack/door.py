"""Slack's door: built once, opened and closed with the process. HTTP and Socket Mode lead to the same counter."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbound.slack.bolt import build_app
from bot.inbound.slack.counter import SECONDS_FOR_CALLS, Counter
from bot.inbound.slack.directory import SlackDirectory
from bot.inbound.slack.homes import OpenHomes
from bot.inbound.slack.http import Handler, build_handler
from bot.inbound.slack.refill import Refill
from bot.inbound.slack.rooms import Rooms
from bot.inbound.slack.socket import Socket
from bot.inbound.slack.tasks import Tasks
from bot.ports.observer import Observer, Unobserved
from bot.ports.reader import Reader
from bot.ports.refills import Refills
from bot.ports.stop import LANDED_BY, Stop
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.usecases.committer import Committer
from bot.usecases.desk import Desk
from bot.usecases.precedence import Precedence

log = structlog.get_logger()


class SlackDoor:
    """`async with` it; give `http_handler` to the web server, or call `start_socket`."""

    def __init__(self, counter: Counter, refills: Refills, bot_token: str, signing_secret: str) -> None:
        self._counter = counter
        self.app = build_app(counter, bot_token)
        self.http_handler: Handler | None = build_handler(self.app, counter, signing_secret) if signing_secret else None
        """Signed HTTP delivery; None without a signing secret, which Socket Mode does not need."""
        self._socket: Socket | None = None
        self._connecting: asyncio.Task[Any] | None = None
        self.refill = Refill(counter, refills)

    @property
    def is_connected(self) -> bool:
        """True while the socket is up: for health."""
        session = self._socket.client.current_session if self._socket else None
        return session is not None and not session.closed

    async def start_socket(self, app_token: str) -> None:
        """Connect by Socket Mode, in the background: Slack may be away for now, the rest of us need not be."""
        self._socket = Socket(self._counter, self.app, app_token, web_client=self._counter.client)
        self._socket.client.message_listeners.append(self._greeted)
        self._connecting = asyncio.create_task(_connect(self._socket), name="socket mode")

    async def connected(self, patience: float) -> bool:
        """Wait until the socket is up, at most `patience` seconds; return whether it is."""
        if self._connecting is not None:
            await asyncio.wait({self._connecting}, timeout=patience)
        return self.is_connected

    async def _greeted(self, client: Any, message: dict[str, Any], raw: str | None = None) -> None:
        """Slack says hello on each connection: there may have been a silence before it."""
        if message.get("type") == "hello":
            self.refill.start()

    async def stop_socket(self) -> None:
        """Close the socket, so that Slack sends the next envelope to another replica; look for no gaps any more."""
        await self.refill.stop()
        if self._connecting is not None:
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
            self._connecting = None
        if self._socket is not None:
            await self._socket.close_gently()
            self._socket = None

    async def __aenter__(self) -> "SlackDoor":
        return self

    async def __aexit__(self, *_: object) -> None:
        """First let nothing more in, then finish what is under way, in the time that the stop has."""
        await self.stop_socket()
        if self._counter.homes is not None:
            self._counter.homes.close()
        await self._counter.tasks.finish(self._counter.stop.left(LANDED_BY))


async def _connect(socket: Socket) -> None:
    """Connect, trying until it works: the library keeps at it."""
    await socket.connect_async()  # type: ignore[no-untyped-call]  # the library's


def web_client(bot_token: str, http: aiohttp.ClientSession, api_url: str | None = None) -> AsyncWebClient:
    """Return a client on the shared session that never repeats a call by itself (its retries repeat posts)."""
    return AsyncWebClient(
        token=bot_token,
        base_url=api_url or AsyncWebClient.BASE_URL,
        session=http,
        timeout=SECONDS_FOR_CALLS,
        retry_handlers=[],
    )


def build_slack(
    *,
    bot_token: str,
    signing_secret: str,
    client: AsyncWebClient,
    http: aiohttp.ClientSession,
    desk: Desk,
    reader: Reader,
    refills: Refills,
    committer: Committer,
    texts: Texts,
    renderer: Renderer,
    tasks: Tasks | None = None,
    patience: float = 2.0,
    observer: Observer | None = None,
    homes: OpenHomes | None = None,
    precedence: Precedence | None = None,
    message_link: Callable[[str], str] = lambda place: "",
    stop: Stop | None = None,
) -> SlackDoor:
    """Return Slack's door. `patience` is how many seconds a commit may take before the asker hears that it is late."""
    rooms = Rooms(reader)
    committer.on_commit.append(rooms.forget_misses)
    if homes is not None:
        committer.on_commit.append(homes.changed)
    counter = Counter(
        desk=desk,
        submit=committer,
        reader=reader,
        rooms=rooms,
        texts=texts,
        renderer=renderer,
        policy=desk.policy,
        client=client,
        http=http,
        tasks=tasks or Tasks(),
        patience=patience,
        observer=observer or Unobserved(),
        homes=homes,
        precedence=precedence or Precedence(),
        message_link=message_link,
        stop=stop or Stop(),
    )
    return SlackDoor(counter, refills, bot_token, signing_secret)


__all__ = ["SlackDirectory", "SlackDoor", "build_slack", "web_client"]
