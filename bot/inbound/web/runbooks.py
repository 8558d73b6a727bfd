"""Runbooks as pages, to read beside the channel."""

from typing import Protocol

from aiohttp import web

from bot.domain.runbooks import Runbook
from bot.inbound.web.login import LoginDoor
from bot.inbound.web.pages import Pages
from bot.render.web import runbook_html


class RunbookSource(Protocol):
    """Where runbooks come from."""

    def get(self, name: str) -> Runbook | None:
        """Return the runbook called `name`."""
        ...


class RunbookDoor:
    """Serves `/runbooks/<name>`."""

    def __init__(self, pages: Pages, login: LoginDoor, library: RunbookSource) -> None:
        self._pages = pages
        self._login = login
        self._library = library

    async def show(self, request: web.Request) -> web.Response:
        """`GET /runbooks/<name>`."""
        self._login.admit(request)
        runbook = self._library.get(request.match_info["name"])
        if runbook is None:
            raise web.HTTPNotFound
        sections = [
            (heading, f"section-{n}", runbook_html(text))
            for n, (heading, text) in enumerate((runbook.sections or {}).items(), start=1)
        ]
        return self._pages.answer(request, "web/runbook.html", runbook=runbook, sections=sections)
