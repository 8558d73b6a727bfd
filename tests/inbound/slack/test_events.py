"""What happens in an incident's channel is on record once; what happens elsewhere, or by us, is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.policy import Policy, Reactions, Service
from bot.domain.record import Observation
from bot.usecases.queries import Viewer
from tests.inbound.slack.conftest import ALICE, BOB, ROOM, Workspace
from tests.support.desks import START


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
        ("pinned", BOB, "pushpin"),
        ("reaction", BOB, "+1::skin-tone-3"),
        ("unpinned", BOB, "pushpin"),
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


# --- emojis that mean something -------------------------------------------------------------------------
def reaction(name: str, ts: str = "1773478810.000100", **more: Any) -> dict[str, Any]:
    item = {"type": "message", "channel": ROOM, "ts": ts}
    return {"type": "reaction_added", "user": BOB, "reaction": name, "item": item, "event_ts": "1773478820.1", **more}


async def test_a_megaphone_posts_the_message_as_an_update_once(workspace: Workspace) -> None:
    await workspace.event(message("We fail over to the second site"))
    for _ in range(2):
        await workspace.event(reaction("mega"))
        await workspace.settle()
    state = await workspace.office.reader.incident(1)
    assert state is not None
    assert state.last_update == "We fail over to the second site"
    assert len([e for e in await workspace.office.reader.events(1) if e.event.type == "update_posted"]) == 1


async def marks(workspace: Workspace, *emojis: str) -> list[str]:
    """Let Bob put each emoji on a message and take it away again; return what that was seen as."""
    await workspace.event(message("rolled back"))
    for n, name in enumerate(emojis):
        for kind, second in (("reaction_added", 0), ("reaction_removed", 1)):
            await workspace.event(reaction(name, type=kind, event_ts=f"177347882{n}.{second}"))
            await workspace.settle()
    return [one.kind for one in seen(workspace) if one.kind != "message"]


@pytest.mark.parametrize("emoji", ["pushpin", "round_pushpin", "stopwatch"])
async def test_a_pin_and_a_stopwatch_keep_the_message_on_the_timeline_until_they_are_taken_away(
    workspace: Workspace, emoji: str
) -> None:
    assert await marks(workspace, emoji) == ["pinned", "unpinned"]
    lines = [one["text"] for one in await workspace.office.desk.queries.timeline(Viewer(ALICE), 1)]
    assert any(f"pinned a message with :{emoji}:: rolled back" in line for line in lines)


@pytest.mark.parametrize(
    "policy",
    [Policy(reactions=Reactions(pin=("eyes", "bookmark"), update=("rocket",)), services={"checkout": Service()})],
)
async def test_the_configuration_says_which_emojis_mean_something(workspace: Workspace) -> None:
    told = ["pinned", "unpinned", "pinned", "unpinned", "reaction", "unreaction", "reaction", "unreaction"]
    assert await marks(workspace, "eyes", "bookmark", "stopwatch", "mega") == told
    state = await workspace.office.reader.incident(1)
    assert state
    assert state.last_update == "", "a megaphone means nothing here"
    await workspace.event(reaction("rocket"))
    await workspace.settle()
    state = await workspace.office.reader.incident(1)
    assert state
    assert state.last_update == "rolled back"


async def test_an_emoji_on_what_was_never_seen_posts_nothing(workspace: Workspace) -> None:
    await workspace.event(reaction("mega", ts="1773478700.1"))
    await workspace.settle()
    assert [e.event.type for e in await workspace.office.reader.events(1) if e.event.type == "update_posted"] == []


async def test_a_refused_update_is_explained_to_whoever_reacted_only(workspace: Workspace) -> None:
    await workspace.event(message("Too late"))
    await workspace.type("resolve done")
    await workspace.event(reaction("mega"))
    await workspace.settle()
    told = [body for method, body in workspace.slack.calls if method == "chat.postEphemeral"]
    assert [body["user"] for body in told] == [BOB]
    assert "reopen" in told[0]["text"]


# --- who comes late -------------------------------------------------------------------------------------
def joined(user: str = BOB, minutes: float = 30) -> dict[str, Any]:
    at = START.timestamp() + minutes * 60
    return {"type": "member_joined_channel", "user": user, "channel": ROOM, "event_ts": f"{at:.6f}"}


async def test_whoever_joins_late_is_caught_up_once_and_alone(workspace: Workspace) -> None:
    for _ in range(2):
        await workspace.event(joined())
        await workspace.settle()
    told = [body for method, body in workspace.slack.calls if method == "chat.postEphemeral"]
    assert [body["user"] for body in told] == [BOB]
    assert "INC-1" in told[0]["text"]


async def test_whoever_comes_when_it_is_over_is_told_how_it_ended(workspace: Workspace) -> None:
    await workspace.office.act(1, c.Resolve("restarted the pool"))
    await workspace.event(joined(minutes=60))
    await workspace.settle()
    (told,) = [body for method, body in workspace.slack.calls if method == "chat.postEphemeral"]
    assert told["user"] == BOB
    assert "restarted the pool" in told["text"]


async def test_whoever_is_there_from_the_start_has_the_card(workspace: Workspace) -> None:
    await workspace.event(joined(minutes=0.5))
    await workspace.settle()
    assert "chat.postEphemeral" not in [method for method, _ in workspace.slack.calls]


async def test_a_second_catch_up_begins_where_the_first_one_ended(workspace: Workspace) -> None:
    await workspace.type("ack")
    assert "acknowledged" in await workspace.type("catchup")
    workspace.office.clock.pass_by(minutes=5)
    await workspace.type("update the pool is back", user=BOB)
    again = await workspace.type("catchup")
    assert "Since you looked" in again
    assert "the pool is back" in again
    assert "acknowledged after" not in again


async def test_a_change_of_a_usergroup_is_asked_for_at_once(workspace: Workspace) -> None:
    changed = {"type": "subteam_members_changed", "subteam_id": "S0OPS", "added_users": ["U1"], "removed_users": []}
    assert await workspace.event(changed) == 200
    assert workspace.office.desk.directory.refreshed  # type: ignore[attr-defined]


async def test_who_leaves_the_channel_of_a_private_incident_sees_it_no_longer(workspace: Workspace) -> None:
    number = await workspace.office.incident("C0PRIVATE01", title="Secret", private=True)
    moved = {"user": BOB, "channel": "C0PRIVATE01", "channel_type": "G"}
    for kind, seen in (("member_joined_channel", True), ("member_left_channel", False)):
        assert await workspace.event({"type": kind, "event_ts": "1773478810.000100", **moved}) == 200
        await workspace.settle()
        assert ("Secret" in await workspace.type(f"INC-{number} status", user=BOB)) is seen
    trail = await workspace.office.reader.audit(denied=True)
    assert [(one.actor, one.surface, one.action) for one in trail] == [(BOB, "slack:slash", "status")]


async def test_each_door_of_slack_is_told_apart_on_the_trail(workspace: Workspace) -> None:
    await workspace.type("ack")
    await workspace.click("take_lead", "1")
    await workspace.submit("form_update", {"text": "We look", "next": ""}, incident=1)
    said = {"type": "app_mention", "user": ALICE, "channel": ROOM, "text": "<@U0INCBOT001> note it began", "ts": "1.1"}
    await workspace.event(said)
    await workspace.settle()
    trail = [(one.action, one.surface) for one in reversed(await workspace.office.reader.audit())][-4:]
    assert trail == [
        ("acknowledge", "slack:slash"),
        ("assign_role", "slack:button"),
        ("post_update", "slack:form"),
        ("add_note", "slack:mention"),
    ]
