"""Response URLs: five answers within thirty minutes to a command or a click.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import secrets
from typing import Any

from bot.simulator import blocks, limits, posts
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.store import Json
from bot.simulator.world import World

FIELDS = {"text", "blocks", "attachments", "response_type", "replace_original", "delete_original"}
FIELDS |= {"thread_ts", "mrkdwn", "unfurl_links", "unfurl_media", "metadata", "parse", "link_names"}


def mint(world: World, user: str, channel: Channel, message: Json | None = None) -> str:
    """Return a new response URL; `message` is the one that was clicked."""
    token = secrets.token_urlsafe(12)
    slip: Json = {
        "user": user,
        "channel": channel.id,
        "uses": 0,
        "until": world.now() + limits.RESPONSE_URL_LIFE,
        "message": message["ts"] if message else None,
        "thread_ts": message.get("thread_ts") if message else None,
    }
    world.response_urls[token] = slip
    world.store.put("response_url", token, slip)
    return f"{world.settings.base_url.rstrip('/')}/slack/response/{token}"


def use(world: World, token: str, body: Any) -> None:
    """Take an answer. Raises SlackError expired_url, used_url, and those of a message."""
    slip = world.response_urls.get(token)
    if slip is None or world.now() > slip["until"]:
        raise SlackError("expired_url")
    if slip["uses"] >= limits.RESPONSE_URL_USES:
        raise SlackError("used_url")
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    if unknown := sorted(set(body) - FIELDS):
        raise SlackError("invalid_arguments", [f"[ERROR] unknown field: {name}" for name in unknown])
    slip["uses"] += 1
    world.store.put("response_url", token, slip)
    channel = world.channels[slip["channel"]]
    if body.get("delete_original"):
        _delete(world, channel, slip["message"])
    else:
        answer(world, channel, slip["user"], body, slip)


def _delete(world: World, channel: Channel, ts: str | None) -> None:
    if ts is not None and ts in world.messages.get(channel.id, {}):
        posts.delete(world, channel, ts)
    elif ts is not None:
        posts.hush(world, channel, ts)


def content(body: Json) -> Json:
    """Return the text and blocks of an answer. Raises SlackError no_text, invalid_blocks."""
    given, text = body.get("blocks"), body.get("text", "")
    if isinstance(given, str) or (text and not isinstance(text, str)):
        raise SlackError("invalid_payload")
    attachments = body.get("attachments")
    if not given and not text and not attachments:
        raise SlackError("no_text")
    if len(text) > limits.MESSAGE_TEXT:
        raise SlackError("msg_too_long")
    if given and (faults := blocks.faults_of(given, message=True)):
        raise SlackError("invalid_blocks", faults)
    if given and blocks.length_of(given) > limits.TEXT_OF_ALL_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    settled = blocks.settle(given) if given else None
    return {"text": text, "blocks": settled, "attachments": attachments}


def answer(world: World, channel: Channel, user: str, body: Json, slip: Json) -> None:
    """Show an answer: over the original, to one person, or to all."""
    said, original = content(body), slip.get("message")
    thread = body.get("thread_ts") or slip.get("thread_ts")
    kept = world.messages.get(channel.id, {})
    if body.get("replace_original") and original in kept:
        posts.edit(world, channel, original, said, world.app.user_id)
        return
    message = posts.by_app(world, **said)
    if body.get("replace_original") and original in world.ephemerals.get(channel.id, {}):
        message["ts"] = original
        posts.whisper(world, channel, user, message)
    elif body.get("response_type") == "in_channel":
        posts.say(world, channel, message, thread if thread in kept else None)
    else:
        if thread in kept:
            message["thread_ts"] = thread
        posts.whisper(world, channel, user, message)
