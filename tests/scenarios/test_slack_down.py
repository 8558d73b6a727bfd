"""Slack is away for a long while: the incident goes on without it, and the channel is told afterwards, in order, once.

The half hour is shortened by settings: what waited longer than a second counts as an outage. Half an hour by the clock
of a test: tests/delivery/test_digests.py.
"""

import asyncio
import html
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.delivery import carrier, circuit
from bot.domain import folding
from bot.inbound.slack import refill
from bot.usecases.cases import Request
from tests.faults.doors import TOKEN, alert, served
from tests.faults.site import PATIENCE, ROOM, Site, open_site
from tests.faults.surroundings import CONFIG
from tests.support import serving
from tests.support.demo import ROOT, words_of

CLI = Request("cli:ann", surface="cli")
QUICK = CONFIG.replace("lease: 3s}", "lease: 3s, fold_after: 1s}") + "severities: {sev1: {respond: 1s}}\n"
UPDATES = 10
OUTAGE = 1.5
"""Seconds: longer than `fold_after`."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that is down is probed more often than every five seconds; a history has several pages."""
    monkeypatch.setattr(refill, "PAGE", 3)
    monkeypatch.setattr(refill, "AGAIN_AFTER", 0.05)
    for module in (carrier, circuit):
        monkeypatch.setattr(module, "PROBE_EVERY", timedelta(seconds=0.3))
    monkeypatch.setattr(folding, "EACH_TAKES", timedelta(seconds=0.05))


async def weather(site: Site, **wanted: Any) -> None:
    """Set it."""
    async with site.http.post(f"{site.base}/simulator/control", json=wanted) as answer:
        assert answer.status == 200, await answer.text()


async def do(site: Site, text: str) -> None:
    """Do what the command line does."""
    await site.house.slack.refill._counter.desk.do(text, CLI)


async def tocsin(folder: Path, *arguments: str) -> str:
    """Run the real command line on the database in `folder`, in a process of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOCSIN_", "SLACK_"))}
    env = {**clean, "PYTHONPATH": str(ROOT), **_shell(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=folder, env=env, stdout=-1, stderr=-2
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def typed(folder: Path, *arguments: str) -> str:
    """Run the command line as `tocsin` does, in this process, which saves seconds."""
    status, said = await asyncio.to_thread(serving.tocsin, *arguments, cwd=folder, env=_shell(folder))
    assert status == 0, said
    return said


def _shell(folder: Path) -> dict[str, str]:
    return {"TOCSIN_DATABASE_URL": f"sqlite:///{folder / 'tocsin.db'}"}


async def timeline(folder: Path, number: int) -> list[dict[str, Any]]:
    """Return the lines of an incident's timeline, from the command line."""
    lines: list[dict[str, Any]] = json.loads(await typed(folder, "incident", "timeline", str(number), "--json"))
    return lines


async def looked_at(browser: aiohttp.ClientSession, page: str) -> str:
    """Return what a browser shows."""
    async with browser.get(page) as answer:
        assert answer.status == 200, page
        return await answer.text()


