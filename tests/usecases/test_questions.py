"""Questions on both databases: one for each group, answered once, by whichever replica and whoever is first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.domain.alerts import AlertBatch
from bot.domain.commands import QuestionPlaced
from bot.domain.effects import AskTriage, ShowTriage
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.ports.delivery import Job
from bot.ports.store import Answer, Settled
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.settling import Settle
from bot.usecases.triaging import AnswerQuestion, Choice
from tests.storage.house import House, open_house
from tests.support.alerts import alert

POLICY = Policy.model_validate(
    {"routes": [{"match": ['severity="warning"'], "action": "triage"}], "triage": {"channel": "triage"}}
)


@pytest.fixture
async def houses(database_url: str) -> AsyncIterator[list[House]]:
    """Three processes on one database."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_house(database_url)) for _ in range(3)]


async def report(house: House, *fingerprints: str, status: str = "firing") -> Answer:
    alerts = tuple(alert(one, status, service="checkout", severity="warning") for one in fingerprints)
    batch = AlertBatch(source="alertmanager", alerts=alerts)
    return await house.committer.submit(ReportBatch(Request("alert:am"), batch, POLICY, Shelf(), house.clock()))


async def press(house: House, question: str, choice: Choice, who: str) -> Answer:
    return await house.committer.submit(AnswerQuestion(Request(who), question, choice, "C1", POLICY, Shelf()))


async def claimed(house: House) -> list[Job]:
    return await house.database.claim("me", 20, house.clock())


async def done(house: House, job: Job, command: QuestionPlaced | None = None) -> None:
    settled = Settled(job.id, job.token, "done", house.clock())
    await house.committer.submit(Settle(settled, 0, command, POLICY))


async def ask(house: House) -> Job:
    """Deliver the one question that waits, as version 1."""
    (job,) = await claimed(house)
    assert isinstance(job.effect, AskTriage)
    assert job.question is not None
    await done(house, job, QuestionPlaced(job.question.id, "triage", "C1", "1.1", job.question.version))
    return job


async def test_forty_deliveries_at_once_through_three_replicas_are_one_question_and_two_calls(
    houses: list[House],
) -> None:
    deliveries = [report(houses[n % 3], *(f"f{n}-{m}" for m in range(10))) for n in range(40)]
    await asyncio.gather(*deliveries)
    job = await ask(houses[0])
    assert job.question is not None
    assert (job.question.firing, job.question.total) == (400, 400)
    assert await claimed(houses[0]) == []
    await report(houses[1], "one-more")
    await report(houses[2], "and-another")
    (show,) = await claimed(houses[0])
    assert isinstance(show.effect, ShowTriage)
    assert show.question is not None
    assert show.question.total == 402
    assert show.question.places["triage"].ts == "1.1"


async def test_of_many_who_press_at_once_one_opens_the_incident(houses: list[House]) -> None:
    await report(houses[0], "a", "b")
    question = (await ask(houses[0])).question
    assert question is not None
    answers = await asyncio.gather(
        *(press(houses[n % 3], question.id, "declare" if n % 2 else "dismiss", f"U000000{n}") for n in range(9))
    )
    first = [one for one in answers if one.kind != "triage_decided"]
    assert len(first) == 1
    late = [one for one in answers if one.kind == "triage_decided"]
    assert len({one.fields["by"] for one in late}) == 1
    assert len(await houses[0].database.incidents()) == (1 if first[0].kind == "declared" else 0)


async def test_declared_its_alerts_are_the_incidents_own_and_resolve_there(houses: list[House]) -> None:
    await report(houses[0], "a", "b")
    question = (await ask(houses[0])).question
    assert question is not None
    await press(houses[1], question.id, "declare", "U0000001")
    found = await houses[2].database.episodes(1)
    assert [one.fingerprint for one in found] == ["a", "b"]
    await report(houses[2], "a", status="resolved")
    state = await houses[0].database.incident(1)
    assert state is not None
    assert (state.alerts_firing, state.alerts_total) == (1, 2)
    assert len(await houses[0].database.episodes(1)) == 2
    assert await houses[0].database.verify() == []


async def test_dismissed_is_remembered_by_every_replica_until_it_resolves(houses: list[House]) -> None:
    await report(houses[0], "a")
    question = (await ask(houses[0])).question
    assert question is not None
    await press(houses[1], question.id, "dismiss", "U0000001")
    for job in await claimed(houses[0]):
        await done(houses[0], job)
    answer = await report(houses[2], "a")
    assert answer.fields["outcome"] == "unchanged"
    assert await claimed(houses[0]) == []
    await report(houses[2], "a", status="resolved")
    await report(houses[1], "a")
    jobs: list[Any] = [job.effect for job in await claimed(houses[0])]
    assert [type(one) for one in jobs] == [AskTriage]
