"""The simulated workspace on loopback, reached through our own client, and jobs to carry out in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from bot.domain.effects import AnyEffect
from bot.domain.events import Recorded, RunbookAttached
from bot.outbound.slack.client import Slack, web_client
from bot.outbound.slack.directory import Directory
from bot.outbound.slack.registry import registry
from bot.ports.delivery import Done, Job, Registry
from bot.render.slack.manifest import manifest
from bot.render.slack.renderer import Renderer
from bot.simulator import Workspace, WorkspaceSettings, workspace
from tests.render.slack_cases import Life, surroundings

TOKEN = "xoxb-our-token"
INSTALLATION = "installation-1"
REPEATED = timedelta(seconds=3)


@dataclass
class Office:
    """A workspace that is served, and the handlers at work in it."""

    workspace: Workspace
    base: str
    http: aiohttp.ClientSession
    slack: Slack
    directory: Directory
    registry: Registry

    async def control(self, **wanted: Any) -> None:
        """Set the weather."""
        async with self.http.post(f"{self.base}/simulator/control", json=wanted) as answer:
            assert answer.status == 200, await answer.text()

    async def fault(self, method: str, kind: str, **more: Any) -> None:
        """Let the next call of `method` go wrong."""
        await self.control(faults=[{"method": method, "kind": kind, **more}])

    def calls(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of every call of `method`."""
        return [call.args for call in self.workspace.control.calls if call.method == method]

    def channel(self, name: str) -> Any:
        """Return a channel by name."""
        return next(c for c in self.workspace.world.channels.values() if c.name == name)

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Return what the bot said in a channel."""
        world = self.workspace.world
        return [m for m in world.history(world.channels[channel]) if m.get("bot_id") and not m.get("subtype")]

    async def carry(self, effect: AnyEffect, life: Life, *, again: bool = False, n: int = 0) -> Done:
        """Carry `effect` out; `again`: as a repeat of an attempt whose end nobody knows."""
        return await self.registry[effect.kind].handler(job(effect, life, again=again, n=n))


def job(effect: AnyEffect, life: Life, *, again: bool = False, n: int = 0) -> Job:
    """Return `effect` as the runner claims it."""
    now = datetime.now(UTC)
    book: Recorded | None = next((i for i in life.log if isinstance(i.event, RunbookAttached)), None)
    return Job(
        id=f"7.{life.last.seq}.{n}",
        effect=effect,
        token="t",
        attempt=2 if again else 1,
        created_at=now - REPEATED,
        first_at=now - REPEATED if again else None,
        state=life.state,
        event=life.last,
        runbook=book,
    )


async def open_room(office: Office, life: Life) -> Life:
    """Open the incident's channel for real."""
    from bot.domain.effects import OpenRoom
    from bot.domain.events import RoomCreated

    done = await office.carry(OpenRoom(name=life.state.room_name, private=life.state.private), life)
    made: Any = done.command
    return life.then(RoomCreated(channel=made.channel, name=made.name), "tocsin")


@asynccontextmanager
async def open_office(**changes: Any) -> AsyncIterator[Office]:
    """Open the workspace with our own manifest: a missing scope shows."""
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    site_address = "http://127.0.0.1"
    settings = WorkspaceSettings(
        path=":memory:",
        base_url=site_address,
        bot_token=TOKEN,
        app_token="xapp-x",
        signing_secret="s",
        manifest=manifest(public_url="http://127.0.0.1", socket_mode=True),
    )
    async with workspace(settings) as opened, aiohttp.ClientSession() as http:
        opened.add_routes(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        base = f"{site_address}:{port}"
        slack = Slack(web_client(changes.get("token", TOKEN), http, f"{base}/slack/api/"), timeout=0.5)
        directory = Directory(slack, clock=changes.get("clock", lambda: 0.0))
        made = registry(slack, Renderer(surroundings()), INSTALLATION, directory)
        try:
            yield Office(opened, base, http, slack, directory, made)
        finally:
            await runner.cleanup()
