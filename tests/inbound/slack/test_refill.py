"""What was said while nobody listened is read later, marked, and recorded once."""

from typing import Any

from tests.inbound.slack.conftest import ALICE, BOB, ROOM, FakeSlack, Workspace

ME = {"user_id": "U0INCBOT001", "bot_id": "B0TOCSIN"}


def said(ts: str, text: str, user: str = BOB, **more: Any) -> dict[str, Any]:
    return {"type": "message", "ts": ts, "text": text, "user": user, **more}


def history(slack: FakeSlack, *messages: dict[str, Any], replies: tuple[dict[str, Any], ...] = ()) -> None:
    """Slack's answers; the newest message stands first, as in Slack."""
    slack.answers["auth.test"] = ME
    slack.answers["conversations.history"] = {"messages": list(messages)}
    slack.answers["conversations.replies"] = {"messages": list(replies)}


async def kept(workspace: Workspace) -> list[tuple[str, str, bool]]:
    return [
        (entry.observation.kind, entry.observation.text, entry.observation.recovered)
        for entry in await workspace.office.reader.entries(1)
    ]


async def test_a_message_of_a_silent_time_is_recovered_once(workspace: Workspace, slack: FakeSlack) -> None:
    heard = {**said("1773478801.000100", "the pool is exhausted"), "channel": ROOM}
    await workspace.event(heard)
    history(slack, said("1773478802.000200", "it &amp; that"), said("1773478801.000100", "the pool is exhausted"))
    assert await workspace.door.refill.run() == 1
    assert await workspace.door.refill.run() == 0
    assert await kept(workspace) == [("message", "the pool is exhausted", False), ("message", "it & that", True)]


async def test_replies_and_edits_are_recovered_too(workspace: Workspace, slack: FakeSlack) -> None:
    parent = said("1773478801.000100", "look here", reply_count=1, latest_reply="1773478805.000100")
    await workspace.event({**said("1773478801.000100", "lok here"), "channel": ROOM})
    edited = {**parent, "edited": {"user": BOB, "ts": "1773478803.000000"}}
    reply = said("1773478805.000100", "seen", ALICE, thread_ts="1773478801.000100")
    history(slack, edited, replies=(edited, reply))
    assert await workspace.door.refill.run() == 2
    assert await kept(workspace) == [
        ("message", "lok here", False),
        ("edited", "look here", True),
        ("message", "seen", True),
    ]


async def test_our_own_messages_and_notices_are_no_gap(workspace: Workspace, slack: FakeSlack) -> None:
    ours = said("1773478802.000200", "card", "U0INCBOT001", bot_id="B0TOCSIN")
    history(slack, said("1773478803.000000", "joined", subtype="channel_join"), ours)
    assert await workspace.door.refill.run() == 0


async def test_slack_being_away_costs_nothing_and_the_next_time_fills_it(
    workspace: Workspace, slack: FakeSlack
) -> None:
    history(slack, said("1773478802.000200", "hello"))
    slack.errors["conversations.history"] = "service_unavailable"
    assert await workspace.door.refill.run() == 0
    del slack.errors["conversations.history"]
    assert await workspace.door.refill.run() == 1
