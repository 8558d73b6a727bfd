"""users.*, usergroups.*, team.*, auth.* and api.*: who is who."""

from __future__ import annotations

from bot.simulator import limits
from bot.simulator.errors import SlackError
from bot.simulator.events import granted
from bot.simulator.store import Json
from bot.simulator.webapi.call import Call


def api_test(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/api.test"""
    if error := call.text("error"):
        raise SlackError(error, args=dict(call.arguments))
    return {"args": {k: v for k, v in call.arguments.items() if k != "token"}}


def auth_test(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/auth.test"""
    world = call.world
    return {
        "url": world.url,
        "team": world.team["name"],
        "user": world.app.name,
        "team_id": world.team["id"],
        "user_id": world.app.user_id,
        "bot_id": world.app.bot_id,
        "is_enterprise_install": False,
    }


def open_connection(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/apps.connections.open"""
    base = call.world.settings.base_url.rstrip("/").replace("http", "ws", 1)
    return {"url": f"{base}/slack/link?ticket={call.links.ticket()}&app_id={call.world.app.id}"}


def team_info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/team.info"""
    team = call.world.team
    if call.text("team", team["id"]) != team["id"]:
        raise SlackError("team_not_found")
    domain = {"email_domain": f"{team['domain']}.example", "icon": {"image_default": True}}
    return {"team": {**team, "url": call.world.url, **domain}}


def _shown(call: Call, user: Json) -> Json:
    """Return a user; the e-mail address takes a scope of its own."""
    profile = user["profile"]
    if "users:read.email" not in granted(call.world):
        profile = {key: value for key, value in profile.items() if key != "email"}
    locale = {"locale": "en-US"} if call.flag("include_locale") else {}
    return user | {"profile": profile, **locale}


def info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.info"""
    return {"user": _shown(call, call.user(call.text("user")))}


def listing(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.list"""
    users = list(call.world.users.values())
    page, cursor = call.page(users, len(users), limits.PAGE_MOST)
    members = [_shown(call, user) for user in page]
    return {"members": members, "cache_ts": int(call.world.now()), **cursor}


def lookup_by_email(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.lookupByEmail"""
    wanted = call.text("email").lower()
    for user in call.world.users.values():
        if user["profile"].get("email", "").lower() == wanted and not user["deleted"]:
            return {"user": _shown(call, user)}
    raise SlackError("users_not_found")


def presence(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.getPresence"""
    user = call.user(call.text("user") or call.me)
    return {"presence": "away" if user["deleted"] else "active"}


def usergroups(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/usergroups.list"""
    listed = []
    for group in call.world.usergroups.values():
        entry = {
            "id": group["id"],
            "team_id": call.world.team["id"],
            "is_usergroup": True,
            "is_subteam": True,
            "name": group["name"],
            "description": group.get("description", ""),
            "handle": group["handle"],
            "is_external": False,
            "date_delete": 0,
            "prefs": {"channels": [], "groups": []},
        }
        if call.flag("include_users"):
            entry["users"] = group["users"]
        if call.flag("include_count"):
            entry["user_count"] = len(group["users"])
        listed.append(entry)
    return {"usergroups": listed}


def usergroup_users(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/usergroups.users.list"""
    group = call.world.usergroups.get(call.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": group["users"]}
