"""Messages: said, edited, deleted, reacted to and pinned, by a person or by the app."""

from __future__ import annotations

import uuid
from typing import Any

from bot.simulator import events, limits
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.store import Json
from bot.simulator.world import World


def by_app(world: World, **content: Any) -> Json:
    """Return the start of a message that the app says."""
    team, app = world.team["id"], world.app
    profile = {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.user_id,
        "name": app.name,
        "icons": {},
        "deleted": False,
        "updated": int(world.now()),
        "team_id": team,
    }
    message: Json = {"type": "message", "user": app.user_id, "bot_id": app.bot_id}
    message |= {"app_id": app.id, "team": team, "bot_profile": profile}
    custom = {key: content.pop(key) for key in ("username", "icons") if content.get(key)}
    if custom:
        # https://docs.slack.dev/reference/methods/chat.postMessage#authorship
        del message["user"], message["bot_profile"]
        message |= {"subtype": "bot_message", **custom}
    return message | {key: value for key, value in content.items() if value is not None}


def by_person(world: World, user: str, text: str, blocks: list[Json]) -> Json:
    """Return the start of a message that a person says."""
    return {
        "user": user,
        "type": "message",
        "client_msg_id": str(uuid.uuid4()),
        "text": text,
        "team": world.team["id"],
        "blocks": blocks,
    }


def say(
    world: World,
    channel: Channel,
    message: Json,
    thread_ts: str | None = None,
    *,
    broadcast: bool = False,
) -> Json:
    """Add a message to a channel or a thread and tell everyone."""
    message["ts"] = world.next_ts()
    message.setdefault("text", "")
    if thread_ts:
        _answer(world, channel, message, thread_ts, broadcast=broadcast)
    world.keep_message(channel, message)
    if author := message.get("user"):
        channel.last_read[author] = message["ts"]
    news = {"channel": channel.id, "message": shown(message)}
    world.feed.push("message", news, world.audience(channel))
    world.keep_channel(channel)
    events.said(world, channel, message)
    return message


def _answer(world: World, channel: Channel, message: Json, ts: str, *, broadcast: bool) -> None:
    parent = world.messages.get(channel.id, {}).get(ts)
    if parent is None:
        raise SlackError("cannot_reply_to_message")
    root = parent.get("thread_ts", ts)
    parent = world.messages[channel.id][root]
    author = message.get("user") or message.get("bot_id")
    repliers = list(dict.fromkeys([*parent.get("reply_users", ()), author]))
    parent |= {
        "thread_ts": root,
        "reply_count": parent.get("reply_count", 0) + 1,
        "reply_users": repliers,
        "reply_users_count": len(repliers),
        "latest_reply": message["ts"],
        "is_locked": False,
    }
    message["thread_ts"] = root
    if "user" in parent:
        message["parent_user_id"] = parent["user"]
    if broadcast:
        message["subtype"] = "thread_broadcast"
        message["root"] = shown(parent)
    world.keep_message(channel, parent)
    show(world, channel, parent)


def system(world: World, channel: Channel, subtype: str, user: str, text: str, **more: Any) -> Json:
    """Add one of Slack's own messages: https://docs.slack.dev/reference/events/message#subtypes."""
    message = {"type": "message", "subtype": subtype, "user": user, "text": text, **more}
    return say(world, channel, message)


def whisper(world: World, channel: Channel, reader: str, message: Json) -> Json:
    """Show a message to one person only; nothing of it is in the history."""
    message.setdefault("ts", world.next_ts())
    message["ephemeral"] = True
    message["_reader"] = reader
    world.ephemerals.setdefault(channel.id, {})[message["ts"]] = message
    world.store.put("ephemeral", f"{channel.id}:{message['ts']}", message)
    news = {"channel": channel.id, "message": shown(message)}
    world.feed.push("ephemeral", news, frozenset({reader}))
    return message


def hush(world: World, channel: Channel, ts: str) -> None:
    """Take an ephemeral message away."""
    message = world.ephemerals.get(channel.id, {}).pop(ts, None)
    if message is not None:
        world.store.drop("ephemeral", f"{channel.id}:{ts}")
        news = {"channel": channel.id, "ts": ts}
        world.feed.push("message_deleted", news, frozenset({message["_reader"]}))


