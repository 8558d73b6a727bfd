"""`tocsin serve`: the listener, the signals, the order of starting and stopping."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from bot.settings import BadSettings, Settings
from bot.storage import schema
from bot.wiring.house import open_house
from bot.wiring.tools import require_schema

BACKLOG: Final = 1024
"""Connections that may wait to be taken."""
DRAIN: Final = 8.0
"""Seconds that requests in flight get at a stop; a clean stop ends within 10 s in all."""


async def until_told_to_stop() -> None:
    """Wait for SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


@asynccontextmanager
async def listening(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a socket; at the end take no new connection, finish what is in flight."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=DRAIN)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


def open_listener(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises BadSettings if the address cannot be had."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as stack:
            listener = stack.enter_context(socket.socket(family, kind, proto))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)  # now, or a second process could bind the same port meanwhile
            listener.setblocking(False)
            stack.pop_all()  # it was had: whoever serves on it closes it
    except OSError as exc:
        raise BadSettings(f"cannot listen on {host}:{port}: {exc.strerror}; change TOCSIN_HOST or TOCSIN_PORT") from exc
    return listener


async def run_server(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. Raises BadSettings for what is missing, naming it."""
    env = settings.env
    if env.slack_bot_token is None:
        raise BadSettings("SLACK_BOT_TOKEN is not set; the README says how to get one, `tocsin demo` needs none")
    if env.slack_app_token is None and env.slack_signing_secret is None:
        raise BadSettings("set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)")
    await require_schema(schema, env.database_url.get_secret_value())
    listener = open_listener(env.host, env.port)
    async with open_house(settings) as house, listening(house.app, listener), house.working():
        port = listener.getsockname()[1]
        mode = "Socket Mode" if env.slack_app_token else f"HTTP, at {settings.public_url}/slack/events"
        say(f"Tocsin serves at http://{env.host}:{port}/ – Slack by {mode}")
        await until_told_to_stop()
