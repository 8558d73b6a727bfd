"""The doors of a house that are none of Slack's: its pages, and its webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from tests.faults.site import Site

TOKEN = "ann:a-token-for-the-private-pages"


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """The house's own pages and webhooks on loopback, and a browser that is signed in."""
    runner = web.AppRunner(site.house.app, shutdown_timeout=0.1)
    await runner.setup()
    port = web.TCPSite(runner, "127.0.0.1", 0)
    await port.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.post(f"{base}/login", data={"token": TOKEN}, headers={"Origin": base}) as answer:
                assert answer.status == 200, await answer.text()
            yield base, browser
    finally:
        await runner.cleanup()


async def alert(base: str, browser: aiohttp.ClientSession, status: str, service: str = "search") -> str:
    """Send an alert of another service; return what became of it."""
    labels = {"alertname": f"{service.title()}Slow", "service": service, "severity": "warning"}
    one = {"status": status, "labels": labels, "annotations": {}, "startsAt": "2026-03-14T09:00:00Z"}
    one |= {
        "endsAt": "2026-03-14T09:05:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "fingerprint": service,
    }
    body = {"version": "4", "groupKey": "g", "status": status, "receiver": "tocsin", "groupLabels": {}, "alerts": [one]}
    body |= {"commonLabels": labels, "commonAnnotations": {}, "externalURL": "http://am"}
    async with browser.post(
        f"{base}/webhooks/alertmanager", json=body, headers={"Authorization": "Bearer faults"}
    ) as answer:
        assert answer.status == 202, await answer.text()
        outcome: str = (await answer.json())["outcome"]
        return outcome
