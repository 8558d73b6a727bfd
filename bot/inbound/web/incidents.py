"""The private pages of incidents: the list, one incident as it stands, its postmortem."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot.domain.events import RunbookAttached
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.postmortem import Postmortem, compile_postmortem
from bot.domain.timeline import timeline
from bot.inbound.web.access import Viewer
from bot.inbound.web.login import LoginDoor
from bot.inbound.web.pages import Pages
from bot.ports.reader import Reader
from bot.render.postmortem import Names, postmortem_json, postmortem_markdown
from bot.render.texts import Texts

LIST_PAGE = 100
TIMELINE_PAGE = 300
"""Lines that a page shows unless all are asked for: an incident may have 10,000 messages."""


def _no_link(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses in Slack. `channel` takes an id, `message` a timeline link (`slack:<channel>/<ts>`); empty: no link."""

    channel: Callable[[str], str] = _no_link
    message: Callable[[str], str] = _no_link


class IncidentDoor:
    """Serves `/incidents…`. Who may not see private incidents cannot tell them from missing ones."""

    def __init__(
        self,
        pages: Pages,
        login: LoginDoor,
        reader: Reader,
        policy: Callable[[], Policy],
        texts: Texts,
        names: Names,
        links: Links,
    ) -> None:
        self._pages = pages
        self._login = login
        self._reader = reader
        self._policy = policy
        self._texts = texts
        self._names = names
        self._links = links

    def add_routes(self, app: web.Application) -> None:
        """`<n>` is `7` or `INC-7`."""
        number = "{number:(?:[Ii][Nn][Cc]-)?[0-9]{1,9}}"
        app.router.add_get("/incidents", self.index)
        app.router.add_get(f"/incidents/{number}", self.show)
        app.router.add_get(f"/incidents/{number}/postmortem", self.postmortem)

    async def index(self, request: web.Request) -> web.Response:
        """`GET /incidents?show=open|all`."""
        viewer = self._login.admit(request)
        everything = request.query.get("show") == "all"
        before = request.query.get("before", "")
        found = await self._reader.incidents(
            active=not everything,
            limit=LIST_PAGE,
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None,
        )
        return self._pages.answer(
            request,
            "web/incidents.html",
            incidents=[state for state in found if _may_see(viewer, state)],
            everything=everything,
            next_before=found[-1].number if len(found) == LIST_PAGE else None,
        )

    async def show(self, request: web.Request) -> web.Response:
        """`GET /incidents/<n>`."""
        state = await self._find(request)
        events, entries, timers, episodes, deliveries = await asyncio.gather(
            self._reader.events(state.number),
            self._reader.entries(state.number),
            self._reader.timers(state.number),
            self._reader.episodes(state.number),
            self._reader.deliveries(state.number),
        )
        lines = timeline(state, events, entries)
        total = len(lines)
        if request.query.get("timeline") != "all":
            lines = lines[-TIMELINE_PAGE:]
        attached = next((i.event for i in reversed(events) if isinstance(i.event, RunbookAttached)), None)
        return self._pages.answer(
            request,
            "web/incident.html",
            incident=state,
            roles=self._policy().roles,
            timers=timers,
            episodes=episodes,
            deliveries=[row for row in deliveries if row.state not in ("done", "cancelled")],
            delivered=sum(row.state == "done" for row in deliveries),
            steps=attached.steps if attached else (),
            lines=lines[::-1],
            lines_total=total,
            links=self._links,
        )

    async def postmortem(self, request: web.Request) -> web.Response:
        """`GET /incidents/<n>/postmortem`; `?format=md` or `json` for other readers."""
        state = await self._find(request)
        document = await self._compile(state)
        form = request.query.get("format", "html")
        if form == "md":
            text = postmortem_markdown(document, self._texts, self._names)
            headers = {"Cache-Control": "no-store"}
            return web.Response(text=text, content_type="text/markdown", charset="utf-8", headers=headers)
        if form == "json":
            return web.json_response(postmortem_json(document), headers={"Cache-Control": "no-store"})
        return self._pages.answer(request, "web/postmortem.html", pm=document, incident=state)

    async def _compile(self, state: Incident) -> Postmortem:
        events, entries, episodes = await asyncio.gather(
            self._reader.events(state.number),
            self._reader.entries(state.number),
            self._reader.episodes(state.number),
        )
        return compile_postmortem(state, events, entries, episodes, self._policy())

    async def _find(self, request: web.Request) -> Incident:
        """Return the incident that was asked for. Raises 404 if there is none for this viewer."""
        viewer = self._login.admit(request)
        number = int(request.match_info["number"].lower().removeprefix("inc-"))
        state = await self._reader.incident(number)
        if state is None or not _may_see(viewer, state):
            raise web.HTTPNotFound
        return state


def _may_see(viewer: Viewer, state: Incident) -> bool:
    return viewer.private or not state.private
