"""Pinned messages: https://docs.slack.dev/reference/methods/pins.add."""

from __future__ import annotations

from bot.simulator import events, limits, posts
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.store import Json
from bot.simulator.world import World


def pin(world: World, channel: Channel, message: Json, user: str) -> None:
    """Pin a message. Raises SlackError already_pinned, too_many_pins."""
    if any(pin["ts"] == message["ts"] for pin in channel.pins):
        raise SlackError("already_pinned")
    if len(channel.pins) >= limits.PINS:
        raise SlackError("too_many_pins")
    pinned = {"ts": message["ts"], "created": int(world.now()), "created_by": user}
    channel.pins.append(pinned)
    message["pinned_to"] = [channel.id]
    world.keep_message(channel, message)
    posts.show(world, channel, message)
    _tell(world, channel, message, pinned, user, "pin_added")
    item = {"type": "C", **item_of(world, channel, message, pinned)}
    text = f"<@{user}> pinned a message to this channel."
    posts.system(world, channel, "pinned_item", user, text, item_type="C", item=item)


def unpin(world: World, channel: Channel, message: Json, user: str) -> None:
    """Unpin a message. Raises SlackError no_pin."""
    pinned = next((pin for pin in channel.pins if pin["ts"] == message["ts"]), None)
    if pinned is None:
        raise SlackError("no_pin")
    channel.pins.remove(pinned)
    message.pop("pinned_to", None)
    world.keep_message(channel, message)
    world.keep_channel(channel)
    posts.show(world, channel, message)
    _tell(world, channel, message, pinned, user, "pin_removed")


def item_of(world: World, channel: Channel, message: Json, pinned: Json) -> Json:
    """Return a pinned item as pins.list and the events show it."""
    kept = ("type", "user", "bot_id", "text", "ts", "pinned_to")
    inner = {key: message[key] for key in kept if key in message}
    return {
        "type": "message",
        "created": pinned["created"],
        "created_by": pinned["created_by"],
        "channel": channel.id,
        "message": inner | {"permalink": world.permalink(channel, message)},
    }


def _tell(world: World, channel: Channel, message: Json, pinned: Json, user: str, happened: str) -> None:
    event: Json = {
        "type": happened,
        "user": user,
        "channel_id": channel.id,
        "item": item_of(world, channel, message, pinned),
        "item_user": message.get("user", ""),
        "pin_count": len(channel.pins),
    }
    if happened == "pin_added":
        info = {"channel": channel.id, "pinned_by": user, "pinned_ts": pinned["created"]}
        event["pinned_info"] = info
    else:
        event["has_pins"] = bool(channel.pins)
    events.emit(world, event, channel)
