"""A new workspace's people, channels and first words, from the seed file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.simulator.channel import Channel, blurb
from bot.simulator.store import Json
from bot.simulator.world import World


def sow(world: World) -> None:
    """Fill a workspace that has nobody in it yet."""
    if world.users:
        return
    seed = world.seed
    for entry in seed["people"]:
        person = dict(entry)
        world.keep_user(_user(world, person.pop("id"), **person))
    app = world.app
    world.keep_user(_user(world, app.user_id, app.name, app.name, is_bot=True))
    world.keep_user(_user(world, "USLACKBOT", "slackbot", "Slackbot"))
    for room in seed["channels"]:
        world.keep_channel(_channel(room, world.now()))
    world.number_from("C", len(seed["channels"]))
    for group in seed.get("usergroups", ()):
        world.usergroups[group["id"]] = group
        world.store.put("usergroup", group["id"], group)
    for said in seed.get("messages", ()):
        message = {"type": "message", "ts": world.next_ts(), "team": world.team["id"]}
        message |= {"user": said["user"], "text": said["text"]}
        world.keep_message(world.channels[said["channel"]], message)
    world.commit()


def _channel(room: Json, at: float) -> Channel:
    creator, topic = room["members"][-1], room.get("topic", "")
    return Channel(
        id=room["id"],
        name=room["name"],
        kind="private" if room.get("private") else "public",
        creator=creator,
        created=int(at),
        members=list(room["members"]),
        topic=blurb(topic, creator if topic else "", at),
        purpose=blurb(room.get("purpose", ""), creator, at),
        is_general=room["name"] == "general",
    )


def _user(
    world: World,
    user_id: str,
    name: str,
    real_name: str,
    *,
    title: str = "",
    tz: str = "Europe/Berlin",
    color: str = "757575",
    admin: bool = False,
    deleted: bool = False,
    is_bot: bool = False,
) -> Json:
    """Return a user object: https://docs.slack.dev/reference/objects/user-object."""
    offset = datetime.fromtimestamp(world.now(), UTC).astimezone(ZoneInfo(tz)).utcoffset()
    first, _, last = real_name.partition(" ")
    profile: dict[str, Any] = {
        "title": title,
        "real_name": real_name,
        "real_name_normalized": real_name,
        "display_name": name,
        "display_name_normalized": name,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "team": world.team["id"],
    }
    if is_bot:
        profile |= {"api_app_id": world.app.id, "bot_id": world.app.bot_id}
    else:
        profile["email"] = f"{name}@{world.team['domain']}.example"
    return {
        "id": user_id,
        "team_id": world.team["id"],
        "name": name,
        "deleted": deleted,
        "color": color,
        "real_name": real_name,
        "tz": tz,
        "tz_label": tz.rpartition("/")[2].replace("_", " "),
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": profile,
        "is_admin": admin,
        "is_owner": admin,
        "is_primary_owner": admin,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": is_bot,
        "is_app_user": False,
        "updated": int(world.now()),
        "is_email_confirmed": not is_bot,
    }
