"""When to try again: retry as data. Pure; time and chance come in as arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.durations import format_duration
from bot.ports.delivery import DeliveryError

BASE: Final = 0.5
"""Seconds before the first repeat; doubled with each further attempt."""
LONGEST: Final = 30.0
"""Seconds: no back-off is longer, spread included, unless the vendor asks for more."""
GIVE_UP_AFTER: Final = timedelta(hours=24)
"""Transient errors end by age, never by count (docs/adr/0004)."""
PAGE_GIVES_UP_AFTER: Final = timedelta(minutes=5)
"""A call for a response: whoever escalates must know that nobody was reached, as long as it matters."""
ALONE_MAX: Final = 5
"""How often an effect fails while nearly all others of its vendor pass, before it steps aside for those behind it."""
_DOUBLINGS_MAX: Final = 10

MEND: Final = "Find out why, then press Try again."


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again at this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop trying: what went wrong, and what a person can do about it."""

    error: str
    mend: str


def after_failure(
    attempt: int,
    age: timedelta,
    error: DeliveryError,
    now: datetime,
    spread: float,
    *,
    oldest: timedelta = GIVE_UP_AFTER,
    alone: int = 0,
) -> RetryAt | GiveUp:
    """Return what follows from failed attempt number `attempt` (the first is 1) of an effect `age` old.

    `spread` is chance from 0 to 1: replicas that failed together come back apart. A permanent error ends at once.
    `oldest` is the age at which it is given up; `alone` how often it failed while others passed, if others wait
    behind it.
    """
    if error.permanent:
        return GiveUp(str(error), error.mend or MEND)
    if age >= oldest:
        return GiveUp(f"tried for {format_duration(oldest)}, at last: {error}", error.mend or MEND)
    if alone >= ALONE_MAX:
        return GiveUp(f"failed {alone} times while others passed, at last: {error}", error.mend or MEND)
    doublings = min(max(attempt - 1, 0), _DOUBLINGS_MAX)
    back_off = min(BASE * 2**doublings * (1 + spread), LONGEST)
    return RetryAt(now + timedelta(seconds=max(back_off, error.retry_after)))
