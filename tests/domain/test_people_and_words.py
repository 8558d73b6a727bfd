"""Roles, handoffs, paging, updates, notes, tasks, runbook steps, public updates."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.events import Step
from bot.domain.policy import Policy
from bot.domain.rotations import Rotation
from bot.domain.runbooks import Runbook, fill_steps
from bot.domain.severity import Status
from bot.domain.turns import shift_at
from tests.domain.room import POLICY, Room

STEP = Step(number=1, section="Diagnosis", text="Look at {{ labels.instance }}", command="ping {{ labels.instance }}")
BOOK = Runbook(name="disk", title="Disk full", digest="d", steps=(STEP, STEP.model_copy(update={"number": 2})))


@pytest.mark.parametrize("word", ["lead", "IC", "commander", "Incident commander"])
def test_a_role_is_found_by_name_alias_or_title(word: str) -> None:
    assert Room().declare().do(c.AssignRole(word, "U0X")).state.lead == "U0X"


def test_an_unknown_role_is_refused_with_the_list() -> None:
    with pytest.raises(r.UnknownRole, match="lead, comms, ops, scribe"):
        Room().declare().do(c.AssignRole("king", "U0X"))


def test_a_handoff_waits_for_its_acceptance() -> None:
    room = Room().declare().do(c.AssignRole("lead", "U0A")).do(c.OfferHandoff("U0B"), "U0A")
    assert room.state.lead == "U0A"
    with pytest.raises(r.NoHandoff):
        room.do(c.AcceptHandoff(), "U0C")
    assert room.do(c.AcceptHandoff(), "U0B").state.lead == "U0B"
    assert room.state.handoff is None


def test_paging_a_service_reaches_whoever_is_on_call() -> None:
    room = Room().declare().do(c.PageSomeone("checkout", "need hands"))
    assert room.state.reached["U0ONE"] == "paged"


def test_paging_when_nobody_is_configured_says_what_to_configure() -> None:
    with pytest.raises(r.NobodyToPage, match=r"tocsin\.yaml"):
        Room(Policy()).declare().do(c.PageSomeone("checkout"))


def test_a_promise_sets_when_the_next_update_is_owed() -> None:
    room = Room().declare().do(c.PostUpdate("on it", timedelta(minutes=5)))
    assert (room.loaded.timers[1, "update"] - room.now).total_seconds() == 300


def test_an_empty_update_is_refused() -> None:
    with pytest.raises(r.EmptyText):
        Room().declare().do(c.PostUpdate(" \u200b "))


def test_a_note_may_lie_in_the_past_but_not_in_the_future() -> None:
    room = Room().declare()
    assert room.do(c.AddNote("deploy", room.now - timedelta(hours=2))).events == ["note_added"]
    with pytest.raises(r.BadArgument, match="future"):
        room.do(c.AddNote("deploy", room.now + timedelta(hours=2)))


def test_action_items_are_numbered_and_completed_once() -> None:
    room = Room().declare().do(c.AddTask("Add an alert", "U0A", timedelta(days=3))).do(c.CompleteTask(1))
    assert room.state.tasks[0].done
    with pytest.raises(r.NothingChanged):
        room.do(c.CompleteTask(1))
    with pytest.raises(r.UnknownTask):
        room.do(c.CompleteTask(7))


def test_steps_are_ticked_and_opened_again() -> None:
    room = Room().declare(runbook=BOOK, labels={"instance": "db-1"}).do(c.MarkStep(2, "failed", "no route"))
    assert room.state.runbook is not None
    assert room.state.runbook.outcomes == {2: "failed"}
    assert room.do(c.MarkStep(2, "open")).state.runbook.outcomes == {}
    with pytest.raises(r.UnknownStep, match="steps 1 to 2"):
        room.do(c.MarkStep(3, "done"))


def test_a_label_can_never_become_a_command() -> None:
    hostile = {"instance": "x; rm -rf / #"}
    filled = fill_steps(BOOK, hostile, {}, {"number": 1})[0]
    assert filled.command == "ping 'x; rm -rf / #'"
    assert filled.text == "Look at x; rm -rf / #"


def test_a_template_inside_a_label_is_never_run() -> None:
    filled = fill_steps(BOOK, {"instance": "{{ 7 * 7 }}"}, {}, {"number": 1})[0]
    assert filled.text == "Look at {{ 7 * 7 }}"


def test_a_missing_label_stays_readable_and_safe_to_paste() -> None:
    assert fill_steps(BOOK, {}, {}, {"number": 1})[0].command == "ping '<instance>'"


def test_a_label_named_like_a_method_is_still_a_label() -> None:
    step = STEP.model_copy(update={"command": "echo {{ labels.items }} {{ labels.keys }}"})
    filled = fill_steps(Runbook(name="x", title="X", digest="d", steps=(step,)), {"items": "3; ls"}, {}, {})[0]
    assert filled.command == "echo '3; ls' '<keys>'"


def test_an_approval_holds_for_the_version_that_was_read() -> None:
    room = Room().declare().do(c.DraftPublic("Two", Status.IDENTIFIED))
    with pytest.raises(r.DraftChanged):
        room.do(c.ApprovePublic(1))
    room.do(c.ApprovePublic(2)).do(c.DraftPublic("Three"))
    with pytest.raises(r.NotApproved):
        room.do(c.PublishPublic())


def test_a_second_person_approves_where_the_policy_asks_for_it() -> None:
    policy = POLICY.model_copy(
        update={
            "statuspage": Policy.model_validate({"statuspage": {"approval": {"second_person": ["sev1"]}}}).statuspage
        }
    )
    room = Room(policy).declare().do(c.DraftPublic("Text"), "U0A")
    with pytest.raises(r.SecondPersonNeeded):
        room.do(c.ApprovePublic(), "U0A")
    assert room.do(c.ApprovePublic(), "U0B").state.draft.approved_by == "U0B"


def test_a_private_incident_never_goes_public() -> None:
    with pytest.raises(r.PrivateNeverPublic):
        Room().declare(private=True).do(c.DraftPublic("x"))


ROTATION = Rotation.model_validate({"timezone": "Europe/Berlin", "people": ["U0A", "U0B"], "handover": {"at": "09:00"}})


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (datetime(2026, 3, 25, tzinfo=UTC), 167),  # the week in which the clocks go forward
        (datetime(2026, 10, 21, tzinfo=UTC), 169),
        (datetime(2026, 6, 3, tzinfo=UTC), 168),
    ],
)
def test_a_shift_lasts_a_local_week_whatever_the_clocks_do(at: datetime, hours: int) -> None:
    shift = shift_at(ROTATION, at)
    assert shift.start <= at < shift.end
    assert (shift.end - shift.start).total_seconds() == hours * 3600
    assert shift_at(ROTATION, at, ahead=1).start == shift.end


def test_people_take_turns_at_the_handover() -> None:
    before = datetime(2026, 6, 8, 6, 59, 59, tzinfo=UTC)  # Monday 08:59:59 in Berlin
    assert shift_at(ROTATION, before).user != shift_at(ROTATION, before + timedelta(seconds=1)).user
