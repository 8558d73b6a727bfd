"""conversations.*: who is in a channel, and what was said there."""

from __future__ import annotations

from bot.simulator import limits, rooms
from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.store import Json
from bot.simulator.webapi.call import Call
from bot.simulator.webapi.conversations import shown


def invite(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.invite"""
    channel = _room(call.channel())
    if channel.is_archived:
        raise SlackError("is_archived")
    if call.me not in channel.members:
        raise SlackError("not_in_channel")
    users = call.names("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > limits.INVITED_AT_ONCE:
        raise SlackError("invalid_arguments", ["[ERROR] no more than 100 users"])
    refusals = {user: _refusal(call, channel, user) for user in users}
    errors = [{"user": u, "ok": False, "error": e} for u, e in refusals.items() if e]
    welcome = [user for user, error in refusals.items() if not error]
    if errors and not (call.flag("force") and welcome):
        # One error names the whole call; all of them stand beside it.
        raise SlackError(str(errors[0]["error"]), errors=errors)
    for user in welcome:
        rooms.join(call.world, channel, user, call.me)
    beside = {"errors": errors} if errors else {}
    return {"channel": shown(call.world, channel, call.me), **beside}


def _refusal(call: Call, channel: Channel, user: str) -> str | None:
    person = call.world.users.get(user)
    if person is None or person["deleted"]:
        return "user_not_found"
    if user == call.me:
        return "cant_invite_self"
    return "already_in_channel" if user in channel.members else None


def _room(channel: Channel) -> Channel:
    if channel.is_direct:
        raise SlackError("method_not_supported_for_channel_type")
    return channel


def join(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.join"""
    channel = _room(call.channel())
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    if call.me in channel.members:
        call.warnings.append("already_in_channel")
    else:
        rooms.join(call.world, channel, call.me)
    return {"channel": shown(call.world, channel, call.me)}


def leave(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.leave"""
    channel = _room(call.channel())
    if channel.is_archived:
        raise SlackError("is_archived")
    if channel.is_general:
        raise SlackError("cant_leave_general")
    if call.me not in channel.members:
        return {"not_in_channel": True}
    if channel.kind == "private" and len(channel.members) == 1:
        raise SlackError("last_member")
    rooms.leave(call.world, channel, call.me)
    return {}


def kick(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.kick"""
    channel = _room(call.channel(member=True))
    user = call.text("user")
    call.user(user)
    if user == call.me:
        raise SlackError("cant_kick_self")
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    if user not in channel.members:
        raise SlackError("not_in_channel")
    rooms.leave(call.world, channel, user, call.me)
    return {"errors": {}}


def members(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.members"""
    page, cursor = call.page(call.channel().members, limits.PAGE, limits.PAGE_MOST)
    return {"members": page, **cursor}


def history(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.history"""
    channel = call.channel(member=True)
    said = [m for m in call.world.history(channel) if not _is_reply(m)]
    said = _between(call, said)
    page, cursor = call.page(said[::-1], limits.PAGE, limits.HISTORY_MOST)
    more = bool(cursor["response_metadata"]["next_cursor"])
    answer = {"messages": [_told(call, m) for m in page], "has_more": more}
    answer |= {"pin_count": len(channel.pins), "channel_actions_ts": None}
    answer |= {"channel_actions_count": 0}
    return answer | (cursor if more else {})


def replies(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.replies"""
    channel = call.channel(member=True)
    found = call.world.messages.get(channel.id, {}).get(call.text("ts"))
    if found is None:
        raise SlackError("thread_not_found")
    root = found.get("thread_ts", found["ts"])
    thread = [m for m in call.world.history(channel) if root in (m["ts"], m.get("thread_ts"))]
    rest = _between(call, thread[1:])
    page, cursor = call.page(rest, limits.PAGE_MOST, limits.PAGE_MOST)
    more = bool(cursor["response_metadata"]["next_cursor"])
    answer = {"messages": [_told(call, m) for m in (thread[0], *page)], "has_more": more}
    return answer | (cursor if more else {})


def _is_reply(message: Json) -> bool:
    root = message.get("thread_ts", message["ts"])
    return root != message["ts"] and message.get("subtype") != "thread_broadcast"


def _between(call: Call, messages: list[Json]) -> list[Json]:
    """Keep what lies between `oldest` and `latest`; the ends only with `inclusive`."""
    ends = {}
    for name in ("oldest", "latest"):
        value = call.text(name)
        try:
            ends[name] = float(value) if value else None
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None
    oldest, latest = ends["oldest"], ends["latest"]
    inclusive = call.flag("inclusive")

    def inside(message: Json) -> bool:
        at = float(message["ts"])
        if inclusive and at in (oldest, latest):
            return True
        return (not oldest or at > oldest) and (latest is None or at < latest)

    return [message for message in messages if inside(message)]


def _told(call: Call, message: Json) -> Json:
    """Return a message without its metadata, unless that is asked for."""
    if call.flag("include_all_metadata"):
        return message
    return {key: value for key, value in message.items() if key != "metadata"}
