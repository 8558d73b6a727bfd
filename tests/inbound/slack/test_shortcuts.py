"""Shortcuts in a message's menu: a note, a declaration, an action item. Odd payloads do nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.domain import commands as c
from bot.domain.timeline import timeline
from bot.inbound.slack.bolt import NOBODY
from bot.render.slack import ids
from bot.render.slack.manifest import MESSAGE_SHORTCUTS
from tests.inbound.slack.conftest import ALICE, BOB, ROOM, Workspace

WORDS = "rolled back to <https://ci.example/1.42.0|1.42.0> &amp; watching"
FORM = "application/x-www-form-urlencoded"


def recorded(slack_fixtures: Path) -> dict[str, Any]:
    """The payload as Slack sends it."""
    requests = json.loads((slack_fixtures / "shortcuts.json").read_text(encoding="utf-8"))["requests"]
    found: dict[str, Any] = next(r["payload"] for r in requests if r["payload"]["type"] == "message_action")
    return found


async def use(workspace: Workspace, slack_fixtures: Path, shortcut: str, channel: str = ROOM, **message: Any) -> None:
    """Use a shortcut on Bob's message in `channel`, as Alice."""
    payload = recorded(slack_fixtures) | {"callback_id": shortcut, "response_url": workspace.response_url}
    payload["message"] = payload["message"] | {"text": WORDS} | message
    payload["channel"] = {"id": channel, "name": "somewhere"}
    assert await workspace.interact(payload) == (200, "")
    await workspace.settle()


def lines(workspace: Workspace) -> list[Any]:
    tables = workspace.office.store.tables
    return [line for line in timeline(tables.incidents[1], tables.events[1], ()) if line.kind == "note_added"]


async def test_in_the_incidents_channel_the_words_stand_on_the_timeline_at_their_time_with_the_way_back(
    workspace: Workspace, slack_fixtures: Path
) -> None:
    workspace.office.clock.now = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
    await use(workspace, slack_fixtures, ids.SHORTCUT_NOTE)
    (line,) = lines(workspace)
    assert line.text.endswith(f"<@{BOB}> wrote: rolled back to 1.42.0 (https://ci.example/1.42.0) & watching")
    assert line.link == f"slack:{ROOM}/1773478850.000300"
    assert line.at == datetime.fromtimestamp(1773478850.0003, UTC)
    assert line.actor == ALICE
    assert "Noted on the timeline" in workspace.slack.told[-1]["text"]


async def test_elsewhere_a_form_asks_for_the_incident_and_keeps_the_way_back(
    workspace: Workspace, slack_fixtures: Path
) -> None:
    workspace.office.clock.now = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
    await use(workspace, slack_fixtures, ids.SHORTCUT_NOTE, "C0GENERAL1")
    view = workspace.slack.view()
    choice = next(block for block in view["blocks"] if block["block_id"] == "incident")["element"]
    assert [one["value"] for one in choice["options"]] == ["1"]
    body = view | {"id": "V5", "state": {"values": {
        "incident": {"v": {"type": "static_select", "selected_option": {"value": "1"}}},
        "text": {"v": {"type": "plain_text_input", "value": "rolled back"}},
    }}}  # fmt: skip
    status, answer = await workspace.interact({"type": "view_submission", "user": {"id": ALICE}, "view": body})
    assert status == 200
    assert "Noted" in json.dumps(answer)
    (line,) = lines(workspace)
    assert line.link == "slack:C0GENERAL1/1773478850.000300"


async def test_a_private_incident_is_neither_offered_to_an_outsider_nor_taken_from_one(
    workspace: Workspace, slack_fixtures: Path
) -> None:
    await workspace.office.act(1, c.Cancel("it was nothing"))
    number = await workspace.office.incident("C0PRIVATE1", actor=BOB, private=True, title="A secret")
    await use(workspace, slack_fixtures, ids.SHORTCUT_NOTE, "C0GENERAL1")
    assert "No incident is open" in workspace.slack.told[-1]["text"]
    values = {"incident": str(number), "text": "let me in"}
    answer = await workspace.submit(ids.FORM_NOTE, values)
    assert "There is no incident" in json.dumps(answer)
    assert len(workspace.office.store.tables.events[number]) == len(
        [e for e in workspace.office.store.tables.events[number] if e.event.type != "note_added"]
    )


async def test_declaring_from_a_message_brings_its_words_and_its_address_along(
    workspace: Workspace, slack_fixtures: Path
) -> None:
    workspace.door._counter.message_link = lambda place: f"https://acme.slack.com/{place}" if place else ""
    await use(workspace, slack_fixtures, ids.SHORTCUT_DECLARE_FROM, "C0GENERAL1")
    view = workspace.slack.view()
    assert view["callback_id"] == ids.FORM_DECLARE
    described = next(b for b in view["blocks"] if b["block_id"] == "description")["element"]["initial_value"]
    assert "rolled back to 1.42.0" in described
    assert described.endswith("https://acme.slack.com/slack:C0GENERAL1/1773478850.000300")


