"""The clocks of an incident: what starts, moves and stops them, and what it means that one rings."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status
from tests.domain.room import POLICY, START, Room

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def armed(room: Room) -> set[str]:
    return {kind for _, kind in room.loaded.timers}


# --- roles --------------------------------------------------------------------------------------------
def test_a_sev1_without_a_commander_is_asked_for_one_again_and_again() -> None:
    room = Room().declare().furnish()
    room.ring("role")
    assert room.events == ["role_unfilled"]
    assert "role_unfilled" in room.effects
    assert room.state.role_by == room.now + 5 * MINUTE
    room.ring("role")
    assert room.events == ["role_unfilled"]


def test_a_commander_stops_the_asking_and_starts_the_clock_of_their_relief() -> None:
    room = Room().declare().do(c.AssignRole("lead", "U0BOB"))
    assert "role" not in armed(room)
    assert room.state.relief_by == START + 4 * HOUR


def test_a_lesser_severity_asks_for_nobody_and_a_rise_begins_to() -> None:
    room = Room().declare(severity=Severity.SEV3)
    assert "role" not in armed(room)
    room.wait(hours=1).do(c.SetSeverity(Severity.SEV1))
    assert room.state.role_by == room.now + 5 * MINUTE


def test_every_required_role_must_be_held() -> None:
    policy = Policy.model_validate({"severities": {"sev1": {"roles": ["lead", "comms"], "roles_within": "10m"}}})
    room = Room(policy).declare().do(c.AssignRole("lead", "U0BOB"))
    room.ring("role")
    assert room.last.events[0].recorded.event.roles == ("comms",)  # type: ignore[union-attr]
    room.do(c.AssignRole("comms", "U0BOB"))
    assert "role" not in armed(room)


def test_a_tired_commander_is_told_to_hand_over_and_the_next_one_starts_afresh() -> None:
    room = Room().declare().furnish().do(c.AssignRole("lead", "U0BOB"))
    room.ring("relief")
    assert room.events == ["relief_due"]
    room.do(c.OfferHandoff("U0CY"), "U0BOB").do(c.AcceptHandoff(), "U0CY")
    assert room.state.relief_by == room.now + 4 * HOUR


# --- staleness ----------------------------------------------------------------------------------------
def test_what_people_do_puts_staleness_off_and_what_machines_report_does_not() -> None:
    room = Room().declare(severity=Severity.SEV3)
    first = room.state.stale_by
    assert first == START + timedelta(days=3)
    room.wait(hours=1).do(c.ReportAlerts((), 1, 0, 1, 1), "alert:alertmanager")
    assert room.state.stale_by == first
    room.wait(hours=1).do(c.AddNote("still looking"), "cli:ann")
    assert room.state.stale_by == room.now + timedelta(days=3)


def test_an_incident_that_nobody_touches_is_asked_about_and_again_later() -> None:
    room = Room().declare(severity=Severity.SEV3).furnish().ring("stale")
    assert room.events == ["went_stale"]
    assert room.state.stale_by == room.now + timedelta(days=3)


# --- action items -------------------------------------------------------------------------------------
def test_an_action_item_rings_when_it_is_due_also_long_after_the_resolve() -> None:
    room = Room().declare().furnish().do(c.AddTask("add an alert", "U0BOB", timedelta(days=3)))
    room.do(c.AddTask("write it down", None, timedelta(days=5))).do(c.Resolve("fixed")).do(c.Close())
    room.ring("task")
    assert [new.recorded.event.number for new in room.last.events] == [1]  # type: ignore[union-attr]
    assert room.effects[:1] == ["task_overdue"], "its owner is told in person"
    assert room.state.task_by == START + timedelta(days=5)


def test_a_finished_action_item_does_not_ring() -> None:
    room = Room().declare().do(c.AddTask("add an alert", "U0BOB", timedelta(days=3))).do(c.CompleteTask(1))
    assert "task" not in armed(room)


# --- snoozing -----------------------------------------------------------------------------------------
def test_a_snoozed_timer_rings_later_and_says_who_put_it_off() -> None:
    room = Room().declare().furnish().wait(minutes=10).do(c.Snooze("update", 45 * MINUTE, "in a call"), "U0BOB")
    assert room.events == ["timer_snoozed"]
    assert room.loaded.timers[1, "update"] == room.now + 45 * MINUTE


def test_the_response_timer_is_stopped_by_an_answer_and_not_put_off() -> None:
    with pytest.raises(r.TimerNotSnoozed, match="ack"):
        Room().declare().do(c.Snooze("respond", HOUR))


@pytest.mark.parametrize(
    ("timer", "span", "refusal"),
    [("nap", HOUR, r.UnknownTimer), ("relief", HOUR, r.TimerNotRunning), ("update", timedelta(days=99), r.BadArgument)],
)
def test_what_cannot_be_snoozed_is_refused_in_words(timer: str, span: timedelta, refusal: type[r.Refused]) -> None:
    with pytest.raises(refusal):
        Room().declare().do(c.Snooze(timer, span))


# --- the channel's end --------------------------------------------------------------------------------
ARCHIVING = POLICY.model_copy(update={"channels": POLICY.channels.model_copy(update={"archive_after": 24 * HOUR})})


def over() -> Room:
    return Room(ARCHIVING).declare().furnish().do(c.Resolve("fixed")).do(c.Close())


def test_the_channel_of_a_closed_incident_is_put_away_after_a_while() -> None:
    room = over().ring("archive")
    assert room.effects == ["archive_room"]
    assert room.state.archived


def test_nothing_is_said_in_a_channel_that_was_put_away() -> None:
    room = over().do(c.AddTask("later", "U0BOB", 30 * HOUR)).ring("archive").ring("task")
    assert room.effects == ["task_overdue"], "only the owner, in person"


def test_a_reopened_incident_gets_its_channel_back_before_anything_is_said() -> None:
    room = over().ring("archive").do(c.Reopen("it is back"))
    assert room.effects[:2] == ["restore_room", "reopened"]
    assert {"card", "show_topic"}.isdisjoint(room.effects), "Slack refuses what comes before the channel is back"
    room.do(c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")
    assert room.events == ["room_restored"]
    assert {"card", "show_topic"} <= set(room.effects)
    assert not room.state.archived


def test_where_the_old_channel_stays_away_a_new_one_is_furnished() -> None:
    room = over().ring("archive").do(c.Reopen("it is back")).do(c.RoomOpened("C2", "inc-1-again"), "tocsin")
    assert room.events == ["room_created"]
    assert {"post_card", "invite", "show_topic"} <= set(room.effects)
    assert "card" not in room.state.messages


def test_reopened_in_time_the_channel_stays() -> None:
    room = over().do(c.Reopen("it is back"))
    assert "archive" not in armed(room)
    assert "restore_room" not in room.effects


def test_a_declaration_taken_back_takes_its_channel_along() -> None:
    room = Room().declare().furnish().do(c.Cancel("declared by mistake", undone=True))
    assert room.effects[-2:] == ["name_room", "archive_room"]
    assert room.effects[0] == "cancelled", "with a word of farewell"


def test_taken_back_before_the_channel_was_there_nothing_is_furnished() -> None:
    room = Room().declare().do(c.Cancel("declared by mistake", undone=True))
    assert room.effects == []
    room.do(c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")
    assert room.effects == ["name_room", "archive_room"]


def test_a_new_title_renames_the_channel() -> None:
    room = Room().declare("").furnish().do(c.SetTitle("Payments fail"))
    assert "name_room" in room.effects
    room.do(c.RoomNamed("inc-1-payments-fail"), "tocsin")
    assert room.state.room is not None
    assert room.state.room.name == "inc-1-payments-fail"


# --- in general ---------------------------------------------------------------------------------------
def test_the_works_clocks_end_with_the_work() -> None:
    room = Room().declare().do(c.AssignRole("lead", "U0BOB")).do(c.Resolve("fixed"))
    assert armed(room) == {"postmortem"}
    assert room.do(c.Close()).state.status is Status.CLOSED
    assert armed(room) == set()


def test_a_stale_ring_decides_to_nothing() -> None:
    room = Room().declare().furnish()
    due = room.loaded.timers[1, "role"]
    room.do(c.AssignRole("lead", "U0BOB"))
    assert room.do(c.FireTimer("role", due), "timer:role").events == []


@pytest.mark.parametrize("kind", ["alerts", "post_alerts", "card", "tell"])
def test_what_comes_too_late_for_a_channel_that_was_put_away_is_no_failure(kind: str) -> None:
    gave_up = c.GiveUp("1.9.0", "post the alerts", "is_archived", "unarchive it", kind=kind)
    assert over().ring("archive").do(gave_up, "tocsin").events == []
