"""Who acts: actor strings, and which of them are people in Slack."""

import re
from collections.abc import Iterable

from bot.domain.sender_news import actor_name

_SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_SLACK_USERGROUP = re.compile(r"S[A-Z0-9]{2,20}")


def is_person(actor: str) -> bool:
    """True for a Slack user id (`U…`, or `W…` on Enterprise Grid); False for `cli:ann`, `alert:x`, `timer:respond`."""
    return _SLACK_USER.fullmatch(actor) is not None


def apart(named: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the people among `named`, and the usergroups (`S…`), each once: Slack takes them by different ways."""
    each = tuple(dict.fromkeys(named))
    groups = tuple(one for one in each if _SLACK_USERGROUP.fullmatch(one))
    return tuple(one for one in each if one not in groups), groups


def acts(actor: str) -> bool:
    """True for somebody who does things: a person in Slack, on the command line or behind an API token.

    Alerts, timers and Tocsin itself report; they do not act.
    """
    return not actor.startswith(("alert:", "timer:")) and actor != "tocsin"


def mention(actor: str) -> str:
    """Return `actor` as text that Slack shows as a name; other surfaces resolve `<@U…>` themselves."""
    return f"<@{actor}>" if is_person(actor) else actor_name(actor) or actor