async def test_a_message_becomes_an_action_item_with_owner_and_date(workspace: Workspace, slack_fixtures: Path) -> None:
    await use(workspace, slack_fixtures, ids.SHORTCUT_TASK)
    view = workspace.slack.view()
    assert [block["block_id"] for block in view["blocks"]] == ["text", "owner", "due"]
    body = view | {"id": "V6", "state": {"values": {
        "text": {"v": {"type": "plain_text_input", "value": "add a lag alert"}},
        "owner": {"v": {"type": "users_select", "selected_user": BOB}},
        "due": {"v": {"type": "static_select", "selected_option": {"value": "3d"}}},
    }}}  # fmt: skip
    assert (await workspace.interact({"type": "view_submission", "user": {"id": ALICE}, "view": body}))[0] == 200
    (task,) = workspace.office.store.tables.incidents[1].tasks
    assert (task.text, task.owner) == ("add a lag alert", BOB)
    assert task.due is not None
    assert (task.due - workspace.office.clock()).days == 3


@pytest.mark.parametrize("shortcut", [ids.SHORTCUT_NOTE, ids.SHORTCUT_TASK])
async def test_a_message_without_words_says_what_to_do(
    workspace: Workspace, slack_fixtures: Path, shortcut: str
) -> None:
    await use(workspace, slack_fixtures, shortcut, text="")
    assert "no words" in workspace.slack.told[-1]["text"]


async def test_the_longest_message_still_fits_every_form(workspace: Workspace, slack_fixtures: Path) -> None:
    for shortcut in (one["callback_id"] for one in MESSAGE_SHORTCUTS):
        workspace.slack.told.clear()
        await use(workspace, slack_fixtures, shortcut, "C0GENERAL1", text="<!channel> &amp; 🔥 " * 2000)
        assert not workspace.slack.told, shortcut


# --- payloads that name nobody, or have another shape ------------------------------------------------------
def nameless() -> Iterator[dict[str, Any]]:
    """Interactions whose user is missing, empty, or no object."""
    ack = {"type": "button", "action_id": "ack", "block_id": "b", "value": "1"}
    click = {"type": "block_actions", "channel": {"id": ROOM}, "trigger_id": "T1", "actions": [ack]}
    shortcut = {"type": "message_action", "callback_id": ids.SHORTCUT_NOTE, "channel": {"id": ROOM}, "trigger_id": "T1"}
    for user in ({}, {"id": ""}, {"id": None}, {"id": {"x": 1}}, "U0ALICE0001", None, []):
        yield {**click, "user": user}
        yield {**shortcut, "user": user, "message": {"text": "hello", "ts": "1773478850.000300"}}
    yield click


@pytest.mark.parametrize("payload", [*nameless()])
async def test_nothing_is_done_in_nobodys_name(workspace: Workspace, payload: dict[str, Any]) -> None:
    before = len(workspace.office.store.tables.events[1])
    status, _ = await workspace.interact(payload)
    await workspace.settle()
    assert status == 200
    assert len(workspace.office.store.tables.events[1]) == before


async def test_a_command_and_a_form_that_name_nobody_are_answered_in_words(workspace: Workspace) -> None:
    body = urlencode({"command": "/incident", "text": "declare sev1 x", "channel_id": ROOM, "trigger_id": "T1"})
    assert (await workspace.post(body, FORM))[1]["text"] == NOBODY
    submitted = {
        "type": "view_submission",
        "user": {"id": ""},
        "view": {"type": "modal", "id": "V1", "callback_id": ids.FORM_DECLARE},
    }
    status, answer = await workspace.interact(submitted)
    assert status == 200
    assert NOBODY in json.dumps(answer)
    assert list(workspace.office.store.tables.incidents) == [1]


@pytest.mark.parametrize(
    "event",
    [
        None, 3, [], "message", {}, {"type": "message"}, {"type": "message", "channel": ROOM, "message": 3, "ts": []},
        {"type": "message", "subtype": "message_changed", "channel": ROOM, "message": "x"},
        {"type": "message", "subtype": "message_deleted", "channel": ROOM, "previous_message": [1]},
        {"type": "message", "channel": ROOM, "ts": "1773478850.1", "user": "U0ALICE0001", "files": 7},
        {"type": "message", "channel": {"id": ROOM}, "ts": {}, "user": {}, "text": {}},
        {"type": "app_mention", "channel": ROOM, "user": "", "text": "ack"},
        {"type": "app_mention", "channel": ROOM, "user": {"id": "U0ALICE0001"}, "text": "ack"},
        {"type": "reaction_added", "item": "x", "user": "U0ALICE0001"},
        {"type": "reaction_added", "item": {"channel": ROOM, "ts": 1}, "user": [], "event_ts": "never"},
        {"type": "pin_added", "item": {"message": []}, "channel_id": ROOM},
        {"type": "member_joined_channel", "channel": ROOM, "user": 5, "event_ts": "1773478850.1"},
        {"type": "app_home_opened", "user": {"id": "U0ALICE0001"}, "tab": "home"},
        {"type": "app_home_opened"},
    ],
)  # fmt: skip
async def test_an_event_of_another_shape_is_taken_once_and_moves_nothing(workspace: Workspace, event: Any) -> None:
    before = workspace.office.store.tables.incidents[1]
    assert await workspace.event(event) == 200, "503 would have Slack send it again, and it would be the same"
    await workspace.settle()
    assert workspace.office.store.tables.incidents[1] == before


async def test_an_event_that_could_not_be_saved_is_sent_again(workspace: Workspace) -> None:
    workspace.office.reader.down = True
    event = {"type": "message", "channel": "C0SOMEWHERE", "ts": "1773478850.1", "user": ALICE, "text": "hello"}
    assert await workspace.event(event) == 503
