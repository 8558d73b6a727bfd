"""The Web API, called with the real client: what it does and what it refuses."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.simulator.conftest import APP_TOKEN, MANIFEST, Clock, Company, Open


async def error(call: Any) -> str:
    """Return the code with which a call is refused."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("chat.postMessage", {"channel": "C0003"}, "no_text"),
    ("chat.postMessage", {"channel": "C0003", "text": "  "}, "no_text"),
    ("chat.postMessage", {"channel": "C9999", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#general", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C0006", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "C0003", "text": "x" * 40_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": "C0003", "text": "x", "colour": "red"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "C0003", "blocks": "{]"}, "invalid_blocks_format"),
    (
        "chat.postMessage",
        {"channel": "C0003", "text": "x", "thread_ts": "1.000001"},
        "cannot_reply_to_message",
    ),
    (
        "chat.postMessage",
        {"channel": "C0003", "text": "x", "metadata": {"event_type": "t"}},
        "invalid_metadata_schema",
    ),
    ("chat.postEphemeral", {"channel": "C0003", "user": "U0006", "text": "x"}, "user_not_in_channel"),
    ("chat.postEphemeral", {"channel": "C0001", "user": "U0001", "text": "x"}, "not_in_channel"),
    ("chat.update", {"channel": "C0003", "ts": "1.000001", "text": "x"}, "message_not_found"),
    ("chat.delete", {"channel": "C0003", "ts": "1.000001"}, "message_not_found"),
    ("conversations.create", {"name": "Upper"}, "invalid_name_specials"),
    ("conversations.create", {"name": "a b"}, "invalid_name_specials"),
    ("conversations.create", {"name": "a.b"}, "invalid_name_specials"),
    ("conversations.create", {"name": "---"}, "invalid_name_punctuation"),
    ("conversations.create", {"name": "x" * 81}, "invalid_name_maxlength"),
    ("conversations.create", {"name": "general"}, "name_taken"),
    ("conversations.create", {}, "invalid_arguments"),
    ("conversations.invite", {"channel": "C0003", "users": "U0BOT"}, "cant_invite_self"),
    ("conversations.invite", {"channel": "C0003", "users": "U0001"}, "already_in_channel"),
    ("conversations.invite", {"channel": "C0003", "users": "U0008"}, "user_not_found"),
    ("conversations.invite", {"channel": "C0001", "users": "U0001"}, "not_in_channel"),
    ("conversations.archive", {"channel": "C0001"}, "cant_archive_general"),
    ("conversations.unarchive", {"channel": "C0003"}, "not_archived"),
    ("conversations.rename", {"channel": "C0003", "name": "new"}, "not_authorized"),
    ("conversations.setTopic", {"channel": "C0003", "topic": "x" * 251}, "too_long"),
    ("conversations.setTopic", {"channel": "C0001", "topic": "x"}, "not_in_channel"),
    ("conversations.history", {"channel": "C0001"}, "not_in_channel"),
    ("conversations.history", {"channel": "C0003", "cursor": "?"}, "invalid_cursor"),
    ("conversations.history", {"channel": "C0003", "limit": -1}, "invalid_limit"),
    ("conversations.history", {"channel": "C0003", "oldest": "noon"}, "invalid_ts_oldest"),
    ("conversations.replies", {"channel": "C0003", "ts": "1.0"}, "thread_not_found"),
    ("conversations.list", {"types": "secret"}, "invalid_types"),
    ("conversations.open", {}, "users_list_not_supplied"),
    ("conversations.open", {"users": "U0008"}, "user_disabled"),
    ("conversations.open", {"users": "U0001,U0002"}, "missing_scope"),
    ("pins.add", {"channel": "C0003"}, "no_item_specified"),
    ("pins.add", {"channel": "C0003", "timestamp": "noon"}, "bad_timestamp"),
    ("pins.add", {"channel": "C0003", "timestamp": "1.000001"}, "message_not_found"),
    ("reactions.add", {"channel": "C0003", "name": "eyes", "timestamp": "1.1"}, "message_not_found"),
    (
        "bookmarks.add",
        {"channel_id": "C0003", "title": "t", "type": "link", "link": "ftp://x"},
        "invalid_link",
    ),
    ("bookmarks.edit", {"channel_id": "C0003", "bookmark_id": "Bk1", "title": "t"}, "not_found"),
    ("users.info", {"user": "U9999"}, "user_not_found"),
    ("users.lookupByEmail", {"email": "nobody@acme.example"}, "users_not_found"),
    ("usergroups.users.list", {"usergroup": "S9"}, "no_such_subteam"),
    ("views.open", {"trigger_id": "1.2.x", "view": {"type": "home"}}, "invalid_arguments"),
    ("views.update", {"view_id": "V9", "view": {}}, "not_found"),
    ("no.such.method", {}, "unknown_method"),
    ("apps.connections.open", {}, "not_allowed_token_type"),
]


@pytest.mark.parametrize(("method", "arguments", "code"), REFUSALS)
async def test_a_wrong_call_is_refused_with_slacks_own_code(
    acme: Company, method: str, arguments: dict[str, Any], code: str
) -> None:
    """Strict by default."""
    assert await error(acme.slack.api_call(method, json=arguments)) == code


async def test_forms_and_json_are_the_same_call(acme: Company) -> None:
    """The SDK sends either."""
    blocks = [{"type": "divider"}]
    one = await acme.slack.api_call("chat.postMessage", json={"channel": "C0003", "blocks": blocks})
    two = await acme.slack.chat_postMessage(channel="C0003", text="x", unfurl_links=False)
    assert one["message"]["blocks"][0]["block_id"]
    assert two["ts"] > one["ts"]


async def test_a_post_carries_the_apps_identity(acme: Company) -> None:
    """Slack names the bot in several ways."""
    message = (await acme.slack.chat_postMessage(channel="C0003", text="a < b"))["message"]
    assert message["user"] == "U0BOT"
    assert (message["bot_id"], message["app_id"]) == ("B0001", "A0001")
    assert message["bot_profile"]["name"] == "tocsin"


async def test_tokens_are_asked_for(acme: Company) -> None:
    """No token, a wrong one, and one of the wrong kind."""
    none = AsyncWebClient(base_url=acme.slack.base_url, session=acme.http, retry_handlers=[])
    assert await error(none.auth_test()) == "not_authed"
    none.token = "xoxb-wrong"
    assert await error(none.auth_test()) == "invalid_auth"
    none.token = APP_TOKEN
    assert await error(none.auth_test()) == "not_allowed_token_type"
    assert (await acme.slack.auth_test())["user_id"] == "U0BOT"


async def test_a_missing_scope_names_what_is_needed(found: Open) -> None:
    """Scopes come from the manifest."""
    manifest = deepcopy(MANIFEST)
    manifest["oauth_config"]["scopes"]["bot"] = ["chat:write", "channels:read"]
    company = await found(manifest=manifest)
    with pytest.raises(SlackApiError) as refused:
        await company.slack.conversations_create(name="x")
    assert refused.value.response["error"] == "missing_scope"
    assert "channels:manage" in refused.value.response["needed"]
    assert refused.value.response["provided"] == "channels:read,chat:write"
    post = company.slack.chat_postMessage(channel="C0001", text="without chat:write.public")
    assert await error(post) == "not_in_channel"
    private = company.slack.conversations_list(types="private_channel")
    assert await error(private) == "missing_scope"


async def test_a_channels_life(acme: Company) -> None:
    """Made, peopled, described, archived; the name stays taken."""
    slack = acme.slack
    room = (await slack.conversations_create(name="inc-7-заказ"))["channel"]
    await slack.conversations_invite(channel=room["id"], users=["U0001", "U0002"])
    await slack.conversations_setTopic(channel=room["id"], topic="SEV1")
    again = await slack.conversations_join(channel=room["id"])
    assert again["warning"] == "already_in_channel"
    assert (await slack.conversations_members(channel=room["id"]))["members"] == [
        "U0BOT",
        "U0001",
        "U0002",
    ]
    history = (await slack.conversations_history(channel=room["id"]))["messages"]
    assert [m["subtype"] for m in history] == ["channel_topic", *["channel_join"] * 3]
    assert history[0]["topic"] == "SEV1"
    assert history[1]["inviter"] == "U0BOT"
    await slack.conversations_archive(channel=room["id"])
    assert await error(slack.conversations_create(name="inc-7-заказ")) == "name_taken"
    assert await error(slack.conversations_archive(channel=room["id"])) == "already_archived"
    post = slack.chat_postMessage(channel=room["id"], text="x")
    assert await error(post) == "is_archived"
    # Archiving ejects the app, and its token cannot take that back.
    assert await error(slack.conversations_unarchive(channel=room["id"])) == "not_in_channel"
    assert await error(slack.conversations_history(channel=room["id"])) == "not_in_channel"
    await acme.person("U0001").do("archive", channel=room["id"], on=False)
    await acme.person("U0001").do("invite", channel=room["id"], users=["U0BOT"])
    await slack.conversations_rename(channel=room["id"], name="inc-7")
    info = (await slack.conversations_info(channel=room["id"], include_num_members=True))["channel"]
    assert (info["name"], info["num_members"], info["topic"]["value"]) == ("inc-7", 3, "SEV1")


async def test_inviting_with_force_keeps_the_good_ones(acme: Company) -> None:
    """Without it, one bad name refuses all."""
    invite = acme.slack.conversations_invite
    assert await error(invite(channel="C0003", users="U0006,U0001")) == "already_in_channel"
    answer = await invite(channel="C0003", users="U0006,U0001", force=True)
    assert answer["errors"] == [{"user": "U0001", "ok": False, "error": "already_in_channel"}]
    assert "U0006" in (await acme.slack.conversations_members(channel="C0003"))["members"]


async def test_pages_follow_each_other(acme: Company) -> None:
    """Newest first; the cursor leads to the end; metadata comes only on request."""
    metadata = {"event_type": "inc", "event_payload": {"n": 1}}
    for n in range(5):
        await acme.slack.chat_postMessage(channel="C0003", text=str(n), metadata=metadata)
    seen: list[dict[str, Any]] = []
    pages = await acme.slack.conversations_history(channel="C0003", limit=2)
    async for page in pages:
        seen += page["messages"]
    assert [m["text"] for m in seen] == ["4", "3", "2", "1", "0"]
    assert not any("metadata" in m for m in seen)
    full = await acme.slack.conversations_history(
        channel="C0003", include_all_metadata=True, oldest=seen[0]["ts"], inclusive=True
    )
    assert full["messages"][0]["metadata"] == metadata


async def test_a_thread_counts_its_replies(acme: Company) -> None:
    """The parent knows; history leaves replies out, except what was broadcast."""
    slack = acme.slack
    root = (await slack.chat_postMessage(channel="C0003", text="root"))["ts"]
    for text, broadcast in (("one", False), ("two", True)):
        await slack.chat_postMessage(channel="C0003", text=text, thread_ts=root, reply_broadcast=broadcast)
    replies = (await slack.conversations_replies(channel="C0003", ts=root))["messages"]
    assert [m["text"] for m in replies] == ["root", "one", "two"]
    assert replies[0]["reply_count"] == 2
    history = (await slack.conversations_history(channel="C0003"))["messages"]
    assert [m["text"] for m in history] == ["two", "root"]
    await slack.chat_delete(channel="C0003", ts=root)
    assert (await slack.conversations_replies(channel="C0003", ts=root))["messages"][0]["subtype"] == "tombstone"


async def test_an_update_replaces_text_and_keeps_metadata(acme: Company) -> None:
    """`edited` names the app; the text is limited in bytes."""
    slack = acme.slack
    metadata = {"event_type": "inc", "event_payload": {}}
    ts = (await slack.chat_postMessage(channel="C0003", text="a", metadata=metadata))["ts"]
    edited = (await slack.chat_update(channel="C0003", ts=ts, text="b"))["message"]
    assert (edited["text"], edited["edited"]["user"]) == ("b", "U0BOT")
    long = slack.chat_update(channel="C0003", ts=ts, text="é" * 2001)
    assert await error(long) == "msg_too_long"
    anna = acme.person()
    hers = (await anna.do("send", channel="C0003", text="mine"))["ts"]
    change = slack.chat_update(channel="C0003", ts=hers, text="b")
    assert await error(change) == "cant_update_message"
    assert await error(slack.chat_delete(channel="C0003", ts=hers)) == "cant_delete_message"


async def test_an_update_retains_the_blocks_it_leaves_out(acme: Company) -> None:
    """An empty list removes them: https://docs.slack.dev/reference/methods/chat.update."""
    blocks = [{"type": "divider"}]
    ts = (await acme.slack.chat_postMessage(channel="C0003", text="a", blocks=blocks))["ts"]
    update = acme.slack.chat_update
    assert "blocks" in (await update(channel="C0003", ts=ts, text="b"))["message"]
    assert "blocks" not in (await update(channel="C0003", ts=ts, text="c", blocks=[]))["message"]


async def test_marks_on_messages_and_channels(acme: Company) -> None:
    """Pins, reactions and bookmarks: once each."""
    slack = acme.slack
    ts = (await slack.chat_postMessage(channel="C0003", text="a"))["ts"]
    place = {"channel": "C0003", "timestamp": ts}
    await slack.pins_add(**place)
    assert await error(slack.pins_add(**place)) == "already_pinned"
    assert (await slack.pins_list(channel="C0003"))["items"][0]["message"]["ts"] == ts
    await slack.pins_remove(**place)
    assert await error(slack.pins_remove(**place)) == "no_pin"
    await slack.reactions_add(name="eyes", **place)
    assert await error(slack.reactions_add(name="eyes", **place)) == "already_reacted"
    shown = (await slack.reactions_get(**place))["message"]
    assert shown["reactions"] == [{"name": "eyes", "users": ["U0BOT"], "count": 1}]
    await slack.reactions_remove(name="eyes", **place)
    assert await error(slack.reactions_remove(name="eyes", **place)) == "no_reaction"
    link = "https://wiki.example/rb"
    mark = (await slack.bookmarks_add(channel_id="C0003", title="Runbook", type="link", link=link))["bookmark"]
    edit = {"bookmark_id": mark["id"], "channel_id": "C0003"}
    await slack.bookmarks_edit(title="RB", **edit)
    assert (await slack.bookmarks_list(channel_id="C0003"))["bookmarks"][0]["title"] == "RB"
    await slack.bookmarks_remove(**edit)
    assert (await slack.bookmarks_list(channel_id="C0003"))["bookmarks"] == []
    assert await error(slack.bookmarks_remove(**edit)) == "not_found"


async def test_who_is_who(acme: Company) -> None:
    """People, groups, the team, and direct messages."""
    slack = acme.slack
    found = await slack.users_lookupByEmail(email="anna@acme.example")
    assert found["user"]["id"] == "U0001"
    assert (await slack.users_info(user="U0004"))["user"]["tz"] == "Asia/Tokyo"
    assert (await slack.users_getPresence(user="U0008"))["presence"] == "away"
    assert len((await slack.users_list(limit=3))["members"]) == 3
    groups = (await slack.usergroups_list(include_users=True))["usergroups"]
    assert groups[0]["handle"] == "oncall"
    assert (await slack.usergroups_users_list(usergroup="S0001"))["users"] == ["U0001", "U0002"]
    assert (await slack.team_info())["team"]["domain"] == "acme"
    room = (await slack.conversations_open(users="U0001"))["channel"]["id"]
    said = await slack.chat_postMessage(channel="U0001", text="hello")
    assert said["channel"] == room
    assert (await slack.conversations_info(channel=room))["channel"]["user"] == "U0001"
    mine = (await slack.users_conversations(types="public_channel"))["channels"]
    assert [channel["name"] for channel in mine] == ["incidents"]
    link = (await slack.chat_getPermalink(channel=room, message_ts=said["ts"]))["permalink"]
    assert link == f"{acme.base}/archives/{room}/p{said['ts'].replace('.', '')}"


async def test_time_stamps_never_repeat(found: Open) -> None:
    """Even when the clock stands."""
    company = await found(clock=Clock())
    stamps = [(await company.slack.chat_postMessage(channel="C0003", text=str(n)))["ts"] for n in range(5)]
    assert len(set(stamps)) == 5
    assert stamps == sorted(stamps)
