"""A Slack workspace in a process of its own, for a `tocsin serve` that stands beside it.

    python -m tests.support.workspace_process PORT FOLDER BOT_URL http|socket

FOLDER holds its database; the tokens are those in TOKENS.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.render.slack.manifest import manifest
from bot.simulator import workspace
from bot.simulator.settings import WorkspaceSettings
from bot.wiring.samples import samples
from bot.wiring.serving import listening, told_to_stop

TOKENS: Final = {
    "SLACK_BOT_TOKEN": "xoxb-serve-test-bot-token",
    "SLACK_APP_TOKEN": "xapp-serve-test-app-token",
    "SLACK_SIGNING_SECRET": "serve-test-signing-secret",
    "TOCSIN_ALERTMANAGER_TOKEN": "serve-test-alertmanager-token",
    "TOCSIN_PAGERDUTY_WEBHOOK_SECRETS": "serve-test-pagerduty-secret",
    "TOCSIN_API_TOKENS": "anna:serve-test-api-token",
}
READY: Final = "The workspace is ready"


async def run(port: int, folder: Path, bot: str, mode: str) -> None:
    """Serve the workspace until SIGTERM."""
    over_http = mode == "http"
    listener = socket.create_server(("127.0.0.1", port))
    listener.setblocking(False)
    settings = WorkspaceSettings(
        path=folder / "workspace.db",
        base_url=f"http://127.0.0.1:{port}",
        bot_token=TOKENS["SLACK_BOT_TOKEN"],
        app_token=TOKENS["SLACK_APP_TOKEN"],
        signing_secret=TOKENS["SLACK_SIGNING_SECRET"],
        manifest=manifest(public_url=bot, socket_mode=not over_http),
        request_url=f"{bot}/slack/events" if over_http else None,
        samples=samples(),
        alertmanager_url=f"{bot}/webhooks/alertmanager",
        alertmanager_token=TOKENS["TOCSIN_ALERTMANAGER_TOKEN"],
        pagerduty_url=f"{bot}/webhooks/pagerduty",
        pagerduty_secret=TOKENS["TOCSIN_PAGERDUTY_WEBHOOK_SECRETS"],
    )
    app = web.Application()
    async with workspace(settings) as place:
        place.add_routes(app)
        async with listening(app, listener):
            sys.stdout.write(f"{READY}\n")
            sys.stdout.flush()
            await told_to_stop().wait()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
