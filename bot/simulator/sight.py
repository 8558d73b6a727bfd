"""The workspace as one person sees it: the shapes of PROTOCOL.md."""

from __future__ import annotations

from bot.simulator import text, views
from bot.simulator.channel import Channel
from bot.simulator.interactions import commands, shortcuts
from bot.simulator.posts import shown
from bot.simulator.store import Json
from bot.simulator.world import World

QUIET = frozenset({"channel_join", "channel_leave", "channel_topic", "channel_purpose"})
QUIET |= {"pinned_item", "tombstone"}


def person(user: Json) -> Json:
    """Return a user for the page."""
    words = user["real_name"].split()
    return {
        "id": user["id"],
        "name": user["name"],
        "real_name": user["real_name"],
        "title": user["profile"]["title"],
        "color": user["color"],
        "initials": "".join(word[0] for word in words[:2]).upper(),
        "tz": user["tz"],
        "is_bot": user["is_bot"],
        "deleted": user["deleted"],
    }


def room(world: World, channel: Channel, me: str) -> Json:
    """Return a channel for the page, with what is unread."""
    said = [m for m in world.history(channel) if not _hidden(m)]
    read = channel.last_read.get(me, "")
    member = me in channel.members
    fresh = [m for m in said if m["ts"] > read and m.get("user") != me] if member else []
    fresh = [m for m in fresh if m.get("subtype") not in QUIET]
    called = [m for m in fresh if channel.is_direct or text.mentions(world, m["text"], me)]
    other = next((user for user in channel.members if user != me), me)
    return {
        "id": channel.id,
        "name": world.handle(other) if channel.kind == "im" else channel.name,
        "is_channel": not channel.is_direct,
        "is_private": channel.kind == "private",
        "is_im": channel.is_direct,
        **({"user": other} if channel.kind == "im" else {}),
        "is_archived": channel.is_archived,
        "is_member": member,
        "topic": channel.topic.get("value", ""),
        "purpose": channel.purpose.get("value", ""),
        "members": channel.members,
        "unread": len(fresh),
        "mentions": len(called),
        "last_read": read,
        "latest": said[-1]["ts"] if said else "",
        "pins": [pin["ts"] for pin in channel.pins],
        "bookmarks": [
            {key: bookmark[key] for key in ("id", "title", "link", "emoji")} for bookmark in channel.bookmarks
        ],
    }


def _hidden(message: Json) -> bool:
    root = message.get("thread_ts", message["ts"])
    return root != message["ts"] and message.get("subtype") != "thread_broadcast"


def messages(world: World, channel: Channel, me: str) -> list[Json]:
    """Return what a person sees in a channel, oldest first, without thread replies."""
    said = [m for m in world.history(channel) if not _hidden(m)]
    said += [m for m in _whispers(world, channel, me) if not _hidden(m)]
    return [shown(message) for message in sorted(said, key=lambda m: str(m["ts"]))]


def thread(world: World, channel: Channel, me: str, root: str) -> list[Json]:
    """Return a thread as a person sees it, parent first."""
    said = [*world.history(channel), *_whispers(world, channel, me)]
    found = [m for m in said if root in (m["ts"], m.get("thread_ts"))]
    return [shown(message) for message in sorted(found, key=lambda m: str(m["ts"]))]


def _whispers(world: World, channel: Channel, me: str) -> list[Json]:
    kept = world.ephemerals.get(channel.id, {}).values()
    return [message for message in kept if message["_reader"] == me]


def view(world: World, shown: Json) -> Json:
    """Return a modal or a home tab for the page."""
    return views.public(shown) | {"stack": len(views.stack(world, shown["_user"]))}


def _has_home(world: World) -> bool:
    """Without it, Slack opens the app at its messages: https://docs.slack.dev/reference/app-manifest#features"""
    return bool(world.settings.manifest.get("features", {}).get("app_home", {}).get("home_tab_enabled"))


def state(world: World, me: str) -> Json:
    """Return everything a page needs to start."""
    settings = world.settings
    seen = [c for c in world.channels.values() if world.may_see(c, me)]
    return {
        "ok": True,
        "seq": world.feed.seq,
        "team": {key: world.team[key] for key in ("id", "name", "domain")},
        "me": person(world.users[me]),
        "users": [person(user) for user in world.users.values()],
        "channels": [room(world, channel, me) for channel in seen],
        "bot": {"user_id": world.app.user_id, "app_id": world.app.id, "name": world.app.name, "home": _has_home(world)},
        "commands": [
            {
                "command": command["command"],
                "usage_hint": command.get("usage_hint", ""),
                "description": command.get("description", ""),
            }
            for command in commands(world)
        ],
        "completions": [dict(completion) for completion in settings.completions],
        "shortcuts": [{key: shortcut[key] for key in ("name", "callback_id", "type")} for shortcut in shortcuts(world)],
        "samples": [
            {
                "id": sample.id,
                "title": sample.title,
                "description": sample.description,
                "source": sample.source,
                "actions": list(sample.actions),
            }
            for sample in settings.samples
        ],
        "links": [dict(link) for link in settings.links],
        "usergroups": [
            {"id": group["id"], "handle": group["handle"], "name": group["name"]} for group in world.usergroups.values()
        ],
        "views": [view(world, each) for each in views.stack(world, me)],
    }
