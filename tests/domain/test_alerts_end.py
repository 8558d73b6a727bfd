"""What follows when the last alert of an incident resolves."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain.severity import Status
from tests.domain.room import Room

FIRING = c.ReportAlerts((), opened=2, closed=0, firing=2, total=2)
ONE_LEFT = c.ReportAlerts((), opened=0, closed=1, firing=1, total=2)
OVER = c.ReportAlerts((), opened=0, closed=1, firing=0, total=2)
CUT = c.ReportAlerts((), opened=0, closed=1, firing=0, total=2, truncated=3)
SENDER = "alert:alertmanager"


def opened(**about: object) -> Room:
    return Room().declare(actor=SENDER, alerts=FIRING, **about).furnish()


def alone() -> Room:
    return opened(when_alerts_end="resolve", quiet=timedelta(minutes=10))


def test_people_are_asked_once_the_last_alert_has_resolved() -> None:
    room = opened().do(ONE_LEFT, SENDER)
    assert "alerts_over" not in room.effects
    room.do(OVER, SENDER)
    assert [one for one in room.effects if one.startswith("alerts")] == ["alerts_over"]
    assert room.state.status is Status.INVESTIGATING


def test_a_cut_delivery_never_says_that_all_is_over() -> None:
    assert "alerts_over" not in opened().do(CUT, SENDER).effects
    assert alone().do(CUT, SENDER).state.quiet_by is None


def test_a_route_may_let_the_status_follow() -> None:
    room = opened(when_alerts_end="monitoring").do(OVER, SENDER)
    assert room.state.status is Status.MONITORING
    assert room.events == ["alerts_reported", "status_changed"]


def test_the_status_is_not_moved_back_or_twice() -> None:
    room = opened(when_alerts_end="monitoring").do(c.SetStatus(Status.MONITORING), "U0ANNA").do(OVER, SENDER)
    assert room.events == ["alerts_reported"]


def test_an_incident_that_nobody_touches_resolves_by_itself_after_the_quiet_period() -> None:
    room = alone().do(OVER, SENDER)
    assert room.loaded.timers[1, "quiet"] == room.now + timedelta(minutes=10)
    room.ring("quiet")
    assert room.state.status is Status.RESOLVED
    assert "by itself" in room.state.resolution


def test_a_new_alert_stops_the_quiet_end() -> None:
    room = alone().do(OVER, SENDER).do(c.ReportAlerts((), 1, 0, 1, 3), SENDER)
    assert (1, "quiet") not in room.loaded.timers


@pytest.mark.parametrize("command", [c.Acknowledge(), c.AddNote("I look"), c.AssignRole("lead", "U0BOB"), c.Attend()])
def test_whatever_a_person_does_makes_the_end_theirs(command: c.Command) -> None:
    room = alone().do(OVER, SENDER).do(command, "U0ANNA")
    assert (1, "quiet") not in room.loaded.timers
    room.do(c.ReportAlerts((), 1, 0, 1, 3), SENDER).do(OVER, SENDER)
    assert (1, "quiet") not in room.loaded.timers


def test_what_machines_do_does_not_count_as_touched() -> None:
    room = alone().do(c.PageSent("default", ok=True), "tocsin").do(OVER, SENDER)
    assert (1, "quiet") in room.loaded.timers


def test_coming_by_oneself_is_no_news_where_nothing_ends_by_itself() -> None:
    assert opened().do(c.Attend(), "U0ANNA").events == []
