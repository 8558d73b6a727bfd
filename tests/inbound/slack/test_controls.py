"""Buttons, menus and forms: what they say is done, and only then acknowledged."""

import json
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.incident import Incident
from bot.inbound.slack.actions import ACTIONS
from bot.inbound.slack.views import FORMS
from bot.render.slack import ids
from tests.inbound.slack.conftest import ALICE, BOB, Workspace
from tests.support.desks import DISK_FULL


def state(workspace: Workspace, number: int = 1) -> Incident:
    return workspace.office.store.tables.incidents[number]


async def test_the_cards_buttons_and_menus_act_and_say_nothing_more(workspace: Workspace) -> None:
    await workspace.click(ids.ACK, "1")
    await workspace.choose(ids.STATUS, "1:identified")
    await workspace.choose(ids.SEVERITY, "1:sev1")
    await workspace.click(ids.LEAD, type="users_select", block_id="lead:1", selected_user=BOB, value=None)
    now = state(workspace)
    assert (now.acknowledged_by, now.status, now.lead) == (ALICE, "identified", BOB)
    assert [one["text"] for one in workspace.slack.told] == ["INC-1 is SEV1 already. Nothing to do."]


@pytest.mark.parametrize(
    ("action", "form"),
    [
        (ids.UPDATE, "form_update"),
        (ids.RUNBOOK, "form_runbook"),
        (ids.PUBLIC, "form_public"),
        (ids.DRAFT_EDIT, "form_public"),
        (ids.RESOLVE, "form_resolve"),
        (ids.TITLE, "form_title"),
    ],
)
async def test_a_forms_button_opens_it_for_its_incident(workspace: Workspace, action: str, form: str) -> None:
    await workspace.click(action, "1")
    view = workspace.slack.view()
    assert view["callback_id"] == form
    assert json.loads(view["private_metadata"])["incident"] == 1


async def test_choosing_resolved_asks_what_fixed_it(workspace: Workspace) -> None:
    await workspace.choose(ids.STATUS, "1:resolved")
    assert workspace.slack.view()["callback_id"] == "form_resolve"
    assert state(workspace).is_active


async def test_choosing_a_lower_severity_asks_why(workspace: Workspace) -> None:
    await workspace.choose(ids.SEVERITY, "1:sev2")
    assert workspace.slack.view()["callback_id"] == "form_severity"
    assert state(workspace).severity == "sev1"
    assert await workspace.submit(ids.FORM_SEVERITY, {"severity": "sev2", "text": "One shop only"}, 1) == ""
    assert (state(workspace).severity, state(workspace).severity_reason) == ("sev2", "One shop only")


async def test_steps_are_ticked_and_opened_again(workspace: Workspace) -> None:
    await workspace.office.act(1, c.AttachRunbook(DISK_FULL))
    await workspace.click(f"{ids.STEP}:2:done", "1:2:done")
    await workspace.click(f"{ids.STEP}:1", type="overflow", selected_option={"value": "1:1:failed"})
    runbook = state(workspace).runbook
    assert runbook is not None
    assert runbook.outcomes == {2: "done", 1: "failed"}
    await workspace.click(f"{ids.STEPS_PAGE}:1", "1:1")
    assert "Disk full" in workspace.slack.told[-1]["text"]


async def test_a_draft_is_approved_in_the_version_that_was_read(workspace: Workspace) -> None:
    version = state(workspace).drafts
    await workspace.click(ids.DRAFT_APPROVE, f"1:{version + 1}")
    assert "changed since you looked" in workspace.slack.told[-1]["text"]
    await workspace.click(ids.DRAFT_APPROVE, f"1:{version}")
    await workspace.click(ids.DRAFT_PUBLISH, "1")
    assert state(workspace).published is not None


async def test_join_invites_whoever_is_not_in_it(workspace: Workspace) -> None:
    await workspace.click(ids.JOIN, "1", user=BOB)
    assert BOB in state(workspace).people
    invites = [
        row.new.effect for row in workspace.office.store.tables.effects.values() if row.new.effect.kind == "invite"
    ]
    assert invites[-1].users == (BOB,)
    await workspace.click(ids.JOIN, "1", user=BOB)
    assert [one["text"] for one in workspace.slack.told] == [
        "You will be in <#C0INCIDENT1> in a moment.",
        "INC-1 is in <#C0INCIDENT1>.",
    ]


async def test_a_fresh_declaration_can_be_undone_or_given_its_severity(workspace: Workspace) -> None:
    await workspace.type("declare Something odd")
    await workspace.choose(ids.SEVERITY, "2:sev2")
    assert state(workspace, 2).severity == "sev2"
    await workspace.click(ids.UNDO, "2")
    assert state(workspace, 2).status == "cancelled"


async def test_an_offered_command_is_declined_by_its_button_and_only_by_whoever_was_asked(workspace: Workspace) -> None:
    await workspace.office.act(1, c.OfferHandoff(BOB))
    await workspace.click(ids.DECLINE_HANDOFF, "1", user="U0EVE000003")
    assert "No handoff to you" in workspace.slack.told[-1]["text"]
    assert state(workspace).handoff is not None
    await workspace.click(ids.DECLINE_HANDOFF, "1", user=BOB)
    assert (state(workspace).handoff, state(workspace).lead) == (None, None)


async def test_the_buttons_of_help_look_things_up_and_nothing_else(workspace: Workspace) -> None:
    await workspace.click(ids.ASK, "list")
    assert "INC-1" in workspace.slack.told[-1]["text"]
    await workspace.click(f"{ids.ASK}:x", "ack INC-1")
    assert state(workspace).acknowledged_by is None


