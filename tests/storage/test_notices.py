"""What the house itself has to say, and what nothing could be made of: in the queue, kept for a while, forgotten."""

import asyncio
from datetime import timedelta

from bot.domain.notices import HOUSE, Notice
from bot.ports.store import Superseded
from bot.usecases.notices import Announce, alarm
from bot.usecases.unusable import KeepUnusable
from tests.storage.house import House, open_house


def notice(key: str = "handover/primary/2026-03-02", channel: str = "ops", rank: int = 3) -> Notice:
    """Return a notice whose words came from outside."""
    return Notice(key=key, template="handover", channel=channel, fields={"text": "<!channel> 'quoted'"}, rank=rank)


async def test_a_notice_is_delivered_like_everything_else_with_its_words(house: House) -> None:
    await house.committer.submit(Announce((notice(),)))
    (job,) = await house.claim()
    assert (job.id, job.effect.kind, job.notice) == ("notice:handover/primary/2026-03-02", "post_notice", notice())
    assert (job.state.number, job.first_at) == (HOUSE, None)
    assert await house.claim("w2") == []
    await house.settle(job)
    assert await house.claim() == []


async def test_it_disturbs_no_incident_and_no_number(house: House) -> None:
    await house.committer.submit(Announce((notice(),)))
    assert await house.open() == 1
    assert [state.number for state in await house.database.incidents()] == [1]
    assert await house.database.incident(HOUSE) is None
    assert await house.database.verify() == []


async def test_replicas_that_say_the_same_at_once_say_it_once(database_url: str) -> None:
    async with open_house(database_url) as one, open_house(database_url, one.clock) as other:
        answers = await asyncio.gather(
            *(house.committer.submit(Announce((notice(),))) for house in (one, other, one, other))
        )
        assert sum(len(answer.fields["said"]) for answer in answers) == 1
        assert len(await one.claim()) == 1


async def test_notices_to_one_channel_go_in_order_and_the_most_urgent_channel_first(house: House) -> None:
    await house.committer.submit(Announce((notice("a"), notice("b"), notice("c", "other", rank=1))))
    assert [job.id for job in await house.claim()] == ["notice:c", "notice:a"]


async def test_a_worker_that_lost_its_claim_records_nothing(database_url: str) -> None:
    async with open_house(database_url, lease=-1.0) as house:
        await house.committer.submit(Announce((notice(),)))
        (first,) = await house.claim("w1")
        (second,) = await house.claim("w2")
        assert second.first_at is not None, "the second looks before it repeats"
        try:
            await house.settle(first)
        except Superseded:
            pass
        else:
            raise AssertionError
        await house.settle(second)


async def test_an_alarm_is_raised_again_after_an_hour_not_before(house: House) -> None:
    async def raised() -> int:
        case = alarm("signature/pagerduty", house.clock(), channel="ops", template="signature_refused", sender="x")
        return len((await house.committer.submit(case)).fields["said"])

    assert await raised() == 1
    house.clock.pass_(minutes=59)
    assert await raised() == 0
    house.clock.pass_(minutes=1)
    assert await raised() == 1


async def test_what_was_said_is_forgotten_after_a_while_and_what_waits_is_not(house: House) -> None:
    await house.committer.submit(Announce((notice("a"), notice("b", "other"))))
    for job in await house.claim():
        await house.settle(job, "done" if job.id == "notice:a" else "retry", not_before=house.clock())
    house.clock.pass_(days=8)
    await house.database.purge(house.clock())
    assert [job.notice for job in await house.claim()] == [notice("b", "other")]
    again = await house.committer.submit(Announce((notice("a"),)))
    assert again.fields["said"] == ["a"]


async def test_what_nothing_could_be_made_of_is_kept_once_counted_and_forgotten_after_a_week(house: House) -> None:
    for raw in (b"{", b"{", b"\xff\x00", b"x" * 200_000):
        await house.committer.submit(KeepUnusable("pagerduty", "the body is not JSON", raw))
    assert (await house.database.stats()).unusable == {"pagerduty": 4}
    house.clock.pass_(days=6)
    await house.committer.submit(KeepUnusable("pagerduty", "the body is not JSON", b"{"))
    await house.database.purge(house.clock(), unusable_kept=timedelta(days=5))
    assert (await house.database.stats()).unusable == {"pagerduty": 3}, "seen today, as often as it came"
    house.clock.pass_(days=8)
    await house.database.purge(house.clock())
    assert (await house.database.stats()).unusable == {}
