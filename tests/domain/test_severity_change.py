"""What follows when the severity changes: up or down, by a person or an alert, before and after somebody answers."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.effects import PagePager, QuietPager, Tell, TellUser
from bot.domain.events import AlertFact
from bot.domain.policy import Policy
from bot.domain.sender_news import News
from bot.domain.severity import Severity
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from tests.domain.room import START, Room
from tests.render.slack_cases import TEMPLATES

ONE, TWO, BOSS, BOB = "U0ONE", "U0TWO", "U0BOSS", "U0BOB"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LADDER = {
    "levels": [
        {"targets": [{"user": ONE}, {"pagerduty": "default"}], "wait": "10m"},
        {"targets": [{"user": TWO}], "wait": "10m"},
        {"targets": [{"user": BOSS}, {"usergroup": "S0CHIEFS"}], "wait": "10m"},
    ]
}
PLAN = Policy.model_validate({"escalations": {"default": LADDER}})
SEV1, SEV2, SEV3, SEV4 = Severity
SENDER = "alert:alertmanager"


def declared(severity: Severity, policy: Policy = PLAN) -> Room:
    return Room(policy).declare(severity=severity).furnish()


def raised_by_alert(room: Room, severity: Severity) -> Room:
    return room.do(c.ReportAlerts((), 1, 0, 1, 1, severity=severity, severity_reason="it grows"), SENDER)


def called(room: Room) -> list[str]:
    """Everybody called by what happened last, people and pagers."""
    effects = [new.effect for new in room.last.effects]
    people = [one.user for one in effects if isinstance(one, TellUser) and one.template == "page_requested"]
    return people + [one.target for one in effects if isinstance(one, PagePager)]


def quieted(room: Room) -> list[tuple[str, str]]:
    return [(one.target, one.action) for new in room.last.effects if isinstance(one := new.effect, QuietPager)]


def respond_in(room: Room) -> timedelta | None:
    """How long until the response timer rings; None if it does not run."""
    due = room.loaded.timers.get((1, "respond"))
    return due - room.now if due else None


# --- raised, and nobody has answered ----------------------------------------------------------------------
def test_raised_late_the_new_response_time_runs_from_now_and_only_the_first_level_is_called() -> None:
    room = declared(SEV3).wait(minutes=20).do(c.SetSeverity(SEV1))
    assert respond_in(room) == 15 * MINUTE
    assert called(room) == [ONE, "default"]
    room.ring("respond")
    assert room.events == ["response_overdue", "page_requested"]
    assert called(room) == [ONE, TWO, "default"]


def test_a_raise_gives_no_clock_more_time_than_it_had() -> None:
    room = declared(SEV2).wait(minutes=14).do(c.SetSeverity(SEV1))
    assert room.state.role_by == START + 15 * MINUTE, "a minute, not another five"
    room = declared(SEV2).wait(minutes=28).do(c.PostUpdate("we look", 5 * MINUTE)).do(c.SetSeverity(SEV1))
    assert respond_in(room) == 2 * MINUTE, "not another fifteen"
    assert room.state.update_by == room.now + 5 * MINUTE


@pytest.mark.parametrize("raise_it", [lambda r: r.do(c.SetSeverity(SEV1)), lambda r: raised_by_alert(r, SEV1)])
def test_where_the_ladder_had_rung_out_a_raise_begins_it_anew(raise_it: object) -> None:
    room = declared(SEV2)
    while (1, "respond") in room.loaded.timers:
        room.ring("respond")
    assert room.state.respond_by is None
    raise_it(room.wait(hours=1))  # type: ignore[operator]
    assert respond_in(room) == 15 * MINUTE
    assert called(room) == [ONE, "default"]
    room.ring("respond")
    assert room.last.answer.fields == {"breached": "sev1"}, "the promise of a SEV1 was made, and broken"
    assert called(room) == [ONE, TWO, "default"]


def test_a_ladder_under_way_goes_on_so_that_nobody_further_up_is_called_later() -> None:
    room = declared(SEV2).ring("respond").wait(minutes=4).do(c.SetSeverity(SEV1))
    assert called(room) == [ONE, "default"], "who is on call learns that it is worse"
    assert respond_in(room) == 6 * MINUTE
    room.ring("respond")
    assert called(room) == [BOSS]


def test_a_ladder_that_rang_no_pagers_begins_anew_with_them() -> None:
    room = declared(SEV3).ring("respond")
    assert called(room) == [ONE, TWO], "a SEV3 pages nobody out of bed"
    room.do(c.SetSeverity(SEV1)).ring("respond")
    assert called(room) == [ONE, TWO, "default"]


def test_without_a_pager_a_notified_level_that_is_raised_calls_again_and_says_so_in_the_channel() -> None:
    people = Policy.model_validate({"oncall": {"primary": {"people": [ONE]}}})
    room = declared(SEV2, people).wait(minutes=3).do(c.SetSeverity(SEV1))
    assert called(room) == [ONE]
    (told,) = [
        new for new in room.last.effects if isinstance(new.effect, Tell) and new.effect.template == "page_requested"
    ]
    item = next(new.recorded for new in room.last.events if new.recorded.event.type == "page_requested")
    around = Surroundings(Texts(TEMPLATES), people, Links("https://tocsin.example"))
    said = Renderer(around).tell(told.effect, item, room.state).words  # type: ignore[arg-type]
    assert f"<@{ONE}> – you are needed" in said
    assert "raised to SEV1" in said


# --- raised, and somebody has acknowledged ----------------------------------------------------------------
def test_raised_by_a_person_what_was_acknowledged_stays_and_on_call_is_called_besides() -> None:
    room = declared(SEV3).do(c.Acknowledge(), BOB).wait(minutes=20).do(c.SetSeverity(SEV1))
    assert room.state.acknowledged_by == BOB
    assert respond_in(room) is None, "somebody is on it, so nothing escalates"
    assert called(room) == [ONE, "default"]


def test_whoever_is_at_work_on_it_is_not_called_to_it() -> None:
    assert called(declared(SEV2).do(c.Acknowledge(), ONE).do(c.SetSeverity(SEV1))) == []
    room = declared(SEV3).do(c.Acknowledge(), BOB).do(c.AssignRole("lead", ONE)).do(c.SetSeverity(SEV1))
    assert called(room) == []
    assert called(declared(SEV3).do(c.Acknowledge(), BOB).do(c.SetSeverity(SEV1), ONE)) == []


def test_a_level_that_calls_nobody_calls_nobody_when_it_is_raised_to() -> None:
    assert declared(SEV4).do(c.Acknowledge(), BOB).do(c.SetSeverity(SEV3)).events == ["severity_changed"]


def test_called_after_somebody_acknowledged_ones_own_answer_is_waited_for_and_taken() -> None:
    room = declared(SEV3).do(c.Acknowledge(), BOB).wait(minutes=20).do(c.SetSeverity(SEV1))
    room.do(c.PageSent(ONE, ok=True, channel="D1", ts="2.0", shown=room.state.seq), "tocsin")
    assert "page:U0ONE" not in room.effects, "the button stays"
    assert room.state.needs(ONE)
    assert not room.state.needs(BOB)
    around = Surroundings(Texts(TEMPLATES), PLAN, Links("https://tocsin.example"))
    assert "Acknowledge'" in str(Renderer(around).live("page:U0ONE", room.state))
    room.wait(minutes=1).do(c.Acknowledge(), ONE)
    assert room.events == ["call_answered"]
    assert room.state.acknowledged_by == BOB
    assert room.state.calls[ONE].how == "acknowledged"
    assert quieted(room) == [("default", "acknowledge")]
    assert "page:U0ONE" in room.effects
    assert "Acknowledge'" not in str(Renderer(around).live("page:U0ONE", room.state))


def test_raised_by_an_alert_nobody_need_be_looking_so_an_answer_is_asked_for_again() -> None:
    room = raised_by_alert(declared(SEV3).do(c.Acknowledge(), ONE).wait(hours=9), SEV1)
    assert room.events == ["alerts_reported", "severity_changed", "page_requested"]
    assert room.state.acknowledged_at is None
    assert respond_in(room) == 15 * MINUTE
    assert called(room) == [ONE, "default"], "also who had acknowledged what was less"
    assert room.state.reached == {ONE: "paged", "default": "paged"}
    around = Surroundings(Texts(TEMPLATES), PLAN, Links("https://tocsin.example"))
    card = str(Renderer(around).live("card", room.state))
    assert "(15m from when it rose)" in card
    assert f"<@{ONE}>: ⏳ called" in card
    item = next(new.recorded for new in room.last.events if new.recorded.event.type == "severity_changed")
    said = Renderer(around).tell(Tell(template="severity_changed"), item, room.state).words
    assert f"<@{ONE}> acknowledged" in said
    assert "please acknowledge again" in said
    room.wait(minutes=4).do(c.Acknowledge(), ONE)
    (answer,) = [new.recorded.event for new in room.last.events]
    assert isinstance(answer, e.Acknowledged)
    assert (answer.took, answer.late) == (240, False)


def test_a_pager_called_after_the_acknowledgement_that_takes_the_page_late_is_not_called_off() -> None:
    room = declared(SEV3).do(c.Acknowledge(), BOB).wait(hours=1).do(c.SetSeverity(SEV1))
    for report in (c.PageSent("default", ok=False, error="down"), c.PageSent("default", ok=True)):
        assert quieted(room.do(report, "tocsin")) == []
    assert room.do(c.PageEscaped("default"), "tocsin").events == []
    room.wait(minutes=1).do(c.Resolve("fixed"))
    assert room.do(c.PageEscaped("default"), "tocsin").events == ["page_escaped"]


def test_a_pager_that_holds_it_as_acknowledged_is_resolved_first_so_that_it_rings_again() -> None:
    def rung(room: Room) -> list[str]:
        effects = [new.effect for new in room.last.effects]
        return [getattr(one, "action", "page") for one in effects if isinstance(one, PagePager | QuietPager)]

    def acknowledged() -> Room:
        room = declared(SEV2).ring("respond").do(c.PageSent("default", ok=True), "tocsin")
        return room.do(c.Acknowledge(), BOB).wait(hours=1)

    assert rung(acknowledged().do(c.SetSeverity(SEV1))) == ["resolve", "page"]
    assert rung(raised_by_alert(acknowledged(), SEV1)) == ["resolve", "page"]
    assert rung(acknowledged().do(c.PageSomeone("on-call"))) == ["resolve", "page"]
    assert rung(declared(SEV2).ring("respond").do(c.SetSeverity(SEV1))) == ["page"], "nobody has, so it still rings"


def test_raised_by_an_alert_to_a_level_that_calls_nobody_what_was_acknowledged_stays() -> None:
    room = raised_by_alert(declared(SEV4).do(c.Acknowledge(), BOB), SEV3)
    assert room.state.acknowledged_by == BOB
    assert respond_in(room) is None


def test_raised_at_a_sender_where_people_work_on_it_what_was_acknowledged_stays() -> None:
    at_pagerduty = AlertFact(source="pagerduty", fingerprint="Q1", name="x", summary="", status="firing")
    room = declared(SEV3).do(c.Acknowledge(), BOB)
    room.do(c.ReportAlerts((at_pagerduty,), 0, 0, 1, 1, severity=SEV1, severity_reason="P1"), SENDER)
    assert room.state.acknowledged_by == BOB
    assert called(room) == [ONE, "default"]
    elsewhere = AlertFact(source="generic:cron", fingerprint="Q1", name="x", summary="", status="firing")
    room = declared(SEV3).do(c.Acknowledge(), BOB)
    room.do(c.ReportAlerts((elsewhere,), 0, 0, 1, 1, severity=SEV1, severity_reason="worse"), SENDER)
    assert room.state.acknowledged_at is None


def test_an_answer_given_at_the_sender_before_it_rose_is_none_to_what_it_is_now() -> None:
    room = declared(SEV3).do(c.Acknowledge(), BOB).wait(hours=1)
    before = room.now
    raised_by_alert(room.wait(minutes=1), SEV1)
    news = News(source="pagerduty", fingerprint="Q1", what="acknowledged", who="ann", at=before)
    assert room.do(c.HearSender(news), "pagerduty:ann").events == []


def test_reopened_as_worse_by_an_alert_every_clock_is_the_worse_ones() -> None:
    room = declared(SEV3).do(c.AssignRole("lead", BOB)).do(c.Acknowledge(), BOB).do(c.Resolve("fixed")).wait(hours=1)
    raised_by_alert(room, SEV1)
    assert room.events == ["alerts_reported", "reopened", "severity_changed", "page_requested"]
    assert respond_in(room) == 15 * MINUTE
    assert room.state.relief_by == room.now + 4 * HOUR
    assert called(room) == [ONE, "default"]


# --- lowered ----------------------------------------------------------------------------------------------
def test_lowered_the_clock_begins_anew_with_what_the_lesser_level_promises() -> None:
    room = declared(SEV1).ring("respond").wait(minutes=2).do(c.SetSeverity(SEV4, "only the staging shop"))
    assert respond_in(room) == timedelta(weeks=1)
    assert called(room) == []
    room.ring("respond")
    assert called(room) == [ONE, TWO], "its own ladder, from the first level, and no pager"


def test_lowered_where_the_ladder_had_rung_out_it_is_still_to_be_answered() -> None:
    room = declared(SEV1)
    while (1, "respond") in room.loaded.timers:
        room.ring("respond")
    assert respond_in(room.do(c.SetSeverity(SEV3, "it is small"))) == 4 * HOUR


def test_lowered_to_a_level_that_calls_nobody_the_pagers_and_what_is_on_its_way_are_called_off() -> None:
    room = declared(SEV1).do(c.PageSent("default", ok=True), "tocsin")
    room.do(c.PageSent(ONE, ok=True, channel="D1", ts="2.0", shown=room.state.seq), "tocsin")
    room.do(c.SetSeverity(SEV3, "it is small"))
    assert quieted(room) == [("default", "resolve")]
    assert room.last.cancel == [(1, "response")]
    assert "page:U0ONE" in room.effects, "who was called sees what it is now"
    room.do(c.SetSeverity(SEV1))
    assert called(room) == [ONE, "default"], "raised again, it rings again"


def test_lowered_to_a_level_that_still_calls_nothing_is_called_off() -> None:
    room = declared(SEV1).do(c.PageSent("default", ok=True), "tocsin").do(c.SetSeverity(SEV2, "half of it works"))
    assert quieted(room) == []
    assert room.last.cancel == []


def test_lowered_after_the_answer_no_clock_of_the_response_begins() -> None:
    room = declared(SEV1).do(c.Acknowledge(), BOB).do(c.SetSeverity(SEV3, "it is small"))
    assert respond_in(room) is None
    assert room.state.acknowledged_by == BOB


def test_confirming_what_was_assumed_moves_no_clock() -> None:
    room = Room(PLAN).declare(severity=None).furnish()
    before = dict(room.loaded.timers)
    room.wait(minutes=20).do(c.SetSeverity(SEV3), SENDER)
    assert room.events == ["severity_changed"]
    assert room.loaded.timers == before


# --- the clock of relief, staleness -------------------------------------------------------------------------
def test_the_commanders_relief_follows_the_severity() -> None:
    room = declared(SEV3).do(c.AssignRole("lead", BOB))
    assert (1, "relief") not in room.loaded.timers
    room.wait(hours=1).do(c.SetSeverity(SEV2))
    assert room.state.relief_by == room.now + 8 * HOUR
    room.wait(hours=6).do(c.SetSeverity(SEV1))
    assert room.state.relief_by == room.now + 2 * HOUR, "a raise gives no clock more time"
    room.do(c.SetSeverity(SEV4, "it is nothing"))
    assert (1, "relief") not in room.loaded.timers


def test_without_a_commander_nobody_is_to_be_relieved() -> None:
    assert (1, "relief") not in declared(SEV3).do(c.SetSeverity(SEV1)).loaded.timers


def test_whoever_still_leads_when_it_is_reopened_is_relieved_in_time() -> None:
    room = declared(SEV1).do(c.AssignRole("lead", BOB)).do(c.Resolve("fixed")).wait(hours=1).do(c.Reopen("it is back"))
    assert room.state.relief_by == room.now + 4 * HOUR


def test_raised_by_an_alert_it_goes_stale_as_the_new_level_does() -> None:
    room = declared(SEV3)
    assert (1, "stale") in room.loaded.timers
    assert (1, "stale") not in raised_by_alert(room, SEV1).loaded.timers, "a SEV1 is never asked whether it goes on"
