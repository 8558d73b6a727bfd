"""conversations.*: channels as such."""

from __future__ import annotations

from bot.simulator import limits, rooms
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.store import Json
from bot.simulator.webapi.call import Call
from bot.simulator.world import World

TYPES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}


def shown(world: World, channel: Channel, me: str) -> Json:
    """Return a channel object: https://docs.slack.dev/reference/objects/conversation-object."""
    base: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": world.team["id"],
        "updated": channel.created * 1000,
    }
    if channel.kind == "im":
        other = next((user for user in channel.members if user != me), me)
        deleted = bool(world.users.get(other, {}).get("deleted"))
        return base | {"user": other, "is_user_deleted": deleted, "priority": 0}
    return base | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "public",
        "is_general": channel.is_general,
        "is_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "is_member": me in channel.members,
        "unlinked": 0,
        "shared_team_ids": [world.team["id"]],
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "parent_conversation": None,
        "topic": channel.topic,
        "purpose": channel.purpose,
        "previous_names": channel.previous_names,
    }


def create(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.create"""
    private = call.flag("is_private")
    call.need_for("private" if private else "public")
    channel = rooms.create(call.world, call.text("name"), call.me, private=private)
    return {"channel": shown(call.world, channel, call.me)}


def listing(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.list"""
    return _listed(call, lambda channel: call.world.may_see(channel, call.me))


def of_user(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.conversations"""
    user = call.text("user") or call.me
    call.user(user)
    return _listed(
        call,
        lambda channel: user in channel.members and call.world.may_see(channel, call.me),
    )


def _listed(call: Call, wanted: object) -> Json:
    kinds = []
    for word in call.text("types", "public_channel").replace(" ", "").split(","):
        if word not in TYPES:
            raise SlackError("invalid_types")
        kinds.append(TYPES[word])
        call.need_for(TYPES[word])
    assert callable(wanted)
    skip = call.flag("exclude_archived")
    found = [
        channel
        for channel in call.world.channels.values()
        if channel.kind in kinds and wanted(channel) and not (skip and channel.is_archived)
    ]
    page, cursor = call.page(found, limits.PAGE, limits.PAGE_MOST)
    listed = []
    for channel in page:
        entry = shown(call.world, channel, call.me)
        listed.append(entry | {"num_members": len(channel.members)})
    return {"channels": listed, **cursor}


def info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.info"""
    channel = call.channel()
    entry = shown(call.world, channel, call.me)
    if call.me in channel.members:
        entry["last_read"] = channel.last_read.get(call.me, "0000000000.000000")
    if call.flag("include_num_members"):
        entry["num_members"] = len(channel.members)
    if call.flag("include_locale"):
        entry["locale"] = "en-US"
    return {"channel": entry}


def _changeable(call: Call) -> Channel:
    """Return a channel the app is in, that is neither direct nor archived."""
    channel = call.channel()
    if channel.is_direct:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    return call.channel(member=True)


def archive(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.archive"""
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("already_archived")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    _changeable(call)
    rooms.archive(call.world, channel, call.me)
    return {}


def unarchive(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.unarchive"""
    channel = call.channel()
    if not channel.is_archived:
        raise SlackError("not_archived")
    # The page's "bug alert": bot tokens cannot unarchive, for archiving ejected them.
    raise SlackError("not_in_channel")


def rename(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.rename"""
    channel = _changeable(call)
    if channel.creator != call.me:
        raise SlackError("not_authorized")
    rooms.rename(call.world, channel, call.text("name"), call.me)
    return {"channel": shown(call.world, channel, call.me)}


def set_topic(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.setTopic"""
    return _describe(call, "topic", limits.TOPIC)


def set_purpose(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.setPurpose"""
    return _describe(call, "purpose", limits.PURPOSE)


def _describe(call: Call, what: str, most: int) -> Json:
    channel = _changeable(call)
    value = call.text(what)
    if len(value) > most:
        raise SlackError("too_long")
    rooms.describe(call.world, channel, what, value, call.me)
    return {"channel": shown(call.world, channel, call.me)}


def opened(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.open"""
    if call.text("channel"):
        channel = call.channel()
        if not channel.is_direct:
            raise SlackError("method_not_supported_for_channel_type")
        return {"channel": {"id": channel.id}, "no_op": True, "already_open": True}
    users = call.names("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > limits.OPENED_WITH:
        raise SlackError("too_many_users")
    call.need_for("im" if len(users) == 1 else "mpim")
    if users == [call.me]:
        raise SlackError("invalid_user_combination")
    for user in users:
        if call.user(user)["deleted"]:
            raise SlackError("user_disabled")
    known = call.world.direct(*users, call.me)
    channel = known or rooms.direct(call.world, *users, call.me)
    entry = {"id": channel.id}
    if call.flag("return_im"):
        entry = shown(call.world, channel, call.me)
    beside: Json = {"no_op": True, "already_open": True} if known else {}
    return {"channel": entry, **beside}


def mark(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.mark"""
    channel = call.channel(member=True)
    ts = call.text("ts")
    if not ts.replace(".", "", 1).isdigit():
        raise SlackError("invalid_timestamp")
    channel.last_read[call.me] = ts
    call.world.keep_channel(channel)
    return {}
