"""What happens in an incident's channel is on record once; what happens elsewhere, or by us, is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.record import Observation
from tests.inbound.slack.conftest import ALICE, BOB, ROOM, Workspace


def seen(workspace: Workspace) -> list[Observation]:
    return [entry.observation for entry in workspace.office.store.tables.entries.get(1, [])]


def message(text: str = "seeing 500s", **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": ALICE, "text": text, "ts": "1773478810.000100", "channel": ROOM, **more}


async def test_the_recorded_messages_make_this_record(workspace: Workspace, slack_fixtures: Path) -> None:
    for request in json.loads((slack_fixtures / "messages.json").read_text(encoding="utf-8"))["requests"]:
        await workspace.post(request["body"], "application/json")
    told = [(one.kind, one.ts[-10:], one.text) for one in seen(workspace)]
    assert told == [
        ("message", "810.000100", "seeing 500s on checkout"),
        ("message", "820.000100", "db CPU at 100%"),
        ("message", "823.000100", "a < b && c > d <@U0BOB000002> <#C0INCIDENT1> @here x (https://x.example)"),
        ("edited", "810.000100", "seeing 500s on checkout and cart"),
        ("deleted", "850.000100", ""),
        ("deleted", "810.000100", ""),
        ("message", "880.007500", "rolling back now"),
        ("message", "890.001600", "deploy 1.43.0 started"),
        ("message", "891.000900", "deploy done"),
        ("message", "895.593159", "graph attached"),
        ("message", "896.000018", "is looking"),
        ("message", "897.000100", "hi from the vendor"),
    ]


async def test_the_recorded_events_make_this_record(workspace: Workspace, slack_fixtures: Path) -> None:
    for request in json.loads((slack_fixtures / "events.json").read_text(encoding="utf-8"))["requests"]:
        await workspace.post(request["body"], "application/json")
    assert [(one.kind, one.user, one.name) for one in seen(workspace)] == [
        ("reaction", BOB, "pushpin"),
        ("reaction", BOB, "+1::skin-tone-3"),
        ("unreaction", BOB, "pushpin"),
        ("pinned", BOB, ""),
        ("unpinned", BOB, ""),
        ("joined", BOB, ""),
        ("left", BOB, ""),
    ]


async def test_an_event_that_slack_repeats_is_recorded_once(workspace: Workspace) -> None:
    for _ in range(3):
        assert await workspace.event(message()) == 200
    assert len(seen(workspace)) == 1


async def test_a_reply_knows_its_thread_and_a_file_its_name(workspace: Workspace) -> None:
    await workspace.event(message(ts="1773478811.1", thread_ts="1773478810.000100"))
    await workspace.event(message(ts="1773478812.1", subtype="file_share", files=[{"id": "F1", "name": "graph.png"}]))
    reply, shared = seen(workspace)
    assert (reply.thread_ts, shared.files) == ("1773478810.000100", ("graph.png",))


async def test_an_event_that_could_not_be_saved_is_asked_for_again(workspace: Workspace) -> None:
    workspace.office.store.down = True
    assert await workspace.event(message()) == 503
    workspace.office.store.down = False
    assert await workspace.event(message()) == 200
    assert len(seen(workspace)) == 1


async def test_other_channels_are_asked_about_once_and_again_after_a_commit(workspace: Workspace) -> None:
    for n in range(5):
        await workspace.event(message(channel="C0GENERAL", ts=f"177347881{n}.1"))
    assert workspace.office.reader.asked == 1
    number = await workspace.office.incident("C0GENERAL", title="Another")
    await workspace.event(message(channel="C0GENERAL", ts="1773478819.1"))
    assert len(workspace.office.store.tables.entries[number]) == 1


@pytest.mark.parametrize(
    "ours",
    [
        {"user": "U0INCBOT001"},
        {"app_id": "A0FIXTURE1", "user": "U0X"},
        {"bot_profile": {"app_id": "A0FIXTURE1"}, "user": "U0X"},
    ],
)
async def test_what_we_said_ourselves_is_not_observed(workspace: Workspace, ours: dict[str, Any]) -> None:
    await workspace.event(message(**ours))
    assert seen(workspace) == []


@pytest.mark.parametrize(
    "junk", [{"ts": "soon"}, {"ts": None}, {"ts": "9" * 30}, {"channel": None}, {"text": None}, {"files": [1]}]
)
async def test_odd_events_do_no_harm(workspace: Workspace, junk: dict[str, Any]) -> None:
    assert await workspace.event(message(**junk)) == 200
