"""The public status page. It stays up when the database does not: then it shows what it last knew, and says so."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import structlog
from aiohttp import web

from bot.domain.policy import Policy
from bot.domain.statuspage import PublicIncident, PublicPage, public_page
from bot.inbound.web.pages import PUBLIC, Pages
from bot.ports.clock import Clock
from bot.ports.reader import Reader
from bot.ports.store import Unavailable

DAYS_SHOWN = 14
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the history, in the organisation's zone. `at` is its noon: a time that is that day everywhere near."""

    at: datetime
    incidents: tuple[PublicIncident, ...]


class StatusDoor:
    """Serves `/status` and `/status/incidents/<id>`."""

    def __init__(
        self, pages: Pages, reader: Reader, policy: Callable[[], Policy], installation: str, clock: Clock
    ) -> None:
        self._pages = pages
        self._reader = reader
        self._policy = policy
        self._installation = installation
        self._clock = clock
        self._freshest = Freshest(self._read)
        self._last: tuple[PublicPage, datetime] | None = None

    def add_routes(self, app: web.Application) -> None:
        """The public routes."""
        app.router.add_get("/status", self.overview)
        app.router.add_get("/status/incidents/{id:[0-9a-f]{12}}", self.incident)

    async def overview(self, request: web.Request) -> web.Response:
        """`GET /status`."""
        page, stale_since = await self._page()
        zone = self._policy().organization.zone
        days, earlier = history(page.incidents, self._clock(), zone)
        return self._pages.answer(
            request,
            "status/page.html",
            cache=PUBLIC,
            zone=zone,
            page=page,
            days=days,
            earlier=earlier,
            stale_since=stale_since,
        )

    async def incident(self, request: web.Request) -> web.Response:
        """`GET /status/incidents/<id>`: published ones only."""
        page, stale_since = await self._page()
        incident = page.incident(request.match_info["id"])
        if incident is None:
            raise web.HTTPNotFound
        return self._pages.answer(
            request,
            "status/incident.html",
            cache=PUBLIC,
            zone=self._policy().organization.zone,
            page=page,
            incident=incident,
            stale_since=stale_since,
        )

    async def _page(self) -> tuple[PublicPage, datetime | None]:
        """Return the page, and since when it is out of date (None: it is not). Raises Unavailable if never read."""
        try:
            page = await self._freshest.get()
        except Unavailable as exc:
            if self._last is None:
                raise
            log.warning("status page from memory", error=str(exc))
            return self._last
        self._last = (page, self._clock())
        return page, None

    async def _read(self) -> PublicPage:
        return public_page(await self._reader.published(), self._policy(), self._installation)


class Freshest:
    """Reads the page for a crowd: whoever comes while one reads shares the next reading, or its failure.

    So a page that everybody reloads during an outage costs the database one reading at a time, and yet nobody gets a
    reading that began before they asked.
    """

    def __init__(self, read: Callable[[], Awaitable[PublicPage]]) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._begun = 0
        self._outcome: PublicPage | Unavailable | None = None

    async def get(self) -> PublicPage:
        """Return the page as it is now. Raises Unavailable."""
        begun = self._begun
        async with self._turn:
            if self._begun == begun or self._outcome is None:
                self._begun += 1
                self._outcome = None  # a reading that is broken off leaves none
                try:
                    self._outcome = await self._read()
                except Unavailable as exc:
                    self._outcome = exc
            if isinstance(self._outcome, Unavailable):
                raise self._outcome
            return self._outcome


def history(incidents: Sequence[PublicIncident], now: datetime, zone: tzinfo) -> tuple[list[Day], list[PublicIncident]]:
    """Return the last days, newest first, each with the incidents that began on it; and the earlier ones that ended."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=DAYS_SHOWN - 1)

    def begun(incident: PublicIncident) -> date:
        return incident.started_at.astimezone(zone).date()

    days = [today - timedelta(days=n) for n in range(DAYS_SHOWN)]
    shown = [
        Day(
            datetime(day.year, day.month, day.day, 12, tzinfo=zone),
            tuple(incident for incident in incidents if begun(incident) == day),
        )
        for day in days
    ]
    return shown, [i for i in incidents if begun(i) < first and not i.is_open]
