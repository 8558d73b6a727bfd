"""What the house could not deliver of its own, on both databases: listed while it is news, tried again once."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain.alerts import AlertBatch
from bot.domain.notices import HOUSE, Notice
from bot.domain.policy import Policy
from bot.domain.refusals import NothingUndelivered
from bot.domain.runbook_match import Shelf
from bot.domain.undelivered import about
from bot.ports.delivery import Job
from bot.ports.store import Answer, Settled
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.home import ShowHomes
from bot.usecases.notices import Announce
from bot.usecases.queries import Queries, Viewer
from bot.usecases.settling import Settle
from bot.usecases.undelivered import TryAgain
from tests.storage.house import ANN, BOB, House, open_house
from tests.support.alerts import alert

ASKING = Policy.model_validate(
    {
        "routes": [{"match": ['severity="warning"'], "action": "triage", "private": True}],
        "triage": {"channel": "security"},
        "services": {"checkout": {"owners": [ANN]}},
    }
)


async def say(house: House, *keys: str) -> None:
    notices = tuple(Notice(key=key, template="digest", channel="ops") for key in keys)
    await house.committer.submit(Announce(notices))


async def refuse(house: House, job: Job, command: c.Command | None = None) -> None:
    """Give `job` up, as the carrier does."""
    gone = Settled(job.id, job.token, "failed", house.clock(), error="is_archived", mend="Unarchive it.")
    await house.committer.submit(Settle(gone, HOUSE, command, house.policy))


async def refuse_all(house: House) -> None:
    while jobs := await house.claim():
        for job in jobs:
            await refuse(house, job)


async def again(house: House, effect: str = "", *, trusted: bool = False) -> Answer:
    return await house.committer.submit(TryAgain(Request(ANN), c.Redeliver(effect), trusted))


async def listed(house: House) -> list[str]:
    return [one.id for one in await house.database.undelivered()]


async def ask(house: House, status: str = "firing") -> None:
    batch = AlertBatch(source="alertmanager", alerts=(alert("f1", status, service="checkout", severity="warning"),))
    await house.committer.submit(ReportBatch(Request("alert:am"), batch, ASKING, Shelf(), house.clock()))


async def test_what_gave_up_says_why_and_what_mends_it_until_a_person_tries_it_again(house: House) -> None:
    await say(house, "digest/2026-03-02")
    (job,) = await house.claim()
    await refuse(house, job)
    (one,) = await house.database.undelivered()
    assert (one.id, one.effect, one.to, one.at) == (job.id, job.effect, "ops", house.clock())
    assert (one.error, one.mend) == ("is_archived", "Unarchive it.")
    house.clock.pass_(hours=30)
    assert await house.claim() == [], "nobody has asked for it"
    assert (await again(house)).fields["effects"] == [job.id]
    assert await listed(house) == []
    (repeat,) = await house.claim()
    assert (repeat.id, repeat.notice) == (job.id, job.notice)
    assert repeat.first_at is not None, "whoever carries it out looks before it repeats"
    assert repeat.created_at == house.clock(), "it has its whole time once more"
    await house.settle(repeat)
    assert await listed(house) == []
    (line,) = await house.database.audit()
    assert (line.actor, line.action, line.outcome) == (ANN, "redeliver", "done")


async def test_refused_once_more_it_stands_there_once_more(house: House) -> None:
    await say(house, "digest/2026-03-02")
    await refuse_all(house)
    await again(house)
    await refuse_all(house)
    assert await listed(house) == ["notice:digest/2026-03-02"]


async def test_one_of_several_is_tried_again_by_its_id(house: House) -> None:
    await say(house, "alarm/signature/2026-03-02T09", "digest/2026-03-02")
    await refuse_all(house)
    assert len(await listed(house)) == 2
    await again(house, "notice:digest/2026-03-02")
    assert await listed(house) == ["notice:alarm/signature/2026-03-02T09"]
    with pytest.raises(NothingUndelivered):
        await again(house, "notice:digest/2026-03-02")


async def test_tried_again_by_two_at_once_it_is_told_once(database_url: str) -> None:
    async with open_house(database_url) as one, open_house(database_url, one.clock) as other:
        await say(one, "digest/2026-03-02")
        await refuse_all(one)
        answers = await asyncio.gather(*(again(house) for house in (one, other, one, other)), return_exceptions=True)
        assert [type(answer) for answer in answers].count(NothingUndelivered) == 3
        assert len(await one.database.audit()) == 1
        assert len(await one.claim()) == 1


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("digest/2026-03-02", "digest/2026-03-03"),
        ("alarm/signature/pagerduty/2026-03-02T09", "alarm/signature/pagerduty/2026-03-02T10"),
        ("handover/primary/2026-03-02T08:00:00Z", "handover/primary/2026-03-09T08:00:00Z"),
        ("handover/primary/2026-03-02T08:00:00Z/U0001", "handover/primary/2026-03-09T08:00:00Z/U0001"),
        ("override/3/override_made", "override/3/override_cancelled"),
        ("page-test/1772442000000000.u0001/U0002", "page-test/1772442000000009.u0003/U0002"),
    ],
)
def test_newer_news_of_the_same_makes_it_old(older: str, newer: str) -> None:
    assert about(f"notice:{older}", None) == about(f"notice:{newer}", None)


def test_news_of_something_else_does_not() -> None:
    keys = (
        "digest/2026-03-02", "alarm/signature/pagerduty/2026-03-02T09", "alarm/legacy/pagerduty/2026-03-02T09",
        "handover/primary/2026-03-02T08:00:00Z", "handover/primary/2026-03-02T08:00:00Z/U0001",
        "handover/primary/2026-03-02T08:00:00Z/U0002", "handover/payments/2026-03-02T08:00:00Z",
        "override/3/override_made", "override/4/override_made",
        "page-test/1772442000000000.u0001/U0002", "page-test/1772442000000000.u0001/U0003",
        "page-test/1772442000000000.u0001/U0002/got",
    )  # fmt: skip
    effects = [f"notice:{key}" for key in keys]
    effects += ["page-test:1772442000000000.x:default", "page-test:1772442000000000.x:other"]
    effects += ["triage:1234567890.1.0", "triage:1234567890.1.1", "triage:1234567890.2.0"]
    assert len({about(effect, None) for effect in effects}) == len(effects)


async def test_what_is_old_news_is_not_told_any_more(house: House) -> None:
    await say(house, "digest/2026-03-02")
    await refuse_all(house)
    await say(house, "digest/2026-03-03")
    assert await listed(house) == [], "the new one is on its way"
    with pytest.raises(NothingUndelivered):
        await again(house)
    (job,) = await house.claim()
    await house.settle(job)
    assert await listed(house) == []


async def test_of_a_home_only_the_last_picture_is_missed_and_none_once_it_was_drawn(house: House) -> None:
    for nonce in ("a", "b"):
        await house.committer.submit(ShowHomes((ANN, BOB), nonce))
        await refuse_all(house)
    assert await listed(house) == [f"home:{ANN}:b", f"home:{BOB}:b"]
    await house.committer.submit(ShowHomes((ANN,), "c"))
    await house.finish()
    assert await listed(house) == [f"home:{BOB}:b"]


async def test_a_question_is_asked_again_as_long_as_it_is_one_and_a_private_one_by_who_sees_all(house: House) -> None:
    await ask(house)
    (job,) = await house.claim()
    assert job.question
    await refuse(house, job, c.QuestionUnasked(job.question.id, job.question.to[0]))
    (one,) = await house.database.undelivered()
    assert (one.private, one.to) == (True, job.question.to[0])
    queries = Queries(house.database, ASKING, house.clock, public_url="")
    assert await queries.undelivered(Viewer(ANN)) == []
    assert [seen["effect"] for seen in await queries.undelivered(Viewer("cli:ann", trusted=True))] == [job.id]
    with pytest.raises(NothingUndelivered):
        await again(house)
    with pytest.raises(NothingUndelivered):
        await again(house, job.id)
    await again(house, trusted=True)
    (repeat,) = await house.claim()
    assert repeat.question == job.question
    await refuse(house, repeat, c.QuestionUnasked(job.question.id, job.question.to[0]))
    await ask(house, "resolved")
    assert await listed(house) == [], "nobody has to be asked any more"


async def test_it_is_forgotten_with_its_words(house: House) -> None:
    await say(house, "digest/2026-03-02")
    (job,) = await house.claim()
    house.clock.pass_(days=1)
    await refuse(house, job)
    house.clock.pass_(days=6, hours=1)
    await house.database.purge(house.clock())
    assert await listed(house) == [], "without words it cannot be told"
    assert (await house.database.stats()).failed == 1
    house.clock.pass_(days=1)
    await house.database.purge(house.clock())
    assert (await house.database.stats()).failed == 0


async def test_what_a_person_sent_on_its_way_is_kept_until_it_is_told(house: House) -> None:
    await say(house, "digest/2026-03-02")
    await refuse_all(house)
    house.clock.pass_(days=6)
    await again(house)
    house.clock.pass_(days=3)
    await house.database.purge(house.clock(), kept=timedelta(0))
    (job,) = await house.claim()
    assert job.notice is not None
