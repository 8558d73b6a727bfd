"""Merges in PagerDuty, through the real door into both databases: closed is no fix, yet nothing fires for ever."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.policy import Policy
from bot.domain.routes import Route
from bot.domain.timeline import sentence
from tests.support.alert_door import DoorHouse, door_house
from tests.support.pagerduty import incident, merged

SEARCH = {"service": {"id": "P2", "summary": "search"}, "title": "Search is down"}
MAIL = {"service": {"id": "P3", "summary": "mail"}, "title": "Mail is down"}


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[DoorHouse]:
    async with door_house(database_url) as opened:
        yield opened


async def firing(house: DoorHouse, *numbers: int) -> list[int]:
    return [(await house.state(number)).alerts_firing for number in numbers]


async def merge(house: DoorHouse, number: int, into: int, at: str) -> dict[str, Any]:
    return await house.pagerduty("resolved", merged(number, into), at)


async def resolve(house: DoorHouse, number: int, at: str, **more: Any) -> dict[str, Any]:
    return await house.pagerduty("resolved", incident(number, status="resolved", **more), at)


async def last(house: DoorHouse, number: int) -> str:
    return sentence((await house.log(number))[-1], f"INC-{number}")


async def test_what_was_merged_into_another_incidents_alert_ends_with_that(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("triggered", incident(2, **SEARCH), "12:00:02")
    told = await merge(house, 1, 2, "12:00:03")
    assert (told["outcome"], told["incident"]) == ("updated", "INC-1")
    said = "Dana Whitfield (PagerDuty) merged its incident into [#2] Another one, which is INC-2 here"
    assert await last(house, 1) == said
    assert await firing(house, 1, 2) == [1, 1], "a merge is no fix"
    over = await resolve(house, 2, "12:00:04", **SEARCH)
    assert [(one["incident"], one["outcome"]) for one in over["results"]] == [
        ("INC-2", "resolved"),
        ("INC-1", "resolved"),
    ]
    assert over["results"][1]["reason"] == "it was merged into Search is down, which has resolved"
    assert await firing(house, 1, 2) == [0, 0]
    assert await house.database.verify() == []


async def test_a_merge_says_nothing_in_public_of_a_private_incident(database_url: str) -> None:
    policy = Policy(routes=(Route(match=('service="search"',), private=True),))
    async with door_house(database_url, policy) as house:
        await house.pagerduty("triggered", incident(1), "12:00:01")
        await house.pagerduty("triggered", incident(2, **SEARCH), "12:00:02")
        assert (await house.state(2)).private
        await merge(house, 1, 2, "12:00:03")
        assert await last(house, 1) == "Dana Whitfield (PagerDuty) merged its incident into [#2] Another one"


async def test_a_merge_that_is_repeated_is_told_once(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    assert (await merge(house, 1, 2, "12:00:03"))["outcome"] == "updated"
    again = await merge(house, 1, 2, "12:00:03")
    assert (again["outcome"], again["incident"]) == ("unchanged", "INC-1")


async def test_what_was_merged_into_something_never_seen_here_ends_with_it(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await merge(house, 1, 7, "12:00:03")
    await house.database.purge(house.now.replace(year=2027))
    assert (await resolve(house, 7, "12:00:09", **SEARCH))["outcome"] == "resolved"
    assert await firing(house, 1) == [0]


async def test_what_was_merged_into_something_seen_later_ends_with_it(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await merge(house, 1, 7, "12:00:03")
    assert (await house.pagerduty("triggered", incident(7, **SEARCH), "12:00:02"))["incident"] == "INC-2"
    assert await firing(house, 1, 2) == [1, 1]
    await resolve(house, 7, "12:00:09", **SEARCH)
    assert await firing(house, 1, 2) == [0, 0]


async def test_a_merge_that_comes_after_the_end_of_the_other_one_ends_it_at_once(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("triggered", incident(2, **SEARCH), "12:00:02")
    await resolve(house, 2, "12:00:09", **SEARCH)
    told = await merge(house, 1, 2, "12:00:03")
    assert (told["outcome"], told["reason"]) == ("resolved", "merged into Search is down, which has resolved")
    assert await firing(house, 1) == [0]


@pytest.mark.parametrize("order", [("1>2", "2>3"), ("2>3", "1>2")])
async def test_merged_into_one_that_was_merged_itself_ends_with_the_last(
    house: DoorHouse, order: tuple[str, str]
) -> None:
    for number, more in ((1, {}), (2, SEARCH), (3, MAIL)):
        await house.pagerduty("triggered", incident(number, **more), f"12:00:0{number}")
    for step in order:
        await merge(house, int(step[0]), int(step[2]), f"12:00:1{step[0]}")
    assert await firing(house, 1, 2, 3) == [1, 1, 1]
    await resolve(house, 3, "12:00:30", **MAIL)
    assert await firing(house, 1, 2, 3) == [0, 0, 0]


async def test_two_alerts_of_one_incident_count_as_one_when_they_are_merged(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("triggered", incident(2), "12:00:02")
    told = await merge(house, 1, 2, "12:00:03")
    assert (told["outcome"], told["reason"]) == ("resolved", "merged into another alert of this incident")
    assert await firing(house, 1) == [1]


async def test_a_merged_one_that_pagerduty_opens_again_stands_for_itself(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("triggered", incident(2, **SEARCH), "12:00:02")
    await merge(house, 1, 2, "12:00:03")
    await house.pagerduty("reopened", incident(1), "12:00:04")
    await resolve(house, 2, "12:00:05", **SEARCH)
    assert await firing(house, 1, 2) == [1, 0]


async def test_a_merge_whose_trigger_comes_late_opens_nothing(house: DoorHouse) -> None:
    assert (await merge(house, 1, 2, "12:00:03"))["outcome"] == "ignored"
    assert (await house.pagerduty("triggered", incident(1), "12:00:01"))["outcome"] == "ignored"
    assert await house.database.incidents() == []


async def test_what_was_merged_into_the_page_of_another_incident_ends_with_the_page(house: DoorHouse) -> None:
    page = {"incident_key": "tocsin/acme/INC-1/default"}
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("triggered", incident(2, **SEARCH), "12:00:02")
    await house.pagerduty("triggered", incident(5, **page), "12:00:03")
    await merge(house, 2, 5, "12:00:04")
    assert (await last(house, 2)).endswith("[#5] Another one, which is INC-1 here")
    await resolve(house, 5, "12:00:05", **page)
    assert await firing(house, 1, 2) == [1, 0]


async def test_what_was_merged_into_the_page_for_its_own_incident_is_that_page(house: DoorHouse) -> None:
    page = {"incident_key": "tocsin/acme/INC-1/default"}
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("triggered", incident(5, **page), "12:00:03")
    assert (await merge(house, 1, 5, "12:00:04"))["outcome"] == "resolved"
    assert await firing(house, 1) == [0]
