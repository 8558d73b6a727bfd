"""pins.*, reactions.* and bookmarks.*: what is put on messages and channels."""

from __future__ import annotations

import re

from bot.simulator import limits, pins, posts
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.store import Json
from bot.simulator.webapi.call import Call

TIMESTAMP = re.compile(r"\d{1,10}\.\d{1,6}")
EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def _marked(call: Call, *, member: bool) -> tuple[Channel, Json]:
    """Return the message that `channel` and `timestamp` name."""
    channel = call.channel(member=member)
    ts = call.text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not TIMESTAMP.fullmatch(ts):
        raise SlackError("bad_timestamp")
    return channel, call.message(channel, "timestamp")


def add_pin(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/pins.add"""
    channel, message = _marked(call, member=True)
    if channel.is_archived:
        raise SlackError("not_pinnable")
    pins.pin(call.world, channel, message, call.me)
    return {}


def remove_pin(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/pins.remove"""
    channel, message = _marked(call, member=True)
    pins.unpin(call.world, channel, message, call.me)
    return {}


def list_pins(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/pins.list"""
    channel = call.channel(member=True)
    kept = call.world.messages.get(channel.id, {})
    items = [
        pins.item_of(call.world, channel, kept[pin["ts"]], pin) for pin in reversed(channel.pins) if pin["ts"] in kept
    ]
    return {"items": items}


def _emoji(call: Call) -> str:
    name = call.text("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    return name


def add_reaction(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/reactions.add"""
    channel, message = _marked(call, member=True)
    if channel.is_archived:
        raise SlackError("is_archived")
    posts.react(call.world, channel, message, _emoji(call), call.me)
    return {}


def remove_reaction(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/reactions.remove"""
    channel, message = _marked(call, member=True)
    posts.unreact(call.world, channel, message, _emoji(call), call.me)
    return {}


def get_reactions(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/reactions.get"""
    channel, message = _marked(call, member=True)
    shown = posts.shown(message) | {"permalink": call.world.permalink(channel, message)}
    return {"type": "message", "channel": channel.id, "message": shown}


def _link(link: str) -> str:
    if not link.startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    return link


def _bookmark(call: Call, channel: Channel) -> Json:
    wanted = call.text("bookmark_id")
    for bookmark in channel.bookmarks:
        if bookmark["id"] == wanted:
            return bookmark
    raise SlackError("not_found")


def add_bookmark(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/bookmarks.add"""
    channel = call.channel("channel_id", member=True)
    if call.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if len(channel.bookmarks) >= limits.BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    link, emoji = _link(call.text("link")), call.text("emoji")
    if emoji and not re.fullmatch(r":[^:\s]+:", emoji):
        raise SlackError("invalid_emoji")
    now = int(call.world.now())
    bookmark: Json = {
        "id": call.world.next_id("Bk"),
        "channel_id": channel.id,
        "title": call.text("title"),
        "link": link,
        "emoji": emoji,
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": now,
        "date_updated": 0,
        "rank": chr(ord("U") + len(channel.bookmarks)),
        "last_updated_by_user_id": call.me,
        "last_updated_by_team_id": call.world.team["id"],
        "shortcut_id": None,
        "app_id": call.world.app.id,
    }
    channel.bookmarks.append(bookmark)
    call.world.keep_channel(channel)
    return {"bookmark": bookmark}


def edit_bookmark(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/bookmarks.edit"""
    channel = call.channel("channel_id", member=True)
    bookmark = _bookmark(call, channel)
    changes = {key: call.text(key) for key in ("title", "link", "emoji") if key in call.arguments}
    if "link" in changes:
        _link(changes["link"])
    bookmark |= changes | {"date_updated": int(call.world.now())}
    call.world.keep_channel(channel)
    return {"bookmark": bookmark}


def list_bookmarks(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/bookmarks.list"""
    return {"bookmarks": call.channel("channel_id", member=True).bookmarks}


def remove_bookmark(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/bookmarks.remove"""
    channel = call.channel("channel_id", member=True)
    channel.bookmarks.remove(_bookmark(call, channel))
    call.world.keep_channel(channel)
    return {}
