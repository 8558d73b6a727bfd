"""What somebody is told who catches up: the story so far, or all that has changed since they looked."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bot.domain.timeline import TimelineEntry

LINES: Final = 8
TELLING: Final = frozenset(
    {
        "acknowledged", "severity_changed", "status_changed", "resolved", "reopened", "closed", "cancelled",
        "role_assigned", "update_posted", "note_added", "task_added", "public_published", "response_overdue",
        "page_requested", "alerts_reported", "pinned", "delivery_failed",
    }
)  # fmt: skip
"""Kinds of timeline lines that tell the story to somebody who joins late."""
PASSING: Final = frozenset(
    {
        "message", "edited", "deleted", "reaction", "unreaction", "joined", "left", "delivered", "command", "looked",
        "room_created", "room_named", "room_restored", "page_answered", "silence_requested", "silence_lift_requested",
        "delivery_retried", "redacted",
    }
)  # fmt: skip
"""Kinds that change nothing about the incident: what was said stands in the channel, the rest follows from another."""


def changed(lines: Iterable[TimelineEntry], since: datetime | None) -> list[TimelineEntry]:
    """Return what has changed after `since`, in the order in which it came to be known; None: the story so far.

    A note about an earlier time is news when it is written down.
    """
    if since is None:
        return [line for line in lines if line.kind in TELLING]
    news = [line for line in lines if line.kind not in PASSING and _known_at(line) > since]
    return sorted(news, key=_known_at)


def _known_at(line: TimelineEntry) -> datetime:
    return line.recorded_at or line.at
