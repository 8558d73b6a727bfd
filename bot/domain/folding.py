"""After an outage, what waited for a channel is told in one message: which of it, and when. Pure.

Ten updates that come at once, half an hour late, are noise. Whatever somebody must act on, and whatever stands for
itself (a page, a resolve), is told alone, in its place.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.domain.effects import Effect, Tell

FOLD_AFTER: Final = timedelta(minutes=2)
"""How long the oldest must have waited."""
FOLD_LEAST: Final = 3
"""Fewer are told one by one: a digest of two is longer than the two."""
FOLD_MOST: Final = 40
"""More are told in several: a message has at most 50 blocks, https://docs.slack.dev/reference/block-kit/blocks."""
EACH_TAKES: Final = timedelta(seconds=1)
"""A channel takes one message a second (https://docs.slack.dev/apis/web-api/rate-limits): that wait is no outage."""

DIGESTIBLE: Final = frozenset(
    {
        "acknowledged",
        "alerts_reported",
        "public_published",
        "role_assigned",
        "service_changed",
        "severity_changed",
        "status_changed",
        "task_added",
        "task_done",
        "title_changed",
        "update_overdue",
        "update_posted",
    }
)
"""Templates of what loses nothing by being a line of several. What is not named here is told alone."""


def is_digestible(effect: Effect) -> bool:
    """True if `effect` may be told together with others."""
    return isinstance(effect, Tell) and not effect.urgent and effect.template in DIGESTIBLE


def was_out_of_reach(since: datetime, now: datetime, told_since: int, after: timedelta) -> bool:
    """True if a message that waits since `since` has waited longer than `after` for a lane out of reach.

    `told_since` messages of its lane went out meanwhile: the time that they took is no outage.
    """
    return now - since - told_since * EACH_TAKES > after


def how_many(lane: Sequence[Effect]) -> int:
    """Return how many from the start of `lane` (what waits, in order) are told as one: 1, if it is not worth it."""
    count = next((n for n, effect in enumerate(lane) if not is_digestible(effect)), len(lane))
    count = min(count, FOLD_MOST)
    return count if count >= FOLD_LEAST else 1
