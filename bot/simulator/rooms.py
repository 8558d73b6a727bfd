"""Channels: made, joined, left, renamed, archived, by a person or by the app.

Subtypes and texts: https://docs.slack.dev/reference/events/message#subtypes. The messages of private
channels have the same subtypes (ChannelJoinMessageEvent and its sisters in @slack/types), the events
of their fate begin with `group_`.
"""

from __future__ import annotations

from bot.simulator import events, limits, posts
from bot.simulator.channel import Channel, blurb
from bot.simulator.errors import SlackError
from bot.simulator.events import KIND_WORD
from bot.simulator.store import Json
from bot.simulator.world import World


def check_name(world: World, name: str) -> str:
    """Return a channel name that may be taken. Raises SlackError invalid_name_*, name_taken.

    https://docs.slack.dev/reference/methods/conversations.create#naming
    """
    if not name.strip():
        raise SlackError("invalid_name_required")
    if len(name) > limits.CHANNEL_NAME:
        raise SlackError("invalid_name_maxlength")
    if all(not letter.isalnum() for letter in name):
        raise SlackError("invalid_name_punctuation")
    if name != name.lower() or any(_odd(letter) for letter in name):
        raise SlackError("invalid_name_specials")
    if any(channel.name == name for channel in world.channels.values() if not channel.is_direct):
        raise SlackError("name_taken")
    return name


def _odd(letter: str) -> bool:
    return not (letter.isalnum() or letter in "-_")


def create(world: World, name: str, user: str, *, private: bool) -> Channel:
    """Make a channel with its creator in it."""
    channel = Channel(
        id=world.next_id("C"),
        name=check_name(world, name),
        kind="private" if private else "public",
        creator=user,
        created=int(world.now()),
        topic=blurb("", "", 0),
        purpose=blurb("", "", 0),
    )
    world.keep_channel(channel)
    if not private:
        made = {"id": channel.id, "is_channel": True, "name": name, "name_normalized": name}
        made |= {"created": channel.created, "creator": user}
        events.emit(world, {"type": "channel_created", "channel": made})
    join(world, channel, user)
    return channel


def join(world: World, channel: Channel, user: str, inviter: str | None = None) -> None:
    """Bring a user in, with Slack's message and event."""
    channel.members.append(user)
    channel.last_read.setdefault(user, world.next_ts())
    word = KIND_WORD[channel.kind]
    more = {"inviter": inviter} if inviter else {}
    text = f"<@{user}> has joined the channel"
    posts.system(world, channel, "channel_join", user, text, **more)
    event = {"type": "member_joined_channel", "user": user, "channel": channel.id}
    event |= {"channel_type": "C" if word == "channel" else "G", "team": world.team["id"], **more}
    events.emit(world, event, channel)


def leave(world: World, channel: Channel, user: str, remover: str | None = None) -> None:
    """Take a user out, with Slack's message and event."""
    word = KIND_WORD[channel.kind]
    text = f"<@{user}> has left the channel"
    if remover:
        text = f"<@{remover}> removed <@{user}> from the channel"
    channel.members.remove(user)
    posts.system(world, channel, "channel_leave", user, text)
    if not world.may_see(channel, user):
        world.feed.push("channel_gone", {"id": channel.id}, frozenset({user}))
    event = {"type": "member_left_channel", "user": user, "channel": channel.id}
    event |= {"channel_type": "C" if word == "channel" else "G", "team": world.team["id"]}
    if user == world.app.user_id:
        events.emit(world, {"type": f"{word}_left", "channel": channel.id})
    else:
        events.emit(world, event, channel)


def rename(world: World, channel: Channel, name: str, user: str) -> None:
    """Give a channel another name."""
    old = channel.name
    channel.name = check_name(world, name)
    channel.previous_names = [*channel.previous_names, old]
    word = KIND_WORD[channel.kind]
    text = f"has renamed the channel from “{old}” to “{name}”"
    posts.system(world, channel, "channel_name", user, text, old_name=old, name=name)
    renamed = {"id": channel.id, "is_channel": True, "is_mpim": False, "name": name}
    renamed |= {"name_normalized": name, "created": channel.created}
    _announce(world, channel, {"type": f"{word}_rename", "channel": renamed})


def describe(world: World, channel: Channel, what: str, value: str, user: str) -> None:
    """Set the topic or the purpose (`what`)."""
    setattr(channel, what, blurb(value, user, world.now()))
    text = f"set the channel {'topic' if what == 'topic' else 'description'}: {value}"
    if not value:
        text = f"cleared the channel {'topic' if what == 'topic' else 'description'}"
    posts.system(world, channel, f"channel_{what}", user, text, **{what: value})


def archive(world: World, channel: Channel, user: str) -> None:
    """Close a channel for good, or until it is unarchived. It ejects the app.

    https://github.com/elastic/connectors/issues/1972
    """
    word = KIND_WORD[channel.kind]
    text = f"<@{user}> archived the channel"
    posts.system(world, channel, "channel_archive", user, text)
    event = {"type": f"{word}_archive", "channel": channel.id, "user": user, "is_moved": 0}
    _announce(world, channel, event)
    channel.is_archived = True
    channel.members = [member for member in channel.members if member != world.app.user_id]
    world.keep_channel(channel)


def unarchive(world: World, channel: Channel, user: str) -> None:
    """Open an archived channel again; who does it is in it.

    https://docs.slack.dev/reference/methods/conversations.unarchive
    """
    channel.is_archived = False
    if user not in channel.members:
        channel.members.append(user)
    word = KIND_WORD[channel.kind]
    posts.system(world, channel, "channel_unarchive", user, f"<@{user}> un-archived the channel")
    event = {"type": f"{word}_unarchive", "channel": channel.id, "user": user}
    _announce(world, channel, event)


def _announce(world: World, channel: Channel, event: Json) -> None:
    """Send what befell a channel: a public one's fate is heard by every app with channels:read.

    https://docs.slack.dev/reference/events/channel_archive
    """
    events.emit(world, event, None if channel.kind == "public" else channel)


def direct(world: World, *users: str) -> Channel:
    """Return the direct message between users, opened if need be."""
    if found := world.direct(*users):
        return found
    kind: Json = {"kind": "im" if len(set(users)) <= 2 else "mpim"}
    prefix = "D" if kind["kind"] == "im" else "G"
    channel = Channel(
        id=world.next_id(prefix),
        name="directmessage" if prefix == "D" else "mpdm-" + "--".join(map(world.handle, users)),
        creator=users[0],
        created=int(world.now()),
        members=list(dict.fromkeys(users)),
        topic=blurb("", "", 0),
        purpose=blurb("", "", 0),
        **kind,
    )
    world.keep_channel(channel)
    return channel
