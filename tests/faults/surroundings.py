"""What the house stands beside: a workspace that lives in memory, and the settings that lead to it and to vendors."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot.delivery import carrier, circuit, retry
from bot.render.slack.manifest import manifest
from bot.settings import Config, Environment, Settings
from bot.simulator import Workspace, WorkspaceSettings, workspace
from bot.wiring import house
from tests.faults.weather import attributed
from tests.outbound.vendors import SECRET
from tests.support.vendors import ALERTMANAGER

CONFIG = """
organization: {name: Acme, timezone: Europe/Berlin}
channels: {announce: incidents, admin: random, archive_after: 0.5s}
routes: [{match: ['alertname="Maybe"'], action: triage}]
triage: {channel: general}
services:
  checkout:
    {owners: [U0002], invite: [U0003], usergroups: [S0001], escalation: shop, components: [Checkout],
     runbook: service-api-down}
escalations:
  shop: {levels: [{targets: [{user: U0002}, {pagerduty: default}], wait: 10m}]}
statuspage:
  components: [{name: Checkout, group: Shop}]
  approval: {second_person: []}
  providers: [builtin, statuspage]
delivery: {call_timeout: 0.8s, lease: 3s}
"""

PACE = 20
"""Times faster than Slack's tiers allow, which are the matter of tests/scenarios/test_rate_tiers.py."""


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Spend less time on waiting: for Slack's tiers, for the next attempt, for a vendor that was down."""
    patch.setattr(house, "LIMITS", {name: (most, time / PACE) for name, (most, time) in house.LIMITS.items()})
    patch.setattr(retry, "BASE", 0.1)
    for module in (carrier, circuit):
        patch.setattr(module, "PROBE_EVERY", timedelta(seconds=0.3))


@asynccontextmanager
async def open_workspace(bot: str = "http://127.0.0.1:8080") -> AsyncIterator[tuple[Workspace, str]]:
    """Serve a workspace that lives in memory."""
    app = web.Application(middlewares=[attributed])
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = WorkspaceSettings(
        path=":memory:",
        base_url=base,
        bot_token="xoxb-faults",
        app_token="xapp-faults",
        signing_secret="faults",
        manifest=manifest(public_url=bot, socket_mode=True),
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    async with workspace(settings) as opened:
        opened.add_routes(app)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        try:
            yield opened, base
        finally:
            await runner.cleanup()


def settings_for(url: str, slack: str, config: str = CONFIG, **more: str) -> Settings:
    """Return the settings of a house beside this workspace; `more` are further variables, as of `Vendors.running`."""
    read = yaml.safe_load(config)
    if sender := more.pop(ALERTMANAGER, ""):
        read["webhooks"] = {"alertmanager": {"url": sender}}
    values: dict[str, Any] = {
        "TOCSIN_DATABASE_URL": url,
        "TOCSIN_PUBLIC_URL": "http://127.0.0.1:8080",
        "SLACK_BOT_TOKEN": "xoxb-faults",
        "SLACK_APP_TOKEN": "xapp-faults",
        "SLACK_SIGNING_SECRET": "faults",
        "SLACK_API_URL": f"{slack}/slack/api/",
        "PAGERDUTY_ROUTING_KEY": SECRET,
        "PAGERDUTY_EVENTS_URL": "http://127.0.0.1:9",
        "STATUSPAGE_API_KEY": SECRET,
        "STATUSPAGE_PAGE_ID": "p1",
        "STATUSPAGE_API_URL": "http://127.0.0.1:9/v1",
        "TOCSIN_ALERTMANAGER_TOKEN": "faults",
        "TOCSIN_ALERTMANAGER_API_TOKEN": SECRET,
        "PAGERDUTY_API_TOKEN": SECRET,
        "PAGERDUTY_FROM": "bot@example.com",
        "TOCSIN_LOG_LEVEL": "ERROR",
        "TOCSIN_LOG_FORMAT": "json",
        **more,
    }
    return Settings(Environment(**values), Config.model_validate(read), None)
