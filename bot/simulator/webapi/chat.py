"""chat.*: messages that the app posts, edits and deletes."""

from __future__ import annotations

import json
from typing import Any

from bot.simulator import blocks, limits, posts, rooms
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.events import granted
from bot.simulator.store import Json
from bot.simulator.text import escape
from bot.simulator.webapi.call import Call


def post_message(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postMessage"""
    channel = _target(call)
    content = _content(call)
    if len(content["text"]) > limits.MESSAGE_TEXT:
        raise SlackError("msg_too_long")
    thread = call.text("thread_ts")
    broadcast = call.flag("reply_broadcast")
    message = posts.by_app(call.world, **content, **_authorship(call))
    if thread and thread not in call.world.messages.get(channel.id, {}):
        raise SlackError("cannot_reply_to_message")
    said = posts.say(call.world, channel, message, thread or None, broadcast=broadcast)
    shown = {key: value for key, value in said.items() if not key.startswith("_")}
    return {"channel": channel.id, "ts": said["ts"], "message": shown}


def post_ephemeral(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postEphemeral"""
    channel = call.channel(member=True)
    if channel.is_archived:
        raise SlackError("is_archived")
    content = _content(call)
    reader = call.text("user")
    if reader not in channel.members:
        raise SlackError("user_not_in_channel")
    _short(content["text"])
    message = posts.by_app(call.world, **content, **_authorship(call))
    if thread := call.text("thread_ts"):
        message["thread_ts"] = thread
    said = posts.whisper(call.world, channel, reader, message)
    return {"message_ts": said["ts"]}


def update(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.update"""
    channel = call.channel()
    message = call.message(channel)
    if message.get("bot_id") != call.world.app.bot_id or message.get("subtype") == "tombstone":
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    content = _content(call)
    _short(content["text"])
    # The page: what is left out is retained, an empty list removes it.
    given = {"text"} if "markdown_text" in call.arguments else set(call.arguments)
    content = {key: part for key, part in content.items() if key in given}
    edited = posts.edit(call.world, channel, message["ts"], content, call.me)
    return {
        "channel": channel.id,
        "ts": edited["ts"],
        "text": edited["text"],
        "message": posts.shown(edited),
    }


def delete(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.delete"""
    channel = call.channel()
    message = call.message(channel)
    if message.get("bot_id") != call.world.app.bot_id:
        raise SlackError("cant_delete_message")
    posts.delete(call.world, channel, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


def get_permalink(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.getPermalink"""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": call.world.permalink(channel, message)}


def _target(call: Call) -> Channel:
    """Return where a message goes: a channel's id, or a person's for a direct message."""
    world, name = call.world, call.text("channel")
    if name in world.users and name != call.me:
        call.need("im:write", "chat:write")
        if world.users[name]["deleted"]:
            raise SlackError("channel_not_found")
        return rooms.direct(world, name, call.me)
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    if call.me not in channel.members and "chat:write.public" not in granted(world):
        raise SlackError("not_in_channel")
    return channel


def _content(call: Call) -> Json:
    """Return text, blocks, attachments and metadata, checked."""
    text, markdown = call.text("text"), call.text("markdown_text")
    given = call.data("blocks", "invalid_blocks_format")
    attachments = call.data("attachments")
    if markdown and (text or given):
        raise SlackError("markdown_text_conflict")
    if not (text.strip() or markdown or given or attachments):
        raise SlackError("no_text")
    if given is not None and not isinstance(given, list):
        raise SlackError("invalid_blocks_format")
    if given and (faults := blocks.faults_of(given, message=True)):
        raise SlackError("invalid_blocks", faults)
    if given and blocks.length_of(given) > limits.TEXT_OF_ALL_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    return {
        "text": text or markdown,
        "blocks": blocks.settle(given) if given else None,
        "attachments": attachments or None,
        "metadata": _metadata(call.data("metadata", "invalid_metadata_format")),
    }


def _metadata(metadata: Any) -> Any:
    """https://docs.slack.dev/messaging/message-metadata"""
    if metadata is None or metadata == {}:
        return None
    shape = {"event_type": str, "event_payload": dict}
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if set(metadata) - {*shape, "entities"} or not all(
        isinstance(metadata.get(key), kind) for key, kind in shape.items()
    ):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > limits.METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def _authorship(call: Call) -> Json:
    """Return another name and face for this message, which takes chat:write.customize."""
    username = call.text("username")
    icons = {"emoji": call.text("icon_emoji"), "image_48": call.text("icon_url")}
    icons = {key: value for key, value in icons.items() if value}
    if username or icons:
        call.need("chat:write.customize")
    return {"username": username, "icons": icons}


def _short(text: str) -> None:
    """Slack counts this limit in bytes after escaping: gitlab-org/gitlab!258898."""
    if len(escape(text).encode()) > limits.UPDATE_TEXT and text:
        raise SlackError("msg_too_long")
