"""Several at once, at two houses on one database: one incident, one order, and no page after the end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.domain import commands as c
from bot.domain.events import PageRequested, Resolved, SeverityChanged
from bot.domain.severity import Severity
from bot.ports.store import Superseded
from bot.simulator import Workspace
from bot.storage.database import Database
from bot.usecases.cases import Act, Open, Request
from bot.usecases.settling import Ring
from bot.wiring.house import House, open_house
from bot.wiring.serving import listening
from tests.faults.site import PATIENCE
from tests.faults.surroundings import CONFIG, open_workspace, settings_for
from tests.outbound.vendors import FakePagerDuty
from tests.support.demo import ROOT


@dataclass
class Twins:
    """Two houses on one database, in one workspace, with one pager."""

    houses: list[House]
    addresses: list[str]
    workspace: Workspace
    pager: FakePagerDuty
    http: aiohttp.ClientSession
    changed: asyncio.Event

    @property
    def database(self) -> Database:
        store = self.houses[0].committer._store
        assert isinstance(store, Database)
        return store

    async def quiet(self) -> None:
        """Wait until nothing waits or runs."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.changed.clear()  # before the look: the last commit may come while the database is asked
                if not (await self.database.stats()).waiting:
                    return
                with suppress(TimeoutError):  # a claim that cancels an answered call is no commit: nobody is told
                    await asyncio.wait_for(self.changed.wait(), 1)


@pytest.fixture
async def twins(database_url: str) -> AsyncIterator[Twins]:
    async with open_twins(database_url) as opened:
        yield opened


@asynccontextmanager
async def open_twins(url: str) -> AsyncIterator[Twins]:
    """Open both houses, and serve both."""
    calls = json.loads((ROOT / "tests" / "fixtures" / "pagerduty" / "outgoing-calls.json").read_text())
    pager, changed = FakePagerDuty(calls["events_api_v2"]), asyncio.Event()
    async with AsyncExitStack() as stack:
        opened, slack = await stack.enter_async_context(open_workspace())
        usual = CONFIG.replace("call_timeout: 0.8s, lease: 3s", "call_timeout: 8s, lease: 10s")
        settings = settings_for(
            url, slack, usual, PAGERDUTY_EVENTS_URL=await stack.enter_async_context(pager.running())
        )
        houses, addresses = [], []
        for _ in range(2):
            house = await stack.enter_async_context(open_house(settings))
            listener = socket.create_server(("127.0.0.1", 0))
            await stack.enter_async_context(listening(house.app, listener))
            await stack.enter_async_context(house.working())
            house.committer.on_commit.append(changed.set)
            houses.append(house)
            addresses.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Twins(houses, addresses, opened, pager, http, changed)


@pytest.mark.parametrize("doors", [1, 2], ids=["one house", "two houses"])
async def test_the_same_alert_delivered_fifty_times_at_once_opens_one_incident(twins: Twins, doors: int) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "CheckoutDown", "severity": "critical", "service": "checkout"},
        "annotations": {"summary": "Checkout is down"},
        "startsAt": "2026-11-22T19:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "f1",
    }
    body = {"version": "4", "status": "firing", "groupKey": "g", "receiver": "tocsin", "alerts": [alert]}

    async def deliver(n: int) -> tuple[int, dict[str, Any]]:
        url = f"{twins.addresses[n % doors]}/webhooks/alertmanager"
        async with twins.http.post(url, json=body, headers={"Authorization": "Bearer faults"}) as answer:
            return answer.status, await answer.json()

    answers = await asyncio.gather(*map(deliver, range(50)))
    assert {status for status, _ in answers} == {202}
    assert sorted({answer["incident"] for _, answer in answers}) == ["INC-1"]
    assert [answer["outcome"] for _, answer in answers].count("opened") == 1
    await twins.quiet()
    assert [one.number for one in await twins.database.incidents()] == [1]
    rooms = [channel.name for channel in twins.workspace.world.channels.values() if channel.name.startswith("inc-")]
    assert len(rooms) == 1
    assert [call.ok for call in twins.workspace.control.calls if call.method == "conversations.create"] == [True]


async def test_two_who_change_the_severity_at_once_are_both_told_the_truth(twins: Twins) -> None:
    one, two = twins.houses
    policy = one.settings.config
    await one.committer.submit(Open(Request("U0001"), c.Declare("Checkout is down", severity=Severity.SEV3), policy))
    for first, second in ((Severity.SEV1, Severity.SEV2), (Severity.SEV4, Severity.SEV3)):
        answers = await asyncio.gather(
            one.committer.submit(Act(Request("U0002"), 1, c.SetSeverity(first, "worse"), policy)),
            two.committer.submit(Act(Request("U0003"), 1, c.SetSeverity(second, "better"), policy)),
        )
        told = [(answer.fields["event"]["old"], answer.fields["event"]["new"]) for answer in answers]
        log = [item for item in await twins.database.events(1) if isinstance(item.event, SeverityChanged)][-2:]
        happened = {item.actor: (item.event.old.value, item.event.new.value) for item in log}  # type: ignore[union-attr]
        assert told == [happened["U0002"], happened["U0003"]], "each is told what his own change was"
        assert log[0].event.new == log[1].event.old, "and the log has one order"  # type: ignore[union-attr]
        state = await twins.database.incident(1)
        assert state
        assert state.severity == log[1].event.new  # type: ignore[union-attr]


async def test_no_page_follows_a_resolve_and_one_already_out_is_withdrawn(twins: Twins) -> None:
    one, two = twins.houses
    policy = one.settings.config
    for n in range(8):
        declare = c.Declare(f"Incident {n}", severity=Severity.SEV1, service="checkout")
        await one.committer.submit(Open(Request("U0001"), declare, policy))
        number = n + 1
        [due] = [row.due for row in await twins.database.timers(number) if row.kind == "respond"]
        ring = Ring(number, "respond", due, policy)
        resolve = Act(Request("U0002"), number, c.Resolve("it was the pool"), policy)
        pair = (two.committer.submit(ring), one.committer.submit(resolve))
        for outcome in await asyncio.gather(*(pair if n % 2 else pair[::-1]), return_exceptions=True):
            assert not isinstance(outcome, BaseException) or isinstance(outcome, Superseded), outcome
    await twins.quiet()
    for number in range(1, 9):
        events = [item.event for item in await twins.database.events(number)]
        [end] = [n for n, event in enumerate(events) if isinstance(event, Resolved)]
        assert not any(isinstance(event, PageRequested) for event in events[end:])
    assert any("trigger" in actions for actions in twins.pager.alerts.values()), "some pages were out"
    for key, actions in twins.pager.alerts.items():
        assert actions[-1] == "resolve", f"{key} was left ringing: {actions}"