async def told(site: Site, look: Callable[[], Any], what: str) -> Any:
    """Wait for what commits tell of."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := look()):
                site.committed.clear()
                await site.committed.wait()
            return found
    except TimeoutError:
        raise AssertionError(f"waited for {what}") from None


def payloads(site: Site, channel: str) -> list[dict[str, str]]:
    """The metadata of our messages, oldest first."""
    return [m["metadata"]["event_payload"] for m in site.messages(channel) if m.get("metadata")]


def carried(site: Site) -> list[str]:
    """Every effect that stands in a message, as often as it stands."""
    world = site.workspace.world
    said = [
        m["metadata"]["event_payload"] for c in world.channels.values() for m in world.history(c) if "metadata" in m
    ]
    return [effect for one in said for effect in (one["effect"], *one.get("folded", "").split())]


async def test_an_outage_of_slack_stops_nothing_but_slack(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text(QUICK)
    async with open_site(tmp_path, config=QUICK, TOCSIN_API_TOKENS=TOKEN) as site, served(site) as (base, browser):
        await site.declare("sev2 Checkout is down")
        room = site.channel(ROOM)
        before = len(site.messages(ROOM))
        await weather(site, down=True)

        # --- the work goes on: by command line, webhook and timer -----------------------------------------
        await tocsin(tmp_path, "incident", "declare", "sev1", "Search is slow", "--service", "checkout")
        site.runner.wake()
        assert await alert(base, browser, "firing") == "opened"
        await typed(tmp_path, "incident", "update", "1", "we try number 0")
        for n in range(1, 5):
            await do(site, f"update INC-1 we try number {n}")
        await do(site, "status INC-1 identified the pool leaks")
        await do(site, "page INC-1 @U0003 because we need you")
        for n in range(5, UPDATES):
            await do(site, f"update INC-1 we try number {n}")
        assert await alert(base, browser, "resolved") == "resolved"
        await told(site, lambda: "trigger" in str(site.vendors.pager.alerts), "the page")
        (paged,) = site.vendors.pager.alerts
        assert "INC-2" in paged
        overdue: list[str] = []
        while not overdue:
            await site.committed.wait()
            site.committed.clear()
            overdue = [i.event.type for i in await site.database.events(2) if i.event.type == "response_overdue"]

        # --- and so do the pages, for us and for the public -----------------------------------------------
        for text in ("draft We look into failed payments.", "approve", "publish"):
            await do(site, f"public INC-1 {text}")
        assert "We look into failed payments." in await looked_at(browser, f"{base}/status")
        listed = await looked_at(browser, f"{base}/incidents")
        assert [one for one in ("INC-1", "INC-2", "INC-3") if one not in listed] == []
        page = await looked_at(browser, f"{base}/incidents/1")
        lines = [line["text"] for line in await timeline(tmp_path, 1)]
        for n in range(UPDATES):
            assert f"we try number {n}" in page
            assert sum(f"we try number {n}" in line for line in lines) == 1
        late = next(line["text"] for line in await timeline(tmp_path, 2) if line["kind"] == "response_overdue")
        assert html.escape(late) in await looked_at(browser, f"{base}/incidents/2")
        async with browser.get(f"{base}/health") as answer:
            assert (await answer.json())["status"] != "ok"

        # --- people in the channel talk, and Slack has stopped repeating it by the time we are back --------
        question = await site.say(ROOM, "is the pool full?")
        ts = str(question.get("ts") or site.messages(ROOM)[-1]["ts"])
        body = {"as": "U0001", "channel": room.id, "text": "it is", "thread_ts": ts}
        async with site.http.post(f"{site.base}/simulator/send", json=body) as answer:
            assert (await answer.json())["ok"]
        for key in list(site.workspace.world.deliveries):
            site.workspace.courier._settle(key)

        await asyncio.sleep(OUTAGE)  # it lasts

        # --- Slack is back --------------------------------------------------------------------------------
        linked = asyncio.create_task(site.workspace.links.wait())
        # the first look for what was said fails in its midst, and another one later on
        broken = [{"method": f"conversations.{method}", "kind": "500"} for method in ("replies", "history")]
        await weather(site, down=False, faults=broken)
        async with asyncio.timeout(PATIENCE):
            await linked
        await site.quiet()
        for name in ("inc-2-search-is-slow", "inc-3-searchslow"):
            assert len(site.channel(name).pins) == 1, "it has its channel, and the card in it"
        assert sum("INC-1" in words_of(m) for m in site.direct("U0003")) == 1
        since = [m for m in site.messages(ROOM)[before:] if m.get("metadata")]
        said = [words_of(m) for m in since]
        digests = [p for p in payloads(site, ROOM) if "folded" in p]
        assert len(digests) == 2, said
        assert "could not be reached for" in said[0]
        assert [n for n in range(UPDATES) if f"we try number {n}" in said[0]] == [0, 1, 2, 3, 4]
        assert said[0].index("number 4") < said[0].index("the pool leaks")
        assert "we need you" in said[1], "what somebody must act on stands alone, in its place"
        assert [n for n in range(UPDATES) if f"we try number {n}" in said[2]] == [5, 6, 7, 8, 9]
        assert [one for one, times in Counter(carried(site)).items() if times > 1] == []
        state = await site.database.incident(1)
        assert state
        card = next(m for m in site.messages(ROOM) if m["ts"] == state.messages["card"].ts)
        assert "we try number 9" in words_of(card)
        assert (state.failed, (await site.database.incident(2)).failed) == ({}, {})  # type: ignore[union-attr]

        # --- each is on record as told, and what people said meanwhile was read from the history -----------
        entries = await site.database.entries(1)
        (first, *_) = digests
        ids = {first["effect"], *first["folded"].split()}
        records = {e.observation.key.removeprefix("delivered:"): e.observation.ts for e in entries}
        assert {records[one] for one in ids} == {since[0]["ts"]}
        recovered: list[str] = []
        while len(recovered) < 2:
            await site.committed.wait()
            site.committed.clear()
            recovered = [e.observation.text for e in await site.database.entries(1) if e.observation.recovered]
        assert recovered == ["is the pool full?", "it is"]
        assert [call.error for call in site.workspace.control.calls if call.method == "conversations.replies"][:1] == [
            "500"
        ], "in the midst of it a call failed"
        marked = [line["text"] for line in await timeline(tmp_path, 1) if "recovered after downtime" in line["text"]]
        assert [text in line for text, line in zip(recovered, marked, strict=True)] == [True, True]
        page = await looked_at(browser, f"{base}/incidents/1")
        assert page.count("recovered after downtime") == 2
