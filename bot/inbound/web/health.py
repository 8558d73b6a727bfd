"""Health for machines: is it alive, may it get traffic, and which part is ill. For people: docs/operations.md."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, TypeAlias

import structlog
from aiohttp import web

HealthStatus: TypeAlias = Literal["ok", "degraded", "down"]
HealthCheck = Callable[[], Awaitable[tuple[HealthStatus, str]]]
"""Returns how a part is, and a detail in words without secrets."""

PATIENCE: Final = 2.0
"""Seconds before a check that does not answer counts as down; probes give up after a few seconds themselves."""
_VITAL: Final = ("database",)
log = structlog.get_logger()


class HealthDoor:
    """Serves `/health…`. Without a vital part we are down; without another one degraded: alerts still come in."""

    def __init__(self, checks: Mapping[str, HealthCheck]) -> None:
        self._checks = checks

    def add_routes(self, app: web.Application) -> None:
        """`/health/<part>` exists for each check."""
        app.router.add_get("/health", self.everything)
        app.router.add_get("/health/live", self.live)
        app.router.add_get("/health/ready", self.ready)
        for name in self._checks:
            app.router.add_get(f"/health/{name}", self._one(name))

    async def live(self, request: web.Request) -> web.Response:
        """The process answers. Touches nothing else: a restart does not mend a database."""
        return _answer("ok", {})

    async def ready(self, request: web.Request) -> web.Response:
        """The vital parts answer, so that requests make sense."""
        results = await self._run([name for name in _VITAL if name in self._checks])
        return _answer(_worst(results), results)

    async def everything(self, request: web.Request) -> web.Response:
        """Every part; 503 only when a vital one is down."""
        results = await self._run(list(self._checks))
        vital = _worst({name: result for name, result in results.items() if name in _VITAL})
        worst = _worst(results)
        return _answer("down" if vital == "down" else "ok" if worst == "ok" else "degraded", results)

    def _one(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def part(request: web.Request) -> web.Response:
            results = await self._run([name])
            return _answer(results[name][0], results)

        return part

    async def _run(self, names: list[str]) -> dict[str, tuple[HealthStatus, str]]:
        found = await asyncio.gather(*(self._ask(name) for name in names))
        return dict(zip(names, found, strict=True))

    async def _ask(self, name: str) -> tuple[HealthStatus, str]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._checks[name]()
        except TimeoutError:
            return "down", f"no answer within {PATIENCE:g} s"
        except Exception as exc:
            # A check that breaks is a finding, not a failure of the page; its text may hold an address.
            log.warning("health check failed", check=name, error=repr(exc))
            return "down", type(exc).__name__


def _worst(results: Mapping[str, tuple[HealthStatus, str]]) -> HealthStatus:
    order: tuple[HealthStatus, ...] = ("ok", "degraded", "down")
    return max((status for status, _ in results.values()), key=order.index, default="ok")


def _answer(status: HealthStatus, results: Mapping[str, tuple[HealthStatus, str]]) -> web.Response:
    checks = {name: {"status": found, "detail": detail} for name, (found, detail) in results.items()}
    return web.json_response(
        {"status": status, "checks": checks},
        status=503 if status == "down" else 200,
        headers={"Cache-Control": "no-store"},
    )
