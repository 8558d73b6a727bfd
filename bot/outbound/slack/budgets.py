"""Which rate budget an effect draws from, and how much each holds.

Slack counts per method, app and workspace; posting also per channel:
https://docs.slack.dev/apis/web-api/rate-limits. The tier of each method stands on its page,
https://docs.slack.dev/reference/methods/<method>.
"""

from collections.abc import Mapping
from typing import Final

from bot.domain.effects import (
    AnyEffect,
    AskTriage,
    PostAnnouncement,
    PostNotice,
    ShowMessage,
    ShowTriage,
    TellUser,
)
from bot.domain.incident import Incident

POST: Final = "chat.postMessage"

LIMITS: Final[Mapping[str, tuple[int, float]]] = {
    "bookmarks.add": (20, 60.0),  # tier 2
    f"{POST}:": (5, 5.0),  # special: one a second and channel, short bursts allowed
    "chat.update": (50, 60.0),  # tier 3
    "conversations.archive": (20, 60.0),  # tier 2
    "conversations.create": (20, 60.0),  # tier 2
    "conversations.invite": (50, 60.0),  # tier 3
    "conversations.rename": (20, 60.0),  # tier 2
    "conversations.setTopic": (20, 60.0),  # tier 2
    "pins.add": (20, 60.0),  # tier 2
    "views.publish": (100, 60.0),  # tier 4
}
"""Budget, or its prefix up to the colon → (calls, seconds)."""

_METHODS: Final[Mapping[str, str]] = {
    "archive_room": "conversations.archive",
    "bookmark": "bookmarks.add",
    "invite": "conversations.invite",
    "name_room": "conversations.rename",
    "open_room": "conversations.create",
    "pin_card": "pins.add",
    "restore_room": "conversations.create",
    "show_call": "bookmarks.add",
    "show_home": "views.publish",
    "show_topic": "conversations.setTopic",
}
_POSTS: Final = frozenset(
    ["post_card", "post_announcement", "post_runbook", "post_alerts", "post_draft", "tell", "tell_user", "post_notice"]
)


def budget_of(effect: AnyEffect, state: Incident) -> str:
    """Return the budget that carrying out `effect` draws from; empty for another vendor's."""
    if isinstance(effect, ShowMessage | ShowTriage):
        return "chat.update"
    if isinstance(effect, AskTriage):
        return f"{POST}:{effect.to}"
    if effect.kind not in _POSTS:
        return _METHODS.get(effect.kind, "")
    if isinstance(effect, PostAnnouncement):
        return f"{POST}:{effect.channel}"
    if isinstance(effect, PostNotice):
        return f"{POST}:{effect.user or effect.channel}"
    if isinstance(effect, TellUser):
        return f"{POST}:{effect.user}"
    return f"{POST}:{state.room.channel}" if state.room else ""


def budget_of_call(method: str, channel: str) -> str:
    """Return the budget that a limited answer to this very call parks."""
    return f"{POST}:{channel}" if method == POST else method
