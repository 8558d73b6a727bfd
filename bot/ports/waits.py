"""How long somebody asks us to wait: one reading for everybody who is asked, whatever the header says."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

WAIT_UNTOLD: Final = 30.0
"""Seconds to wait after a rate limit that does not say how long, or says it in no way that can be read."""
WAIT_MAX: Final = 900.0
"""Seconds; nobody makes us wait longer. Whoever still means it says so again."""


def bounded(seconds: float) -> float:
    """Return the seconds to wait where `seconds` are asked for: none for 0 or less, never too many, always a number."""
    return min(max(seconds, 0.0), WAIT_MAX) if math.isfinite(seconds) else WAIT_UNTOLD


def retry_after(header: object, now: datetime | None = None) -> float:
    """Return the seconds that a `Retry-After` header asks for, at least one.

    RFC 9110, section 10.2.3: a number or a date. Slack's is a number; a fraction is understood, too.
    """
    raw = str(header).strip()
    try:
        seconds = float(raw)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(raw) - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date either, or one without a zone
            return WAIT_UNTOLD
    return max(bounded(seconds), 1.0)
