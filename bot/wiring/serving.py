"""`tocsin serve`: the listener, the signals, the order of starting and stopping."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

import structlog
from aiohttp import web

from bot.settings import BadSettings, Settings
from bot.storage import schema
from bot.wiring.house import open_house
from bot.wiring.tools import require_schema

BACKLOG: Final = 1024
"""Connections that may wait to be taken."""
LAST_WORDS: Final = 0.5
"""Seconds for an answer to leave, once everybody who was being answered has one."""
REQUESTS: Final[Mapping[str, Any]] = {"auto_decompress": False, "max_field_size": 64 * 1024}
"""What aiohttp refuses by itself gets a 400 before any door is asked, and PagerDuty drops what gets one: the doors for
alerts decode bodies themselves (`bot/inbound/alerts/bodies.py`), and a line of a header may have so many bytes."""
AT_LAST: Final = 9.5
"""Seconds after the word at which the process ends, whatever still runs in one of its threads."""
log = structlog.get_logger()
_COLLECT: Final = (10_000, 20, 20)
"""Allocations, and younger collections, between two collections. Python's own 700 is meant for small programs."""


def told_to_stop() -> asyncio.Event:
    """Return what SIGTERM or SIGINT sets from now on."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    return told


async def nobody_asks() -> None:
    """Nobody has to be waited for."""


@asynccontextmanager
async def listening(
    app: web.Application, listener: socket.socket, all_answered: Callable[[], Awaitable[None]] = nobody_asks
) -> AsyncIterator[None]:
    """Serve `app` on a socket. At the end wait for `all_answered`: until then whoever comes is refused in words."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=LAST_WORDS, **REQUESTS)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield
        await all_answered()
    finally:
        await runner.cleanup()


@contextmanager
def ending_at_last() -> Iterator[None]:
    """Close within, once told to stop. What nobody can end keeps no process alive: a thread that asks a silent name
    server, the line to a database that is frozen.

    What was accepted is committed by then; what was not handed back is found by whoever takes over, as after a kill.
    """
    status = os.EX_SOFTWARE

    def end() -> None:
        if status != os.EX_OK:
            log.error("not everything could be closed in time", seconds=AT_LAST)
        os._exit(status)

    last = threading.Timer(AT_LAST, end)
    last.daemon = True
    last.start()
    yield
    status = os.EX_OK


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


def _settle_memory() -> None:
    """What stands at the start stays: the collector need not walk through all libraries again and again.

    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


async def run_server(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. Raises BadSettings for what is missing, naming it."""
    env = settings.env
    if env.slack_bot_token is None:
        raise BadSettings("SLACK_BOT_TOKEN is not set; the README says how to get one, `tocsin demo` needs none")
    if env.slack_app_token is None and env.slack_signing_secret is None:
        raise BadSettings("set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)")
    told = told_to_stop()
    await require_schema(schema, env.database_url.get_secret_value())
    listener = open_listener(env.host, env.port)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(settings))
        await stack.enter_async_context(listening(house.app, listener, house.all_answered))
        await stack.enter_async_context(house.working())
        port = listener.getsockname()[1]
        mode = "Socket Mode" if env.slack_app_token else f"HTTP, at {settings.public_url}/slack/events"
        _settle_memory()
        say(f"Tocsin serves at http://{env.host}:{port}/ – Slack by {mode}")
        await told.wait()
        with ending_at_last():
            house.stop.tell()
            await stack.aclose()
