"""What is noticed by its absence: a silent watchdog, an alert nobody reports any more. Of three replicas one acts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.alerts import Alert, AlertBatch
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.ports.store import Answer
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.library import RunbookLibrary
from bot.usecases.watching import CloseStale, Watcher
from tests.storage.house import House, open_house
from tests.support.alerts import alert

WATCHDOG = 'alertname="Watchdog"'
POLICY = Policy.model_validate(
    {
        "triage": {
            "stale_after": "24h",
            "watchdogs": [{"match": [WATCHDOG], "within": "10m", "severity": "sev2", "service": "monitoring"}],
        },
        # a route that drops the rest must not drop the alarm
        "routes": [{"match": ['team="a"'], "severity": "sev3"}, {"action": "ignore"}],
    }
)


class Replicas:
    """Three processes on one database, with one clock that the test moves."""

    def __init__(self, houses: list[House], library: RunbookLibrary) -> None:
        self.houses = houses
        self.library = library

    def pass_by(self, **span: float) -> None:
        for house in self.houses:
            house.clock.now += timedelta(**span)

    def watcher(self, house: House) -> Watcher:
        return Watcher(house.database, house.committer, POLICY, self.library, house.clock)

    async def look(self, times: int = 1, **apart: float) -> None:
        """Let all three look at once, `times` times, that far apart."""
        for _ in range(times):
            self.pass_by(**apart)
            await asyncio.gather(*(self.watcher(house).watchdogs() for house in self.houses))

    async def sweep(self) -> None:
        await asyncio.gather(*(self.watcher(house).stale() for house in self.houses))

    async def report(self, *alerts: Alert, at: int = 0) -> Answer:
        house = self.houses[at]
        case = ReportBatch(
            Request("alert:alertmanager"),
            AlertBatch(source="alertmanager", alerts=alerts),
            POLICY,
            await self.library.fresh(),
            house.clock(),
        )
        return await house.committer.submit(case)

    async def bark(self, at: int = 0) -> Answer:
        return await self.report(alert("dog", alertname="Watchdog", severity="none"), at=at)

    async def incidents(self) -> list[Incident]:
        return await self.houses[0].database.incidents()

    async def events(self, number: int) -> list[Any]:
        return [item.event for item in await self.houses[0].database.events(number)]


@pytest.fixture
async def replicas(database_url: str, tmp_path: Any) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        houses = [await stack.enter_async_context(open_house(database_url)) for _ in range(3)]
        yield Replicas(houses, RunbookLibrary(tmp_path, POLICY))


async def test_a_watchdog_that_stops_coming_opens_one_incident_and_its_alert_resolves_when_it_comes_again(
    replicas: Replicas,
) -> None:
    await replicas.look()
    answer = await replicas.bark()
    assert answer.fields["outcome"] == "ignored"
    assert "opens nothing while it comes" in answer.fields["reason"]
    await replicas.look(times=19, seconds=30)
    assert await replicas.incidents() == []
    await replicas.look(times=2, seconds=31)
    (opened,) = await replicas.incidents()
    assert (
        opened.title
        == f"WatchdogSilent: Watchdog {WATCHDOG} has been silent since 2026-03-02 09:00:00 UTC (monitoring)"
    )
    assert (opened.severity, opened.service, opened.declared_by) == (Severity.SEV2, "monitoring", "alert:tocsin")
    await replicas.look(times=4, seconds=30)
    assert len(await replicas.incidents()) == 1
    await replicas.bark(at=2)
    await replicas.look(seconds=30)
    (after,) = await replicas.incidents()
    assert (after.alerts_firing, after.alerts_total) == (0, 1)
    assert [one.why for event in await replicas.events(1) if event.type == "alerts_reported" for one in event.facts][
        -1
    ] == "it comes again"


async def test_a_watchdog_that_falls_silent_again_soon_is_told_in_the_same_incident(replicas: Replicas) -> None:
    await replicas.look(times=22, seconds=30)
    await replicas.bark()
    await replicas.look(times=22, seconds=30)
    (state,) = await replicas.incidents()
    assert (state.alerts_firing, state.alerts_total) == (1, 2)


async def test_a_watchdog_never_heard_of_counts_from_when_it_was_first_watched(replicas: Replicas) -> None:
    await replicas.look(times=19, seconds=30)
    assert await replicas.incidents() == []
    await replicas.look(times=3, seconds=30)
    assert "2026-03-02 09:00:30" in (await replicas.incidents())[0].title


async def test_what_was_not_heard_while_nobody_listened_is_no_silence(replicas: Replicas) -> None:
    await replicas.look()
    await replicas.bark()
    replicas.pass_by(hours=3)
    await replicas.look()
    assert await replicas.incidents() == []
    await replicas.look(times=18, seconds=30)
    assert await replicas.incidents() == []
    await replicas.look(times=4, seconds=30)
    assert len(await replicas.incidents()) == 1


async def test_a_watchdog_that_keeps_coming_writes_a_look_no_more_often_than_needed(replicas: Replicas) -> None:
    await replicas.look()
    first = (await replicas.houses[0].database.watches())[WATCHDOG]
    replicas.pass_by(seconds=5)
    await replicas.look()
    assert (await replicas.houses[0].database.watches())[WATCHDOG] == first


async def test_an_alert_that_nobody_reports_any_more_is_closed_once_and_says_since_when(replicas: Replicas) -> None:
    await replicas.report(alert("a", team="a"), alert("b", team="a"))
    replicas.pass_by(hours=23)
    await replicas.report(alert("b", team="a"), at=1)
    await replicas.sweep()
    assert (await replicas.incidents())[0].alerts_firing == 2
    replicas.pass_by(hours=2)
    await replicas.sweep()
    await replicas.sweep()
    (state,) = await replicas.incidents()
    assert state.alerts_firing == 1
    told = [event for event in await replicas.events(1) if event.type == "alerts_reported"]
    assert [event.closed for event in told] == [0, 1]
    assert told[-1].facts[0].why == "not seen since 2026-03-02 09:00 UTC, which is over 1d ago"
    (answer,) = (await replicas.report(alert("a", team="a"))).fields["results"]
    assert answer["outcome"] == "attached"  # it fires after all: again in its own incident


async def test_an_alert_seen_between_the_look_and_the_commit_stays_open(replicas: Replicas) -> None:
    await replicas.report(alert("a", team="a"))
    house = replicas.houses[0]
    replicas.pass_by(hours=25)
    found = await house.database.unseen(house.clock() - timedelta(hours=24), (), 10)
    await replicas.report(alert("a", team="a"), at=1)
    late = CloseStale(tuple(found), timedelta(hours=24), POLICY, await replicas.library.fresh(), house.clock())
    await house.committer.submit(late)
    assert (await replicas.incidents())[0].alerts_firing == 1


async def test_senders_that_never_repeat_themselves_are_not_swept(replicas: Replicas) -> None:
    await replicas.report(alert("a", team="a", source="pagerduty"))
    replicas.pass_by(days=3)
    await replicas.sweep()
    assert (await replicas.incidents())[0].alerts_firing == 1
