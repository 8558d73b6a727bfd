"""Reminders: how often they come back, whose night they leave alone, what puts them off and what ends them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.effects import Tell
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status
from bot.domain.timeline import timeline
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.usecases.digests import digest
from bot.usecases.home import home
from tests.domain.room import POLICY, START, Room
from tests.render.slack_cases import TEMPLATES

ANNA, BOB, CY = "U0ANNA", "U0BOB", "U0CY"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEV1, SEV3 = Severity.SEV1, Severity.SEV3


def armed(room: Room) -> dict[str, datetime]:
    return {kind: due for (_, kind), due in room.loaded.timers.items()}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- the postmortem, until it is closed -----------------------------------------------------------------
def owing(policy: Policy = POLICY) -> Room:
    """A SEV1 resolved on a Saturday: its postmortem is due on Friday, at five."""
    return Room(policy).declare().furnish().do(c.AssignRole("lead", BOB)).do(c.Resolve("fixed"))


def test_an_overdue_postmortem_is_said_each_business_day_of_a_week_and_then_once_a_week() -> None:
    room, said = owing(), []
    for _ in range(8):
        room.ring("postmortem")
        assert room.events == ["postmortem_overdue"]
        assert "postmortem_overdue" in room.effects
        said.append(f"{room.now:%a %d %H:%M}")
    assert said == [
        "Fri 20 17:00", "Mon 23 17:00", "Tue 24 17:00", "Wed 25 17:00", "Thu 26 17:00", "Fri 27 17:00",
        "Fri 03 17:00", "Fri 10 17:00",
    ]  # fmt: skip
    assert armed(room)["postmortem"] == at("2026-04-17T17:00")


def test_reminded_of_or_not_it_stays_owed_where_people_look_until_it_is_closed() -> None:
    policy = Policy.model_validate({"channels": {"digest": "digest"}})
    room, due = owing(policy), at("2026-03-20T17:00")
    for _ in range(3):
        room.ring("postmortem")
        (owed,) = home(BOB, [room.state], [])["owed"]
        assert (owed["kind"], owed["due"]) == ("postmortem", "2026-03-20T17:00:00Z")
        told = digest([room.state], policy, room.now)
        assert told is not None
        assert told.fields["reviews"] == [{"key": "INC-1", "title": "Checkout is down", "due": due.isoformat()}]
        around = Surroundings(Texts(TEMPLATES), policy, Links("https://tocsin.example"))
        assert "Postmortem due <!date^1774026000" in str(Renderer(around).live("card", room.state))
        assert "postmortem" in armed(room)
    room.do(c.Close())
    assert home(BOB, [room.state], [])["owed"] == []
    assert room.state.postmortem_owed is None
    assert armed(room) == {}


def test_the_reminder_says_since_when_it_is_due_and_when_it_comes_again() -> None:
    room = owing().ring("postmortem").ring("postmortem")
    item = room.last.events[0].recorded
    around = Surroundings(Texts(TEMPLATES), POLICY, Links("https://tocsin.example"))
    said = Renderer(around).tell(Tell(template="postmortem_overdue"), item, room.state).words
    assert said.startswith(f"🕑 <@{BOB}>: *The postmortem of INC-1 is due* since <!date^1774026000")
    assert "until then I say so again <!date^1774371600" in said


def test_put_off_the_reminder_waits_and_the_due_day_stands() -> None:
    room = owing().do(c.Snooze("postmortem", 10 * DAY))
    assert armed(room)["postmortem"] == room.now + 10 * DAY
    assert room.state.postmortem_owed == at("2026-03-20T17:00")


def test_reopened_it_owes_no_postmortem_until_it_is_resolved_again() -> None:
    room = owing().ring("postmortem").do(c.Reopen("it is back"))
    assert room.state.postmortem_owed is None
    room.do(c.Resolve("now it is"))
    assert room.state.postmortem_owed == at("2026-03-27T17:00")


# --- the night of whom it would disturb -------------------------------------------------------------------
QUIET: dict[str, Any] = {"people": {BOB: {"quiet": "22:00-07:00", "timezone": "Europe/Berlin"}}}
NIGHT = at("2026-03-14T02:00")
"""Three o'clock in Berlin."""


def at_night(severity: Severity, **policy: Any) -> Room:
    room = Room(Policy.model_validate({**QUIET, **policy}))
    room.now = NIGHT
    return room.declare(severity=severity).furnish().do(c.AssignRole("lead", BOB), BOB)


def stale() -> Room:
    return at_night(SEV3)


def relieved() -> Room:
    return at_night(SEV1, severities={"sev1": {"relief_after": "1h"}})


def overdue() -> Room:
    calendar = {"timezone": "America/Los_Angeles", "end_of_business": "17:00"}
    return at_night(SEV1, organization=calendar).do(c.Resolve("fixed"))


@pytest.mark.parametrize(
    ("room", "kind", "fact"),
    [(stale, "stale", "went_stale"), (relieved, "relief", "relief_due"), (overdue, "postmortem", "postmortem_overdue")],
)
def test_a_reminder_that_can_wait_is_said_when_the_leads_night_is_over(room: Any, kind: str, fact: str) -> None:
    told: Room = room().ring(kind)
    assert told.events == ["timer_held"]
    assert told.effects == [], "nothing is said, and nobody is mentioned"
    until = armed(told)[kind]
    assert f"{until:%H:%M}" == "06:00", "seven in Berlin"
    (line,) = timeline(told.state, [new.recorded for new in told.last.events], ())
    assert line.text.endswith(f"waits for the end of <@{BOB}>'s quiet hours")
    told.ring(kind)
    assert told.now == until
    assert told.events == [fact]
    assert fact in told.effects


