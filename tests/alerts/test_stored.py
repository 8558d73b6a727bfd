"""Deliveries through the real committer, on both databases: twins in flight, floods, restarts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.domain.alerts import Alert, AlertBatch
from bot.domain.commands import Merge
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.ports.store import Answer
from bot.storage.database import Database, open_database
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Act, Request
from bot.usecases.committer import Committer
from bot.usecases.tracing import trace
from tests.support.alerts import alert

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as opened:
        yield opened


@pytest.fixture
async def committer(database: Database) -> AsyncIterator[Committer]:
    async with Committer(database, lambda: NOW) as opened:
        yield opened


def send(committer: Committer, *alerts: Alert, command_id: str = "") -> asyncio.Task[Answer]:
    """Put one delivery on its way."""
    batch = AlertBatch(source=alerts[0].source, alerts=alerts)
    case = ReportBatch(Request(f"alert:{batch.source}", command_id), batch, Policy(), Shelf())
    return asyncio.create_task(committer.submit(case))


def firing(fingerprint: str = "f1") -> Alert:
    return alert(fingerprint, service="checkout", severity="critical")


async def test_identical_deliveries_in_flight_at_once_open_one_incident(
    database: Database, committer: Committer
) -> None:
    answers = await asyncio.gather(*[send(committer, firing()) for _ in range(8)])
    assert sorted(a.fields["outcome"] for a in answers) == ["opened", *["unchanged"] * 7]
    assert [state.alerts_firing for state in await database.incidents()] == [1]
    assert len(await database.episodes(1)) == 1


async def test_two_replicas_that_get_the_same_alert_open_one_incident(
    database: Database, committer: Committer, database_url: str
) -> None:
    async with open_database(database_url) as theirs, Committer(theirs, lambda: NOW) as twin:
        answers = await asyncio.gather(*[send(door, firing()) for door in (committer, twin) for _ in range(3)])
    assert sorted(a.fields["outcome"] for a in answers) == ["opened", *["unchanged"] * 5]
    assert len(await database.incidents()) == 1


async def test_four_hundred_alerts_are_stored_as_one_incident(database: Database, committer: Committer) -> None:
    answer = await send(committer, *[firing(f"f{n}") for n in range(400)])
    assert len(answer.fields["results"]) == 400
    (state,) = await database.incidents()
    assert (state.alerts_firing, state.alerts_total) == (400, 400)
    assert len(await database.episodes(1)) == 400
    assert await database.verify() == []


async def test_fire_resolve_and_fire_again_are_two_episodes_of_one_incident(
    database: Database, committer: Committer
) -> None:
    for given in (firing(), firing().model_copy(update={"status": "resolved"}), firing()):
        await send(committer, given)
    episodes = await database.episodes(1)
    assert [episode.is_open for episode in episodes] == [False, True]
    assert [episode.why.split(";")[0] for episode in episodes] == ['severity="critical" → SEV1', "fires again in INC-1"]
    (state,) = await database.incidents()
    assert (state.alerts_firing, state.alerts_total) == (1, 2)


async def test_why_names_the_route_or_says_that_none_matched(database: Database, committer: Committer) -> None:
    await send(committer, firing())
    state, events, alerts = await database.incident(1), await database.events(1), await database.episodes(1)
    assert state is not None
    assert trace(state, events, alerts, [])["alerts"][0]["route"] == "no route matched: default triage"


async def test_a_repeated_event_is_answered_from_the_inbox_after_a_restart(
    database: Database, committer: Committer, database_url: str
) -> None:
    first = await send(committer, firing(), command_id="pagerduty:E1")
    async with open_database(database_url) as reopened, Committer(reopened, lambda: NOW) as again:
        assert await send(again, firing(), command_id="pagerduty:E1") == first
    assert len(await database.incidents()) == 1


async def test_alerts_of_a_merged_incident_go_on_in_the_other_one(database: Database, committer: Committer) -> None:
    mail = alert("f2", service="mail", severity="critical")
    await send(committer, firing(), mail)
    await committer.submit(Act(Request("U0001"), 2, Merge(into=1), Policy()))
    await send(committer, mail.model_copy(update={"status": "resolved"}))
    answer = await send(committer, mail)
    assert (answer.fields["outcome"], answer.incident) == ("attached", 1)
    assert len(await database.incidents()) == 2
