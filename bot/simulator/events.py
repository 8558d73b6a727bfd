"""What the app hears: which events it asked for, may know, and how they are wrapped.

https://docs.slack.dev/apis/events-api and the page of each event under
https://docs.slack.dev/reference/events
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from typing import Any

from bot.simulator.channel import Channel, Kind
from bot.simulator.store import Json
from bot.simulator.world import World

KIND_WORD: Mapping[Kind, str] = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
FAMILY: Mapping[Kind, str] = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}

# The scope that each event's page asks for; `*` stands for the family of the channel.
SCOPES: Mapping[str, str] = {
    "app_mention": "app_mentions:read",
    "message": "*:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "pin_added": "pins:read",
    "pin_removed": "pins:read",
    "member_joined_channel": "*:read",
    "member_left_channel": "*:read",
    "channel_created": "channels:read",
    "channel_rename": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_left": "channels:read",
    "group_rename": "groups:read",
    "group_archive": "groups:read",
    "group_unarchive": "groups:read",
    "group_left": "groups:read",
    "team_join": "users:read",
    "user_change": "users:read",
    "subteam_members_changed": "usergroups:read",
}
NOT_IN_EVENTS = frozenset({"metadata", "reactions", "reply_count", "reply_users", "latest_reply"})
NOT_IN_EVENTS |= {"reply_users_count", "pinned_to", "is_locked"}


def granted(world: World) -> frozenset[str]:
    """Return the bot scopes of the manifest."""
    scopes = world.settings.manifest.get("oauth_config", {}).get("scopes", {})
    return frozenset(scopes.get("bot", ()))


def subscribed(world: World) -> frozenset[str]:
    """Return the bot events of the manifest."""
    settings = world.settings.manifest.get("settings", {})
    return frozenset(settings.get("event_subscriptions", {}).get("bot_events", ()))


def hears(world: World, event: str, channel: Channel | None) -> bool:
    """Whether the app subscribed to an event, has its scope, and is in the channel."""
    if channel is not None and world.app.user_id not in channel.members:
        return False
    word = KIND_WORD[channel.kind] + "s" if channel and not channel.is_direct else ""
    suffix = (word or channel.kind) if channel else ""
    name = f"message.{suffix}" if event == "message" else event
    scope = SCOPES.get(event)
    if scope and channel is not None:
        scope = scope.replace("*", FAMILY[channel.kind])
    return name in subscribed(world) and (scope is None or scope in granted(world))


def emit(world: World, event: Json, channel: Channel | None = None) -> None:
    """Send an event if the app should hear it; it is delivered after the next commit."""
    if hears(world, event["type"], channel):
        dispatch(world, event)


def dispatch(world: World, event: Json) -> None:
    """Wrap an event and put it in the queue, as it is now."""
    event = copy.deepcopy(event)
    event.setdefault("event_ts", world.next_ts())
    event_id = "Ev" + secrets.token_hex(5).upper()
    team = world.team["id"]
    authorization = {
        "enterprise_id": None,
        "team_id": team,
        "user_id": world.app.user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    payload = {
        "token": "legacy-verification-token",
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": world.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(event["event_ts"])),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }
    delivery = {"id": event_id, "payload": payload, "attempt": 0, "reason": ""}
    delivery["order"] = int(event["event_ts"].replace(".", ""))
    world.deliveries[event_id] = delivery
    world.store.put("delivery", event_id, delivery)


def message_event(channel: Channel, message: Mapping[str, Any]) -> Json:
    """Return a message as the `message` event carries it."""
    said = {key: value for key, value in message.items() if key not in NOT_IN_EVENTS}
    return said | {
        "channel": channel.id,
        "event_ts": message["ts"],
        "channel_type": KIND_WORD[channel.kind],
    }


def said(world: World, channel: Channel, message: Json) -> None:
    """Send a new message, and app_mention beside it where the app is called by name."""
    emit(world, message_event(channel, message), channel)
    called = f"<@{world.app.user_id}" in message.get("text", "")
    own = message.get("bot_id") == world.app.bot_id
    if called and not own and not channel.is_direct and "subtype" not in message:
        kept = ("client_msg_id", "text", "user", "ts", "team", "blocks", "thread_ts")
        mention: Json = {"type": "app_mention"}
        mention |= {key: message[key] for key in kept if key in message}
        mention |= {"channel": channel.id, "event_ts": message["ts"]}
        emit(world, mention, channel)


def changed(world: World, channel: Channel, new: Json, old: Json) -> None:
    """Send message_changed."""
    ts = world.next_ts()
    event = {
        "type": "message",
        "subtype": "message_changed",
        "message": {k: v for k, v in new.items() if k != "metadata"},
        "previous_message": {k: v for k, v in old.items() if k != "metadata"},
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": KIND_WORD[channel.kind],
    }
    emit(world, event, channel)


def deleted(world: World, channel: Channel, old: Json) -> None:
    """Send message_deleted."""
    ts = world.next_ts()
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": {k: v for k, v in old.items() if k != "metadata"},
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": old["ts"],
        "event_ts": ts,
        "ts": ts,
        "channel_type": KIND_WORD[channel.kind],
    }
    emit(world, event, channel)
