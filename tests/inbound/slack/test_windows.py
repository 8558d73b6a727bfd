"""Answers in windows: after a form, from App Home, in a window. They have the buttons that a message would have."""

import json
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.incident import Incident
from bot.domain.severity import Severity
from bot.render.slack import ids
from bot.render.slack.views import VALUE
from tests.inbound.slack.conftest import ALICE, BOB, Workspace, buttons
from tests.inbound.slack.test_commands import slow_down

AT_HOME = {"type": "home", "blocks": []}


def state(workspace: Workspace, number: int = 2) -> Incident:
    return workspace.office.store.tables.incidents[number]


async def declare(workspace: Workspace, severity: str = "sev1", title: str = "Payroll leak") -> dict[str, Any]:
    """Declare by the form; return the window that answers."""
    answer = await workspace.submit(ids.FORM_DECLARE, {"title": title, "severity": severity})
    assert answer["response_action"] == "update"
    window: dict[str, Any] = answer["view"]
    return window


async def test_a_declaration_by_form_can_be_undone_in_its_answer(workspace: Workspace) -> None:
    window = await declare(workspace)
    assert buttons(window)[ids.UNDO] == "2"
    await workspace.click(ids.UNDO, "2", view=window)
    assert state(workspace).status == "cancelled"
    after = workspace.slack.view()
    assert "archive" in json.dumps(after)
    assert buttons(after) == {}, "nothing more can be done about what never was"


async def test_a_declaration_by_form_asks_its_declarer_to_take_command_and_can_still_be_undone_then(
    workspace: Workspace,
) -> None:
    window = await declare(workspace, "sev2")
    assert set(buttons(window)) == {ids.UNDO, ids.TAKE_LEAD}
    await workspace.click(ids.TAKE_LEAD, "2", view=window)
    assert state(workspace).lead == ALICE
    assert buttons(workspace.slack.view()) == {ids.UNDO: "2"}


async def test_a_sev1_by_form_never_waits_and_offers_what_looks_the_same_afterwards(workspace: Workspace) -> None:
    window = await declare(workspace, title="Checkout down again")
    assert buttons(window)[f"{ids.JOIN_INSTEAD}:0"] == "2:1"
    await workspace.click(f"{ids.JOIN_INSTEAD}:0", "2:1", view=window)
    assert (state(workspace).status, state(workspace).merged_into) == ("cancelled", 1)
    assert "INC-2 is taken back" in json.dumps(workspace.slack.view())


async def test_what_was_only_written_into_a_form_does_nothing(workspace: Workspace) -> None:
    before = len(workspace.slack.calls)
    form = {"type": "modal", "callback_id": ids.FORM_UPDATE, "blocks": []}
    await workspace.click(VALUE, "x", view=form, type="static_select")
    assert len(workspace.slack.calls) == before


async def test_the_buttons_of_help_work_in_the_window_that_home_opens(workspace: Workspace) -> None:
    await workspace.click(f"{ids.ASK}:help", "help", view=AT_HOME)
    window = workspace.slack.view()
    assert {ids.DECLARE, ids.ASK} <= set(buttons(window))
    await workspace.click(ids.ASK, "list", view=window)
    assert "INC-1" in json.dumps(workspace.slack.view())
    await workspace.click(ids.DECLARE, ids.NO_TITLE, view=window)
    assert workspace.slack.calls[-1][0] == "views.push", "a form is laid above the window, which stays"
    assert workspace.slack.view()["close"]["text"] == "Back"
    assert workspace.slack.view()["callback_id"] == ids.FORM_DECLARE


async def test_a_form_above_a_window_closes_both_when_it_is_sent(workspace: Workspace) -> None:
    answer = await workspace.submit(ids.FORM_UPDATE, {"text": "We restart"}, 1, previous_view_id="V0")
    assert answer == {"response_action": "clear"}


async def test_an_answer_that_comes_late_has_its_buttons_too(workspace: Workspace) -> None:
    go = slow_down(workspace)
    answer = await workspace.submit(ids.FORM_DECLARE, {"title": "Payroll leak", "severity": "sev2"})
    assert "Not confirmed yet" in json.dumps(answer)
    go.set()
    await workspace.settle()
    assert ids.UNDO in buttons(workspace.slack.view())


@pytest.mark.parametrize("severity", [Severity.SEV2, Severity.SEV3])
async def test_a_form_that_looks_the_same_joins_instead_and_declares_nothing(
    workspace: Workspace, severity: Severity
) -> None:
    answer = await workspace.submit(ids.FORM_DECLARE, {"title": "Checkout is down", "severity": severity.value})
    window = answer["view"]
    assert buttons(window) == {f"{ids.JOIN}:0": "1"}
    await workspace.click(f"{ids.JOIN}:0", "1", view=window, user=BOB)
    assert BOB in state(workspace, 1).people
    assert 2 not in workspace.office.store.tables.incidents


async def test_a_public_update_is_approved_from_home_in_the_version_that_was_read(workspace: Workspace) -> None:
    await workspace.office.act(1, c.DraftPublic("We look into it"), BOB)
    draft = state(workspace, 1).draft
    assert draft
    await workspace.click(f"{ids.DRAFT_APPROVE}:0", f"1:{draft.version}", view=AT_HOME)
    now = state(workspace, 1).draft
    assert now
    assert now.approved_by == ALICE
    assert "approved" in json.dumps(workspace.slack.view())


async def test_what_home_answers_stands_in_a_window_with_its_buttons(workspace: Workspace) -> None:
    await workspace.office.act(1, c.AssignRole("lead", ALICE))
    await workspace.click(f"{ids.ASK}:list", "list", view=AT_HOME)
    assert buttons(workspace.slack.view()) == {f"{ids.JOIN}:1": "1"}


async def test_the_form_comes_back_once_with_what_was_never_mended_the_last_time(workspace: Workspace) -> None:
    await workspace.office.act(1, c.AddTask("Add a replica lag alert"))
    await workspace.office.act(1, c.Resolve("done"))
    workspace.office.clock.pass_by(days=41)
    values = {"title": "Checkout broken again", "severity": "sev2"}
    window = (await workspace.submit(ids.FORM_DECLARE, values))["view"]
    words = json.dumps(window)
    assert "this has happened before" in words
    assert "Looks like *INC-1* Checkout is down; its action *Add a replica lag alert* is still open, 41 days" in words
    assert buttons(window) == {}, "what is over cannot be joined instead"
    again = await workspace.submit(ids.FORM_DECLARE, values, private_metadata=window["private_metadata"])
    assert "41 days" in json.dumps(again["view"]), "and the answer says so, too"
    assert state(workspace).title == "Checkout broken again"
