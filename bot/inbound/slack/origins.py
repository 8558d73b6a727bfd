"""Whose event is this: ours, a person's, another app's? And when did it happen?"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.people import is_person
from bot.domain.text import clean_line
from bot.inbound.slack.counter import Body


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under `name`; an empty one where there is none, or something else."""
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def asker(body: Body) -> str:
    """Return who typed, clicked or submitted; empty where the payload names nobody that could have.

    Signed by Slack, it should always name somebody; but what names nobody must never act as nobody.
    """
    user = body.get("user_id") or part(body, "user").get("id")
    return user if isinstance(user, str) and is_person(user) else ""


def our_users(body: Body) -> frozenset[str]:
    """Return our own bot user: each delivery names it in `authorizations`, so nobody has to ask Slack who we are."""
    found = body.get("authorizations") or ()
    return frozenset(str(one.get("user_id")) for one in found if isinstance(one, Mapping) and one.get("is_bot"))


def is_ours(body: Body, event: Mapping[str, Any]) -> bool:
    """True if this app itself did it."""
    profile = event.get("bot_profile") or {}
    app = body.get("api_app_id")
    if app and app in (event.get("app_id"), profile.get("app_id") if isinstance(profile, Mapping) else None):
        return True
    return event.get("user") in our_users(body)


def author(event: Mapping[str, Any]) -> str:
    """Return who said it: a Slack id, or `bot:name` for a classic integration."""
    if event.get("user"):
        return str(event["user"])
    return f"bot:{clean_line(str(event.get('username') or event.get('bot_id') or 'unknown'), 60)}"


def moment(ts: object) -> datetime | None:
    """Return the time in a Slack timestamp (`1773478810.000100`), or None if it is none."""
    try:
        return datetime.fromtimestamp(float(str(ts)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