FORGED = ["", "junk", "1:2:3:4", "99999999999999", "404:404:404", "404", "404:sev1", "1:<!channel>"]


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - {ids.DECLARE}))
async def test_a_forged_value_is_refused_in_words_and_changes_nothing(workspace: Workspace, action: str) -> None:
    before = state(workspace)
    for value in FORGED:
        await workspace.click(action, value, block_id=value)
    assert state(workspace) == before
    assert workspace.slack.calls == []
    told = [one["text"] for one in workspace.slack.told]
    assert len(told) >= len(FORGED) - 1  # an empty value asks for help, of the button that asks
    assert not [text for text in told if "went wrong" in text or "<!channel>" in text]


async def test_a_control_of_an_older_version_is_answered_in_words(workspace: Workspace) -> None:
    await workspace.click("inc.ack", '{"incident": 1}')
    assert "older version" in workspace.slack.told[-1]["text"]
    await workspace.click("link:1", url="https://example.com")
    assert len(workspace.slack.told) == 1


async def test_a_click_that_was_not_saved_says_so(workspace: Workspace) -> None:
    workspace.office.store.down = True
    await workspace.click(ids.ACK, "1")
    assert workspace.slack.told[-1]["text"].startswith("Not saved")


# --- forms ------------------------------------------------------------------------------------------------
async def test_the_declare_form_opens_an_incident_and_says_where(workspace: Workspace) -> None:
    answer = await workspace.submit(
        ids.FORM_DECLARE,
        {
            "title": "Cart is empty",
            "severity": "sev2",
            "service": "disks",
            "description": "since 9",
            "options": ["drill"],
        },
    )
    assert answer["response_action"] == "update"
    assert "INC-2" in json.dumps(answer["view"])
    made = state(workspace, 2)
    assert (made.title, made.severity, made.service, made.drill, made.private) == (
        "Cart is empty",
        "sev2",
        "disks",
        True,
        False,
    )
    assert made.runbook is not None


@pytest.mark.parametrize(
    ("form", "values", "field"),
    [
        (ids.FORM_DECLARE, {"title": "x" * 10_000, "severity": "sev2"}, "title"),
        (ids.FORM_DECLARE, {"title": "🔥", "severity": "sev2"}, "title"),
        (ids.FORM_TITLE, {"title": "🔥"}, "title"),
        (ids.FORM_UPDATE, {"text": "  "}, "text"),
        (ids.FORM_PUBLIC, {"text": "x" * 6000, "status": "identified"}, "text"),
        (ids.FORM_RUNBOOK, {"runbook": "gone"}, "runbook"),
        (ids.FORM_SEVERITY, {"severity": "sev2", "text": " "}, "text"),
        (ids.FORM_SEVERITY, {"severity": "sev1", "text": "x"}, "severity"),
    ],
)
async def test_a_mistake_is_shown_beside_its_field(
    workspace: Workspace, form: str, values: dict[str, Any], field: str
) -> None:
    answer = await workspace.submit(form, values, incident=1)
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [field]


async def test_the_forms_of_an_incident_do_what_they_say_and_close(workspace: Workspace) -> None:
    assert await workspace.submit(ids.FORM_UPDATE, {"text": "We restart", "next": "2h"}, 1) == ""
    assert await workspace.submit(ids.FORM_TITLE, {"title": "Cart is empty"}, 1) == ""
    assert await workspace.submit(ids.FORM_RUNBOOK, {"runbook": "disk-full"}, 1) == ""
    assert (
        await workspace.submit(ids.FORM_PUBLIC, {"text": "We look", "status": "identified", "title": "Cart"}, 1) == ""
    )
    now = state(workspace)
    assert (now.last_update, now.title) == ("We restart", "Cart is empty")
    assert now.update_by is not None
    assert (now.update_by - workspace.office.clock()).total_seconds() == 7200
    assert now.draft is not None
    assert (now.draft.text, now.draft.status) == ("We look", "identified")
    assert await workspace.submit(ids.FORM_RESOLVE, {"text": "Restarted it", "note": "Who knew?"}, 1) == ""
    assert state(workspace).resolution == "Restarted it"
    kinds = [item.event.type for item in workspace.office.store.tables.events[1]]
    assert kinds[-1] == "note_added"


async def test_a_refusal_without_a_field_takes_the_forms_place(workspace: Workspace) -> None:
    await workspace.office.act(1, c.Resolve("done"))
    answer = await workspace.submit(ids.FORM_UPDATE, {"text": "late"}, 1)
    assert answer["response_action"] == "update"
    assert "reopen" in json.dumps(answer["view"])


@pytest.mark.parametrize("form", [*FORMS, "inc.declare"])
async def test_a_form_about_no_incident_or_of_an_older_version_is_refused_in_words(
    workspace: Workspace, form: str
) -> None:
    answer = await workspace.submit(form, {"severity": "purple"})
    assert form == ids.FORM_DECLARE or answer["response_action"] == "update"
    assert "went wrong" not in json.dumps(answer)


async def test_the_shortcut_opens_the_declare_form(workspace: Workspace) -> None:
    payload = {"type": "shortcut", "callback_id": ids.SHORTCUT_DECLARE, "user": {"id": ALICE}, "trigger_id": "T1"}
    assert await workspace.interact(payload) == (200, "")
    assert workspace.slack.view()["callback_id"] == ids.FORM_DECLARE
