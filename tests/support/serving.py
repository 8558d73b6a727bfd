"""A real `tocsin serve` beside a workspace in its own process, over Socket Mode or signed HTTP, on either database."""

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Literal
from unittest import mock

from bot.cli import run
from tests.support.databases import migrate
from tests.support.demo import ROOT, Person, Process, fetch, free_port, until
from tests.support.workspace_process import READY, TOKENS

DEMO_CONFIG = ROOT / "bot" / "wiring" / "demo.yaml"
SERVES = r"Tocsin serves at"
QUICK = "delivery: {call_timeout: 1s, lease: 2s}\n"
"""A lost call is taken over after 2 s instead of 10."""


def tocsin(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run one `tocsin` command in this process, which saves a second each; return exit status and all it printed."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOCSIN_", "SLACK_"))}
    printed = io.StringIO()
    with (
        mock.patch.dict(os.environ, {**clean, **(env or {})}, clear=True),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        return run(list(arguments)), printed.getvalue()


class Site:
    """A folder with tocsin.yaml, a database, a workspace, and any number of `serve` processes."""

    def __init__(
        self, folder: Path, url: str | None = None, mode: Literal["http", "socket"] = "socket", config: str = QUICK
    ) -> None:
        self.folder, self.mode = folder, mode
        self.url = url or f"sqlite:///{folder / 'tocsin.db'}"
        self.slack, self.port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        (folder / "tocsin.yaml").write_text(f"{DEMO_CONFIG.read_text()}\n{config}")
        self.workspace: Process | None = None
        self.bots: list[Process] = []

    @property
    def env(self) -> dict[str, str]:
        """The environment of a `serve`: each mode has the tokens that the README names for it, and no others."""
        unused = "SLACK_SIGNING_SECRET" if self.mode == "socket" else "SLACK_APP_TOKEN"
        tokens = {k: v for k, v in TOKENS.items() if k != unused}
        return {
            **tokens,
            "SLACK_API_URL": f"http://127.0.0.1:{self.slack}/slack/api/",
            "TOCSIN_DATABASE_URL": self.url,
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_LOG_FORMAT": "json",
        }

    def open_workspace(self) -> Process:
        """Start the workspace; it keeps its port and its data."""
        arguments = (str(self.slack), str(self.folder), self.base, self.mode)
        self.workspace = Process(*arguments, cwd=self.folder, module="tests.support.workspace_process", ready=READY)
        return self.workspace

    def migrate(self) -> None:
        """Bring the database's schema up."""
        migrate(self.url)

    def serve(self, ready: str = SERVES, **env: str) -> Process:
        """Start a `tocsin serve`."""
        bot = Process("serve", cwd=self.folder, env={**self.env, **env}, ready=ready)
        self.bots.append(bot)
        return bot

    def start(self) -> Process:
        """Workspace, schema and one `serve` that Slack can reach: everything."""
        self.open_workspace()
        self.migrate()
        bot = self.serve()
        until(lambda: self.health("slack")[0] == 200, "the socket")
        return bot

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Run one `tocsin` command beside it; return exit status and output."""
        return tocsin(*arguments, cwd=self.folder, env={**self.env, **env})

    def health(self, part: str) -> tuple[int, str]:
        """Return status and detail of one part's health."""
        status, body = fetch(f"{self.base}/health/{part}")
        return status, json.loads(body)["checks"][part]["detail"]

    def idle(self) -> None:
        """Wait until nothing waits to be delivered, and nothing was given up."""
        until(lambda: self.health("delivery")[1] == "0 waiting, 0 given up", "an empty queue")

    def person(self, user: str = "U0001") -> Person:
        """Somebody in the workspace."""
        return Person(f"http://127.0.0.1:{self.slack}", user)

    @property
    def said(self) -> str:
        """All that the `serve` processes printed and logged."""
        return "\n".join(line for bot in self.bots for line in bot.output)

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.bots, self.workspace):
            if process:
                process.stop()
