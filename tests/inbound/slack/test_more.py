"""More…, the small forms behind it, and the buttons of an incident that is over: every verb has a control."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.effects import Effect
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.rotations import Rotation
from bot.domain.verbs import VERBS
from bot.inbound.slack.actions import ACTIONS
from bot.inbound.slack.views import FORMS
from bot.render.slack import ids
from tests.inbound.slack.conftest import ALICE, BOB, ROOM, Workspace, buttons

WITHOUT_A_FORM = {"oncall": "ask", "timeline": "ask", "timers": "ask", "catchup": "ask", "list": "ask", "help": "ask",
                  "undelivered": "ask"}  # fmt: skip
CONTROLS = {
    "declare": ids.DECLARE, "status": ids.STATUS, "ack": ids.ACK, "sev": ids.SEVERITY, "title": "open:title",
    "service": "open:service", "call": "open:call", "lead": ids.LEAD, "role": "open:role", "handoff": "open:handoff",
    "update": ids.UPDATE, "note": "open:note", "runbook": ids.RUNBOOK, "step": ids.STEP, "task": "open:task",
    "page": "open:page", "pagetest": ids.PAGE_TEST, "override": "open:override", "public": ids.PUBLIC,
    "mitigate": ids.STATUS, "resolve": ids.RESOLVE, "reopen": "open:reopen", "close": ids.CLOSE,
    "cancel": "open:cancel", "merge": "open:merge", "undo": ids.UNDO, "silence": ids.SILENCE,
    "unsilence": ids.UNSILENCE, "why": ids.WHY, "snooze": ids.SNOOZE, "postmortem": ids.POSTMORTEM, "retry": ids.RETRY,
    "redeliver": ids.REDELIVER,
    **WITHOUT_A_FORM,
}  # fmt: skip
"""Verb → the control that does the same."""


def state(workspace: Workspace, number: int = 1) -> Incident:
    return workspace.office.store.tables.incidents[number]


def last(workspace: Workspace) -> dict[str, Any]:
    """The facts of the last event."""
    return workspace.office.store.tables.events[1][-1].event.model_dump(mode="json")


async def more(workspace: Workspace) -> dict[str, Any]:
    await workspace.click(ids.MORE, "1")
    assert workspace.slack.calls[-1][0] == "views.open"
    return workspace.slack.view()


def test_every_verb_has_a_control_and_every_control_a_handler() -> None:
    assert set(VERBS) <= set(CONTROLS)
    assert {action.partition(":")[0] for action in CONTROLS.values()} <= set(ACTIONS)


async def test_each_button_opens_its_form_above_the_window_and_the_form_closes_both(workspace: Workspace) -> None:
    await workspace.office.incident(title="Search is slow")
    window = await more(workspace)
    opening = {action: value for action, value in buttons(window).items() if action.startswith("open:")}
    assert len(opening) > 8
    for action, value in opening.items():
        await workspace.click(action, value, view=window)
        assert workspace.slack.calls[-1][0] == "views.push"
        view = workspace.slack.view()
        assert view["callback_id"] in FORMS
        kept = json.loads(view["private_metadata"])
        assert (kept["incident"], kept["channel"]) == (1, ROOM)


@pytest.mark.parametrize(
    ("form", "values", "event", "facts"),
    [
        (ids.FORM_PAGE, {"user": BOB, "service": "", "text": "we need you"}, "page_requested",
         {"users": [BOB], "reason": "we need you"}),
        (ids.FORM_HANDOFF, {"user": BOB}, "handoff_offered", {"user": BOB}),
        (ids.FORM_ROLE, {"role": "scribe", "user": BOB}, "role_assigned", {"role": "scribe", "user": BOB}),
        (ids.FORM_SERVICE, {"service": "disks"}, "service_changed", {"new": "disks"}),
        (ids.FORM_CALL, {"url": "https://meet.example/1"}, "call_changed", {"url": "https://meet.example/1"}),
        (ids.FORM_CANCEL, {"text": "a test"}, "cancelled", {"reason": "a test", "undone": False}),
        (ids.FORM_TASK, {"text": "add an alert", "owner": BOB, "due": "3d"}, "task_added",
         {"text": "add an alert", "owner": BOB}),
        (ids.FORM_NOTE, {"text": "the deploy began", "when": ""}, "note_added",
         {"text": "the deploy began", "happened_at": None}),
    ],
)  # fmt: skip
async def test_each_form_does_what_it_says(
    workspace: Workspace, form: str, values: dict[str, Any], event: str, facts: dict[str, Any]
) -> None:
    await workspace.submit(form, values, 1)
    done = [item.event for item in workspace.office.store.tables.events[1] if item.event.type == event]
    assert [done[-1].model_dump(mode="json")[key] for key in facts] == list(facts.values())


async def test_a_service_is_paged_by_its_name(workspace: Workspace) -> None:
    answer = await workspace.submit(ids.FORM_PAGE, {"user": "", "service": "disks", "text": ""}, 1)
    assert "Nobody is configured to page for disks" in answer["errors"]["service"]


async def test_a_note_is_put_where_it_belongs_in_time_and_confirmed_to_its_writer(workspace: Workspace) -> None:
    answer = await workspace.submit(ids.FORM_NOTE, {"text": "the deploy began", "when": "08:32"}, 1)
    assert answer == ""
    assert last(workspace)["happened_at"] == "2026-03-14T08:32:00Z"
    await workspace.settle()
    method, said = workspace.slack.calls[-1]
    assert (method, said["channel"], said["user"]) == ("chat.postEphemeral", ROOM, ALICE)
    assert "timeline" in said["text"]


async def test_merging_offers_the_open_incidents_of_the_same_privacy_and_folds_this_one_in(
    workspace: Workspace,
) -> None:
    await workspace.office.incident(title="Search is slow")
    await workspace.office.incident(title="A secret", private=True)
    await workspace.office.incident(title="Long over")
    await workspace.office.act(4, c.Resolve("done"))
    await workspace.click("open:merge", "1", view=await more(workspace))
    offered = next(b for b in workspace.slack.view()["blocks"] if b.get("block_id") == "incident")["element"]["options"]
    assert [one["value"] for one in offered] == ["2"]
    assert await workspace.submit(ids.FORM_MERGE, {"incident": "2"}, 1, previous_view_id="V1") == {
        "response_action": "clear"
    }
    assert (state(workspace).status, state(workspace).merged_into) == ("cancelled", 2)


async def test_where_nothing_else_is_open_merging_says_so(workspace: Workspace) -> None:
    await workspace.click("open:merge", "1", view=await more(workspace))
    assert "No other incident is open" in json.dumps(workspace.slack.view())


async def test_an_incident_that_is_over_is_closed_and_reopened_by_its_buttons(workspace: Workspace) -> None:
    await workspace.office.act(1, c.Resolve("done"))
    await workspace.click(ids.CLOSE, "1")
    assert state(workspace).status == "closed"
    await workspace.click("open:reopen", "1")
    assert workspace.slack.view()["callback_id"] == ids.FORM_REOPEN
    assert await workspace.submit(ids.FORM_REOPEN, {"text": "it is back"}, 1) == ""
    assert state(workspace).is_active
    assert last(workspace)["type"] == "reopened" or "reopened" in str(workspace.office.store.tables.events[1])


@pytest.mark.parametrize(
    ("form", "values", "field", "words"),
    [
        (ids.FORM_PAGE, {"user": BOB, "service": "disks"}, "service", "one of the two"),
        (ids.FORM_PAGE, {"user": "", "service": ""}, "service", "one of the two"),
        (ids.FORM_SERVICE, {"service": "disk"}, "service", "not a service"),
        (ids.FORM_CALL, {"url": "meet me"}, "url", "no http(s) address"),
        (ids.FORM_ROLE, {"role": "cook", "user": BOB}, "role", "not a role"),
        (ids.FORM_MERGE, {"incident": "99"}, "incident", "no incident INC-99"),
        (ids.FORM_MERGE, {"incident": "1"}, "incident", "cannot be merged into itself"),
        (ids.FORM_NOTE, {"text": "x", "when": "half past"}, "when", "no time"),
        (ids.FORM_NOTE, {"text": "x", "when": "09:02 or so"}, "when", "no time"),
        (ids.FORM_NOTE, {"text": "x", "when": "2027-01-01 09:00"}, "when", "future"),
    ],
)
async def test_a_mistake_is_told_beside_its_field(
    workspace: Workspace, form: str, values: dict[str, Any], field: str, words: str
) -> None:
    before = state(workspace)
    answer = await workspace.submit(form, values, 1)
    assert answer["response_action"] == "errors"
    assert words in answer["errors"][field]
    assert state(workspace) == before


async def test_undo_stands_behind_more_for_its_declarer_for_five_minutes(workspace: Workspace) -> None:
    assert ids.UNDO in buttons(await more(workspace))
    await workspace.click(ids.MORE, "1", user=BOB)
    assert ids.UNDO not in buttons(workspace.slack.view())
    workspace.office.clock.pass_by(minutes=6)
    assert ids.UNDO not in buttons(await more(workspace))


async def test_an_offer_is_withdrawn_by_its_button(workspace: Workspace) -> None:
    await workspace.office.act(1, c.AssignRole("lead", ALICE))
    await workspace.office.act(1, c.OfferHandoff(BOB))
    await workspace.click(ids.WITHDRAW_HANDOFF, "1", view=await more(workspace))
    assert state(workspace).handoff is None


async def test_looks_take_the_windows_place(workspace: Workspace) -> None:
    window = await more(workspace)
    await workspace.click(f"{ids.ASK}:timeline", "timeline INC-1", view=window)
    assert workspace.slack.calls[-1][0] == "views.update"
    assert "declared INC-1" in json.dumps(workspace.slack.view())


async def test_more_of_a_private_incident_is_for_its_members(workspace: Workspace) -> None:
    number = await workspace.office.incident(title="A secret", private=True)
    before = len(workspace.slack.calls)
    await workspace.click(ids.MORE, str(number), user=BOB)
    assert len(workspace.slack.calls) == before
    assert "There is no incident" in workspace.slack.told[-1]["text"]


async def test_without_a_rotation_nobody_can_be_put_on_call(workspace: Workspace) -> None:
    await workspace.click("open:override", ids.NO_TITLE)
    assert "No rotation is set up" in json.dumps(workspace.slack.view())


@pytest.mark.parametrize("policy", [Policy(oncall={"primary": Rotation(people=(ALICE,), timezone="Europe/Berlin")})])
async def test_somebody_else_is_put_on_call_for_a_while(workspace: Workspace) -> None:
    await workspace.click("open:override", ids.NO_TITLE)
    assert workspace.slack.view()["callback_id"] == ids.FORM_OVERRIDE
    values = {"schedule": "primary", "user": BOB, "start": "18:00", "span": "4h"}
    answer = await workspace.submit(ids.FORM_OVERRIDE, values)
    assert "is on call in *primary*" in json.dumps(answer["view"])
    (made,) = workspace.office.store.tables.overrides.values()
    assert (made.user, made.start, made.end) == (
        BOB, datetime(2026, 3, 14, 17, 0, tzinfo=UTC), datetime(2026, 3, 14, 21, 0, tzinfo=UTC),
    )  # fmt: skip
    answer = await workspace.submit(ids.FORM_OVERRIDE, values | {"start": "whenever"})
    assert "is not a time" in answer["errors"]["start"]


async def test_whoever_doubts_their_pager_is_sent_a_test(workspace: Workspace) -> None:
    await workspace.click(ids.PAGE_TEST, ids.NO_TITLE)
    assert "A test goes to" in workspace.slack.told[-1]["text"]
    sent: list[Effect] = [row.new.effect for row in workspace.office.store.tables.effects.values()]
    assert [one.user for one in sent if one.kind == "post_notice"] == [ALICE]  # type: ignore[attr-defined]