def test_what_somebody_does_meanwhile_still_counts() -> None:
    room = stale().ring("stale").wait(hours=1).do(c.PostUpdate("it goes on"), BOB)
    assert armed(room)["stale"] == room.now + 3 * DAY


def test_what_cannot_wait_does_not() -> None:
    room = at_night(SEV1).ring("update")
    assert room.events == ["update_overdue"]
    room = at_night(SEV1, severities={"sev1": {"roles": ["comms"]}}).ring("role")
    assert room.events == ["role_unfilled"]


def test_where_nobody_would_be_disturbed_nothing_waits() -> None:
    room = Room(Policy.model_validate(QUIET))
    room.now = NIGHT
    assert room.declare(severity=SEV3).furnish().ring("stale").events == ["went_stale"]


def test_of_somebody_who_is_always_quiet_it_is_said_all_the_same() -> None:
    room = at_night(SEV3, people={BOB: {"quiet": "00:00-24:00"}}).ring("stale")
    assert room.events == ["went_stale"]


def test_each_action_item_waits_for_the_night_of_its_own_owner() -> None:
    room = at_night(SEV3)
    for what, owner in (("look", BOB), ("write", CY), ("look again", BOB)):
        room.do(c.AddTask(what, owner, HOUR)).wait(seconds=1)
    room.ring("task").wait(seconds=2)
    assert room.events == ["timer_held"]
    room.ring("task")
    assert [(new.recorded.event.type, getattr(new.recorded.event, "number", 0)) for new in room.last.events] == [
        ("task_overdue", 2)
    ]
    assert armed(room)["task"] == at("2026-03-14T06:00")
    room.ring("task")
    assert [new.recorded.event.number for new in room.last.events] == [1, 3]  # type: ignore[union-attr]
    assert [new.recorded.event.late_by for new in room.last.events] == [0, 0]  # type: ignore[union-attr]
    assert "task" not in armed(room)


# --- action items put off ------------------------------------------------------------------------------------
def with_task(due: timedelta = HOUR) -> Room:
    return Room().declare().furnish().do(c.AddTask("add an alert", BOB, due))


@pytest.mark.parametrize("command", [c.AddTask("write it down", CY, 5 * DAY), c.CompleteTask(2)])
def test_an_action_item_that_was_put_off_stays_so_whatever_becomes_of_the_others(command: c.Command) -> None:
    room = with_task().do(c.AddTask("tell the others", CY)).do(c.Snooze("task", DAY))
    assert armed(room)["task"] == START + DAY
    room.do(command)
    assert armed(room)["task"] == START + DAY
    room.ring("task")
    assert [new.recorded.event.number for new in room.last.events] == [1]  # type: ignore[union-attr]


def test_an_action_item_that_comes_later_rings_at_its_own_time() -> None:
    room = with_task().do(c.Snooze("task", DAY)).do(c.AddTask("now", CY, timedelta(minutes=5)))
    assert armed(room)["task"] == START + timedelta(minutes=5)
    room.ring("task")
    assert armed(room)["task"] == START + DAY


def test_done_an_action_item_that_was_put_off_rings_no_more() -> None:
    assert "task" not in armed(with_task().do(c.Snooze("task", DAY)).do(c.CompleteTask(1)))


def test_an_action_item_is_not_put_off_to_a_time_before_it_is_due() -> None:
    room = with_task(5 * DAY)
    with pytest.raises(r.BadArgument, match="due later than that"):
        room.do(c.Snooze("task", DAY))
    assert armed(room)["task"] == START + 5 * DAY


# --- what ends them ------------------------------------------------------------------------------------------
def test_a_cancelled_incident_owes_nothing_and_takes_no_action_item_on() -> None:
    room = with_task().do(c.Cancel("a false alarm"))
    assert armed(room) == {}
    with pytest.raises(r.FinallyCancelled):
        room.do(c.AddTask("add an alert", BOB, HOUR))


def test_the_clock_of_a_channel_that_never_came_ends_too() -> None:
    policy = POLICY.model_copy(update={"channels": POLICY.channels.model_copy(update={"archive_after": DAY})})
    room = Room(policy).declare().do(c.Cancel("a false alarm")).ring("archive")
    assert room.effects == []
    assert (armed(room), room.state.archive_by) == ({}, None)
    room.do(c.RoomOpened("C1", "inc-1"), "tocsin")
    assert "archive_room" in room.effects, "it goes as soon as it is there"


def test_who_was_called_for_what_is_over_is_not_called_for_what_begins() -> None:
    room = Room().declare().furnish().ring("respond").do(c.PageSent("U0ONE", ok=True), "tocsin")
    room.do(c.Acknowledge(), "U0ONE").do(c.Resolve("fixed")).wait(hours=1).do(c.Reopen("it is back"))
    again = room.last.events[-1].recorded.event
    assert isinstance(again, e.PageRequested)
    assert again.reason == "SEV1 reopened"
    assert room.state.status is Status.INVESTIGATING
    assert room.state.reached == {"U0ONE": "paged"}
    assert (room.state.calls["U0ONE"].at, room.state.calls["U0ONE"].answered_at) == (room.now, None)
    around = Surroundings(Texts(TEMPLATES), POLICY, Links("https://tocsin.example"))
    card = Renderer(around).live("card", room.state).words
    assert "<@U0ONE>: ⏳ called" in card
    assert "acknowledged" not in card


def test_paged_again_by_a_person_who_has_answered_before_is_waited_for_again() -> None:
    room = Room().declare().furnish().do(c.Acknowledge(), "U0ONE").wait(hours=1).do(c.PageSomeone("U0ONE"))
    assert room.state.reached["U0ONE"] == "paged"
    assert room.state.needs("U0ONE")
