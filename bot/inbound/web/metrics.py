"""`GET /metrics`: what was counted since the start, and what the store holds now."""

from collections.abc import Callable
from datetime import datetime

import structlog
from aiohttp import web

from bot.ports.clock import Clock
from bot.ports.reader import Reader, Stats
from bot.ports.store import Unavailable

Exposition = Callable[[Stats | None, datetime], bytes]
"""Returns Prometheus text; without Stats the store did not answer."""

# https://prometheus.io/docs/instrumenting/exposition_formats/ (text format)
_TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
log = structlog.get_logger()


class MetricsDoor:
    """Serves the metrics. Answers while the database is down: that is when they are read."""

    def __init__(self, reader: Reader, exposition: Exposition, clock: Clock) -> None:
        self._reader = reader
        self._exposition = exposition
        self._clock = clock

    async def serve(self, request: web.Request) -> web.Response:
        """`GET /metrics`."""
        stats: Stats | None = None
        try:
            stats = await self._reader.stats()
        except Unavailable as exc:
            log.warning("metrics without the store", error=str(exc))
        return web.Response(
            body=self._exposition(stats, self._clock()),
            headers={"Content-Type": _TEXT_FORMAT, "Cache-Control": "no-store"},
        )
