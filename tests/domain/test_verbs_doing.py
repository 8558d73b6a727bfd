"""What is said with a verb is kept, and answered as what it was."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.severity import Severity, Status
from bot.domain.timeline import timeline
from tests.domain.room import POLICY, Room


def told(room: Room) -> list[str]:
    return [line.text for line in timeline(room.state, [new.recorded for new in room.last.events], ())]


def test_words_said_with_the_status_that_it_has_already_are_an_update() -> None:
    room = Room().declare().do(c.SetStatus(Status.MONITORING, "rolled back"))
    room.do(c.SetStatus(Status.MONITORING, "and the queue is empty"))
    assert room.events == ["update_posted"]
    assert room.state.last_update == "and the queue is empty"
    assert room.state.status is Status.MONITORING
    with pytest.raises(r.NothingChanged):
        room.do(c.SetStatus(Status.MONITORING))


def test_an_assumed_severity_is_confirmed_in_words() -> None:
    room = Room().declare(severity=None).do(c.SetSeverity(Severity.SEV3))
    assert not room.state.severity_assumed
    assert told(room) == ["<@U0ANNA> confirmed the severity SEV3"]
    with pytest.raises(r.NothingChanged):
        room.do(c.SetSeverity(Severity.SEV3))


def test_the_reason_of_a_merge_is_on_the_timeline() -> None:
    room = Room().declare().wait(minutes=3).declare("Payments slow")
    room.do(c.Merge(2, reason="the same pool"))
    assert told(room)[0] == "<@U0ANNA> cancelled INC-1: merged into INC-2: the same pool"


def test_an_action_item_is_due_at_the_moment_that_was_said_and_not_before_now() -> None:
    room = Room().declare()
    at = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)
    assert room.do(c.AddTask("pay", due=at)).state.tasks[0].due == at
    with pytest.raises(r.BadArgument, match="due already"):
        room.do(c.AddTask("pay again", due=room.now - timedelta(days=1)))


@pytest.mark.parametrize("word", ["checkout", "#checkout", "Checkout"])
def test_a_declaration_names_a_configured_service_whatever_door_it_comes_through(word: str) -> None:
    assert Room().declare(service=word).state.service == "checkout"


def test_a_declaration_of_a_service_that_nobody_configured_is_refused_but_an_alerts_is_not() -> None:
    with pytest.raises(r.UnknownService, match="Did you mean `checkout`"):
        Room().declare(service="chekcout")
    alerts = c.ReportAlerts((), 1, 0, 1, 1)
    assert Room().declare(service="billing", alerts=alerts).state.service == "billing"
    assert "billing" not in POLICY.services