def edit(world: World, channel: Channel, ts: str, changes: Json, editor: str) -> Json:
    """Change a message and tell everyone."""
    old = world.messages[channel.id][ts]
    new = {key: value for key, value in (old | changes).items() if value is not None}
    new["edited"] = {"user": editor, "ts": world.next_ts()}
    world.keep_message(channel, new)
    show(world, channel, new)
    events.changed(world, channel, new, old)
    return new


def delete(world: World, channel: Channel, ts: str) -> None:
    """Delete a message; a parent with replies becomes a tombstone."""
    old = world.messages[channel.id][ts]
    channel.pins = [pin for pin in channel.pins if pin["ts"] != ts]
    if old.get("reply_count"):
        kept = ("ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply")
        stone: Json = {"type": "message", "subtype": "tombstone", "text": "This message was deleted."}
        stone |= {"user": "USLACKBOT", "hidden": True} | {key: old[key] for key in kept}
        world.keep_message(channel, stone)
        show(world, channel, stone)
        events.changed(world, channel, stone, old)
    else:
        world.drop_message(channel, ts)
        _forget_reply(world, channel, old)
        gone = {"channel": channel.id, "ts": ts}
        world.feed.push("message_deleted", gone, world.audience(channel))
        events.deleted(world, channel, old)
    world.keep_channel(channel)


def _forget_reply(world: World, channel: Channel, old: Json) -> None:
    root = old.get("thread_ts")
    parent = world.messages[channel.id].get(root) if root and root != old["ts"] else None
    if parent is None:
        return
    rest = [m for m in world.history(channel) if m.get("thread_ts") == root and m["ts"] != root]
    if rest:
        people = list(dict.fromkeys(m.get("user") or m.get("bot_id") for m in rest))
        parent |= {"reply_count": len(rest), "latest_reply": rest[-1]["ts"]}
        parent |= {"reply_users": people, "reply_users_count": len(people)}
    else:
        threaded = ("reply_count", "reply_users", "reply_users_count", "latest_reply", "is_locked")
        for key in (*threaded, "thread_ts"):
            parent.pop(key, None)
    world.keep_message(channel, parent)
    show(world, channel, parent)


def react(world: World, channel: Channel, message: Json, name: str, user: str) -> None:
    """Add a reaction. Raises SlackError already_reacted, too_many_emoji, too_many_reactions."""
    reactions = message.get("reactions", [])
    found = next((r for r in reactions if r["name"] == name), None)
    if found is not None and user in found["users"]:
        raise SlackError("already_reacted")
    if found is None and len(reactions) >= limits.EMOJI_ON_A_MESSAGE:
        raise SlackError("too_many_emoji")
    if sum(user in r["users"] for r in reactions) >= limits.EMOJI_OF_ONE_PERSON:
        raise SlackError("too_many_reactions")
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        message["reactions"] = [*reactions, found]
    found["users"].append(user)
    found["count"] += 1
    _reacted(world, channel, message, name, user, "reaction_added")


def unreact(world: World, channel: Channel, message: Json, name: str, user: str) -> None:
    """Take a reaction back. Raises SlackError no_reaction."""
    reactions = message.get("reactions", [])
    found = next((r for r in reactions if r["name"] == name and user in r["users"]), None)
    if found is None:
        raise SlackError("no_reaction")
    found["users"].remove(user)
    found["count"] -= 1
    message["reactions"] = [r for r in reactions if r["count"]]
    if not message["reactions"]:
        del message["reactions"]
    _reacted(world, channel, message, name, user, "reaction_removed")


def _reacted(world: World, channel: Channel, message: Json, name: str, user: str, happened: str) -> None:
    world.keep_message(channel, message)
    show(world, channel, message)
    item = {"type": "message", "channel": channel.id, "ts": message["ts"]}
    event = {"type": happened, "user": user, "reaction": name, "item": item}
    if "user" in message:
        event["item_user"] = message["user"]
    events.emit(world, event, channel)


def show(world: World, channel: Channel, message: Json) -> None:
    """Show a message that changed to everyone."""
    news = {"channel": channel.id, "message": shown(message)}
    world.feed.push("message_changed", news, world.audience(channel))


def shown(message: Json) -> Json:
    """Return a message without what only the app or the workspace may see."""
    return {k: v for k, v in message.items() if k != "metadata" and not k.startswith("_")}
