"""A vendor that is wholly down is probed now and then, not hammered by everything that waits for it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.ports.delivery import DeliveryError

OPENS_AFTER: Final = 5
"""Consecutive failures, over all effects of one vendor …"""
OPENS_OVER: Final = timedelta(seconds=3)
"""… that lie at least so far apart: a set of calls that all hit one dropped connection is no outage."""
PROBE_EVERY: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Circuit:
    """What one vendor did lately. Open, while `probe_at` is set: one call at that time, the others wait."""

    failures: int = 0
    since: datetime | None = None
    probe_at: datetime | None = None
    first: str = ""
    """The effect that failed first …"""
    several: bool = False
    """… and whether another one did: one message that the vendor stumbles over is no outage."""

    def lets_through(self, now: datetime) -> bool:
        """True if a call may start: the vendor works, or a probe is due."""
        return self.probe_at is None or now >= self.probe_at

    def entered(self, now: datetime) -> "Circuit":
        """A call starts; while open it is the probe, and the next one has to wait."""
        return self if self.probe_at is None else replace(self, probe_at=now + PROBE_EVERY)

    def failed(self, now: datetime, effect: str) -> "Circuit":
        """A call for `effect` found the vendor down."""
        since, first = self.since or now, self.first or effect
        failures, several = self.failures + 1, self.several or effect != first
        opens = several and failures >= OPENS_AFTER and now - since >= OPENS_OVER
        return Circuit(failures, since, now + PROBE_EVERY if opens else None, first, several)


WORKING: Final = Circuit()
"""A vendor that answered, be it with a refusal."""


def shows_outage(error: DeliveryError) -> bool:
    """True for what a vendor that is down does: no answer, or a fault of its own; a rate limit is an answer."""
    return not (error.permanent or error.parks or error.retry_after)
