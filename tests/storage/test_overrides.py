"""Overrides of on-call on both databases: numbered without gaps by several replicas, read until they are over."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.commands import CancelOverride, OverrideOnCall
from bot.domain.policy import Policy
from bot.domain.refusals import UnknownOverride
from bot.usecases.cases import Request
from bot.usecases.overrides import Overriding
from tests.storage.house import ANN, BOB, House, open_house

POLICY = Policy.model_validate({"oncall": {"primary": {"people": [ANN]}}})


def putting(house: House, hours: int = 1) -> Overriding:
    start = house.clock()
    return Overriding(Request(ANN), OverrideOnCall("primary", BOB, start, start + timedelta(hours=hours)), POLICY)


async def test_replicas_that_make_overrides_at_once_number_them_without_a_gap(database_url: str) -> None:
    async with open_house(database_url) as one, open_house(database_url) as other:
        cases = [house.committer.submit(putting(house)) for _ in range(5) for house in (one, other)]
        numbers = [answer.fields["number"] for answer in await asyncio.gather(*cases)]
        assert sorted(numbers) == list(range(1, 11))
        assert [kept.number for kept in await other.database.overrides(one.clock())] == list(range(1, 11))


async def test_an_override_is_read_as_it_was_made_until_it_is_over_or_cancelled(house: House) -> None:
    await house.committer.submit(putting(house))
    (kept,) = await house.database.overrides(house.clock())
    assert (kept.schedule, kept.user, kept.by, kept.end - kept.start) == ("primary", BOB, ANN, timedelta(hours=1))
    assert await house.database.overrides(kept.end) == []
    cancel = Overriding(Request(BOB), CancelOverride(kept.number), POLICY)
    await house.committer.submit(cancel)
    assert await house.database.overrides(house.clock()) == []
    with pytest.raises(UnknownOverride):
        await house.committer.submit(cancel)
    assert (await house.committer.submit(putting(house))).fields["number"] == 2
    assert [line.action for line in await house.database.audit()] == [
        "override_on_call", "cancel_override", "override_on_call",
    ]  # fmt: skip
