"""`tocsin demo`: the unmodified bot and a Slack workspace in the browser, over loopback, with no account."""

import asyncio
import json
import os
import secrets
import shutil
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from aiohttp import web

from bot.domain.verbs import completions
from bot.ports.fault import Fault, no_fault
from bot.render.slack.manifest import manifest
from bot.settings import BadSettings, Environment, Settings, read_config
from bot.simulator import Workspace, workspace
from bot.simulator.settings import WorkspaceSettings
from bot.storage import schema
from bot.wiring.house import House, open_house
from bot.wiring.samples import samples
from bot.wiring.serving import ending_at_last, listening, nobody_asks, told_to_stop

CONFIG: Final = Path(__file__).with_name("demo.yaml")
PORTS_TRIED: Final = 50
CONNECT_PATIENCE: Final = 5.0
"""Seconds to wait for the workspace before saying that all is ready."""
_SECRETS: Final = ("bot_token", "app_token", "signing_secret", "alertmanager", "pagerduty", "api")
_PREFIX: Final = {"bot_token": "xoxb-", "app_token": "xapp-"}


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was asked for on the command line."""

    port: int
    fresh: bool = False
    browser: bool = True
    only: Literal["workspace", "bot"] | None = None
    peer: str | None = None
    data: Path = Path(".tocsin/demo")
    config: Path | None = None


async def run_demo(options: DemoOptions, say: Callable[[str], None], *, fault: Fault = no_fault) -> None:
    """Run the demo, or one half of it, until it is told to stop. `fault` is where a test may kill it."""
    told = told_to_stop()
    _prepare(options)
    keys = _read_secrets(options.data / "secrets.json")
    listener = _listen(options.port)
    here = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        app = web.Application()
        bot_at, slack_at = _addresses(options, here)
        house = None
        if options.only != "workspace":
            settings = _settings(options, keys, here, slack_at)
            await asyncio.to_thread(_bring_up_to_date, settings.env.database_url.get_secret_value())
            house = await stack.enter_async_context(open_house(settings, fault=fault))
            app = house.app
        login = house.login_link("demo") if house else ""
        if options.only != "bot":
            place = await stack.enter_async_context(_workspace(options, keys, here, bot_at, login))
            place.add_routes(app)
        await stack.enter_async_context(listening(app, listener, house.all_answered if house else nobody_asks))
        if house:
            await stack.enter_async_context(house.working())
            if not await house.slack.connected(CONNECT_PATIENCE):
                say(f"No workspace answers at {slack_at} yet; the bot keeps trying.")
        _welcome(options, say, here, bot_at, house, login)
        await told.wait()
        say("Stopping …")
        with ending_at_last():
            if house:
                house.stop.tell()
            await stack.aclose()


def _bring_up_to_date(url: str) -> None:
    try:
        if not schema.is_current(url):
            schema.migrate(url)
    except ValueError as exc:
        raise BadSettings(f"TOCSIN_DATABASE_URL: {exc}") from None


def _addresses(options: DemoOptions, here: str) -> tuple[str, str]:
    """Return where the bot and where the workspace is; together both are here."""
    if options.only and not options.peer:
        raise BadSettings("--only needs --peer URL: the address of the other half")
    peer = (options.peer or here).rstrip("/")
    return (peer, here) if options.only == "workspace" else (here, peer)


def _prepare(options: DemoOptions) -> None:
    if options.fresh and (options.data / "secrets.json").is_file():
        shutil.rmtree(options.data)
    options.data.mkdir(parents=True, exist_ok=True)


def _read_secrets(path: Path) -> dict[str, str]:
    """Return the demo's own tokens: made once, so that both halves and the next start agree on them."""
    made = {name: _PREFIX.get(name, "") + secrets.token_hex(16) for name in _SECRETS}
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
        return made
    except FileExistsError:
        kept: dict[str, str] = json.loads(path.read_text())
        return kept


def _listen(wanted: int) -> socket.socket:
    """Return a listening socket on the wanted port, else on the next free one."""
    last: OSError | None = None
    for port in range(wanted, wanted + PORTS_TRIED if wanted else 1):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1024)
            listener.setblocking(False)
            return listener
        except OSError as exc:
            listener.close()
            last = exc
    raise BadSettings(f"ports {wanted} to {wanted + PORTS_TRIED - 1} are all taken; try --port N") from last


def _settings(options: DemoOptions, keys: dict[str, str], here: str, slack_at: str) -> Settings:
    values: dict[str, Any] = {
        "TOCSIN_DATABASE_URL": os.environ.get("TOCSIN_DATABASE_URL") or f"sqlite:///{options.data / 'tocsin.db'}",
        "TOCSIN_HOST": "127.0.0.1",
        "TOCSIN_PUBLIC_URL": here,
        "SLACK_BOT_TOKEN": keys["bot_token"],
        "SLACK_APP_TOKEN": keys["app_token"],
        "SLACK_SIGNING_SECRET": keys["signing_secret"],
        "SLACK_API_URL": f"{slack_at}/slack/api/",
        "TOCSIN_ALERTMANAGER_TOKEN": keys["alertmanager"],
        "TOCSIN_PAGERDUTY_WEBHOOK_SECRETS": keys["pagerduty"],
        "TOCSIN_API_TOKENS": f"demo:{keys['api']}",
        "TOCSIN_LOG_LEVEL": os.environ.get("TOCSIN_LOG_LEVEL") or "WARNING",
        "TOCSIN_LOG_FORMAT": os.environ.get("TOCSIN_LOG_FORMAT") or "console",
    }
    own = options.config or (Path("tocsin.yaml") if Path("tocsin.yaml").is_file() else CONFIG)
    return Settings(Environment(**values), read_config(own), own)


@asynccontextmanager
async def _workspace(
    options: DemoOptions, keys: dict[str, str], here: str, bot_at: str, login: str
) -> AsyncIterator[Workspace]:
    links = [{"title": "Status page", "url": f"{bot_at}/status"}]
    if login:
        links.append({"title": "Timeline and postmortem", "url": login})
    settings = WorkspaceSettings(
        path=options.data / "workspace.db",
        base_url=here,
        bot_token=keys["bot_token"],
        app_token=keys["app_token"],
        signing_secret=keys["signing_secret"],
        manifest=manifest(public_url=bot_at, socket_mode=True),
        samples=samples(),
        alertmanager_url=f"{bot_at}/webhooks/alertmanager",
        alertmanager_token=keys["alertmanager"],
        pagerduty_url=f"{bot_at}/webhooks/pagerduty",
        pagerduty_secret=keys["pagerduty"],
        completions=completions(),
        links=links,
    )
    async with workspace(settings) as place:
        yield place


def _welcome(
    options: DemoOptions, say: Callable[[str], None], here: str, bot_at: str, house: House | None, login: str
) -> None:
    if options.only == "bot":
        say(f"The bot runs at {here}/ and works in the workspace at {options.peer}")
        return
    say(f"Tocsin is ready: {here}/")
    if login:
        say(f"Private pages (this link works once, for 10 minutes): {login}")
    say("")
    say("Three things to try there:")
    say("  1. Type  /incident declare sev1 Checkout is down #checkout")
    say("  2. Press “Fire a sample alert” and pick one")
    say(f"  3. Resolve it, then read the postmortem and {bot_at}/status")
    say("")
    say("Ctrl-C stops it; `make demo` goes on where it was; ARGS=--fresh forgets everything.")
    if options.browser and sys.stdout.isatty():
        webbrowser.open(f"{here}/")
