"""Time is passed in: one clock for the domain. Leases use the database's own."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present time, aware, in UTC."""


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)
