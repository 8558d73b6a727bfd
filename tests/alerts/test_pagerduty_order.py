"""PagerDuty's events in any order, through the real door into both databases: the order is the sender's, not ours."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.policy import Policy
from bot.domain.routes import Route
from bot.domain.timeline import sentence
from tests.support.alert_door import DoorHouse, door_house
from tests.support.pagerduty import incident, reference


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[DoorHouse]:
    async with door_house(database_url) as opened:
        yield opened


def acked(number: int = 1, **more: object) -> dict[str, object]:
    return incident(number, status="acknowledged", **more)


# --- who answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["escalated", "reassigned"])
async def test_an_acknowledgement_that_comes_after_later_news_still_stops_the_response_timer(
    house: DoorHouse, kind: str
) -> None:
    """The later event tells nothing of who answers, so nothing has undone the acknowledgement."""
    await house.pagerduty("triggered", incident(), "12:00:01")
    await house.pagerduty(kind, {k: v for k, v in incident().items() if k != "status"}, "12:00:03")
    assert (await house.state(1)).respond_by is not None
    told = await house.pagerduty("acknowledged", acked(), "12:00:02")
    assert told["outcome"] == "updated"
    state = await house.state(1)
    assert (state.acknowledged_by, state.respond_by) == ("pagerduty:Dana Whitfield", None)
    due = await house.database.due_timers(house.now.replace(year=2027), 10)
    assert "respond" not in [timer.kind for timer in due]


@pytest.mark.parametrize("kind", ["priority_updated", "reassigned"])
async def test_an_event_that_shows_an_acknowledged_incident_stops_the_calls_before_its_acknowledgement_comes(
    house: DoorHouse, kind: str
) -> None:
    await house.pagerduty("triggered", incident(), "12:00:01")
    told = await house.pagerduty(kind, acked(priority={"summary": "P1"}), "12:00:03")
    assert told["outcome"] == "updated"
    assert (await house.state(1)).acknowledged_by == "pagerduty:"
    late = await house.pagerduty("acknowledged", acked(), "12:00:02")
    assert late["outcome"] == "unchanged"
    assert (await house.state(1)).respond_by is None


@pytest.mark.parametrize("kind", ["unacknowledged", "reassigned", "reopened"])
async def test_an_acknowledgement_from_before_pagerduty_calls_people_again_comes_too_late(
    house: DoorHouse, kind: str
) -> None:
    await house.pagerduty("triggered", incident(), "12:00:01")
    await house.pagerduty(kind, incident(), "12:00:03")
    late = await house.pagerduty("acknowledged", acked(), "12:00:02")
    assert (late["outcome"], late["reason"]) == (
        "ignored",
        "older than what is known: it came late and changes nothing",
    )
    assert (await house.state(1)).respond_by is not None


async def test_an_acknowledgement_taken_back_is_remembered_though_it_came_late_itself(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(), "12:00:01")
    await house.pagerduty("escalated", {k: v for k, v in incident().items() if k != "status"}, "12:00:05")
    await house.pagerduty("unacknowledged", incident(), "12:00:04", agent=None)
    late = await house.pagerduty("acknowledged", acked(), "12:00:03")
    assert late["outcome"] == "ignored"
    assert (await house.state(1)).respond_by is not None


async def test_taking_back_an_acknowledgement_is_no_news_when_it_was_given_again_since(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(), "12:00:01")
    await house.pagerduty("acknowledged", acked(), "12:00:05")
    late = await house.pagerduty("unacknowledged", incident(), "12:00:03", agent=None)
    assert late["outcome"] == "ignored"
    assert "sender_reported" not in [item.event.type for item in await house.log(1)]


async def test_an_acknowledgement_of_our_own_page_from_before_it_was_taken_back_comes_too_late(
    house: DoorHouse,
) -> None:
    page = {"incident_key": "tocsin/acme/INC-1/default"}
    await house.pagerduty("triggered", incident(9), "12:00:01")
    await house.pagerduty("triggered", incident(5, **page), "12:00:02")
    await house.pagerduty("unacknowledged", incident(5, **page), "12:00:08", agent=None)
    await house.pagerduty("acknowledged", acked(5, **page), "12:00:06")
    assert (await house.state(1)).acknowledged_at is None
    await house.pagerduty("acknowledged", acked(5, **page), "12:00:09")
    assert (await house.state(1)).acknowledged_by == "pagerduty:Dana Whitfield"


# --- what comes before the incident it is about ---------------------------------------------------------------------


async def told(house: DoorHouse, number: int) -> list[str]:
    """What PagerDuty told of an incident."""
    return [sentence(item, f"INC-{number}") for item in await house.log(number) if item.event.type == "sender_reported"]


async def test_what_was_noted_before_the_incident_came_is_heard_with_it_in_its_order(house: DoorHouse) -> None:
    second = await house.pagerduty("annotated", reference(content="rolled back"), "12:00:03")
    assert (second["outcome"], second["incident"]) == ("ignored", None)
    assert second["reason"] == "about Q1, which is no incident here yet: kept for 2d, in case it comes late"
    await house.pagerduty("annotated", reference(content="looking"), "12:00:02")
    call = reference(conference_url="https://meet.example/1")
    await house.pagerduty("conference_bridge.updated", call, "12:00:04")
    opened = await house.pagerduty("triggered", incident(), "12:00:01")
    assert (opened["outcome"], opened["incident"]) == ("opened", "INC-1")
    assert await told(house, 1) == [
        "Dana Whitfield (PagerDuty) noted: looking",
        "Dana Whitfield (PagerDuty) noted: rolled back",
    ]
    assert (await house.state(1)).call_url == "https://meet.example/1"
    await house.pagerduty("escalated", incident(), "12:00:05")
    assert len([one for one in await told(house, 1) if "noted" in one]) == 2, "heard once"


async def test_a_note_on_our_own_page_before_its_trigger_is_heard_with_it(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(1), "12:00:01")
    await house.pagerduty("annotated", reference(5, content="looking"), "12:00:03")
    page = {"incident_key": "tocsin/acme/INC-1/default"}
    await house.pagerduty("triggered", incident(5, **page), "12:00:02")
    assert "Dana Whitfield (PagerDuty) noted: looking" in await told(house, 1)
    after = await house.pagerduty("annotated", reference(5, content="done"), "12:00:04")
    assert after["incident"] == "INC-1"


async def test_a_note_that_waited_longer_than_pagerduty_repeats_anything_is_forgotten(house: DoorHouse) -> None:
    await house.pagerduty("annotated", reference(content="last week"), "12:00:02")
    house.after(hours=49)
    await house.pagerduty("triggered", incident(), "13:00:00")
    assert await told(house, 1) == []


async def test_a_note_whose_incident_has_ended_unseen_opens_nothing(house: DoorHouse) -> None:
    await house.pagerduty("annotated", reference(content="looking"), "12:00:02")
    over = await house.pagerduty("resolved", incident(status="resolved"), "12:00:03")
    assert over["reason"] == "resolved, but its firing was never seen"
    assert (await house.pagerduty("triggered", incident(), "12:00:01"))["outcome"] == "ignored"
    assert await house.database.incidents() == []


async def test_what_never_opened_is_forgotten_when_nothing_can_come_late_any_more(house: DoorHouse) -> None:
    await house.pagerduty("resolved", incident(1, status="resolved"), "12:00:03")
    await house.pagerduty("annotated", reference(2, content="looking"), "12:00:03")
    await house.database.purge(house.now + timedelta(hours=71))
    assert (await house.pagerduty("triggered", incident(1), "12:00:01"))["outcome"] == "ignored"
    await house.database.purge(house.now + timedelta(hours=73))
    assert (await house.pagerduty("triggered", incident(1), "12:00:01"))["outcome"] == "opened"


async def test_a_note_while_people_are_asked_is_heard_once_they_have_declared(database_url: str) -> None:
    async with door_house(database_url, Policy(routes=(Route(action="triage"),))) as house:
        await house.pagerduty("triggered", incident(), "12:00:01")
        await house.pagerduty("annotated", reference(content="looking"), "12:00:02")
        await house.declare(("service", "checkout"), ("env", ""))
        await house.pagerduty("annotated", reference(content="rolled back"), "12:00:03")
        assert await told(house, 1) == [
            "Dana Whitfield (PagerDuty) noted: looking",
            "Dana Whitfield (PagerDuty) noted: rolled back",
        ]


# --- the same moment ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["triggered", "acknowledged", "escalated"])
async def test_of_a_resolve_and_another_event_of_the_same_moment_the_resolve_is_the_later(
    house: DoorHouse, kind: str
) -> None:
    await house.pagerduty("resolved", incident(status="resolved"), "12:00:03.250")
    assert (await house.pagerduty(kind, incident(), "12:00:03.250"))["outcome"] == "ignored"
    assert await house.database.incidents() == []


async def test_a_reopening_may_follow_the_resolve_within_the_same_moment(house: DoorHouse) -> None:
    await house.pagerduty("triggered", incident(), "12:00:01")
    await house.pagerduty("resolved", incident(status="resolved"), "12:00:03.250")
    assert (await house.pagerduty("reopened", incident(), "12:00:03.250"))["outcome"] == "attached"
    assert (await house.state(1)).alerts_firing == 1
