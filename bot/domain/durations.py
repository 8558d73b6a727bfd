"""Durations as people write them: `2s`, `15m`, `4h`, `5d`, `1w`, and `5bd` business days."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS: Final = r"s(?:ecs?|econds?)?|m(?:ins?|inutes?)?|h(?:rs?|ours?)?|d(?:ays?)?|w(?:eeks?)?"
_PATTERN = re.compile(rf"(\d+(?:\.\d+)?)\s*({_WORDS})(?![a-z])", re.IGNORECASE)
_WHOLE = re.compile(rf"(?:{_PATTERN.pattern}\s*)+", re.IGNORECASE)
_BUSINESS = re.compile(r"(\d+)\s*bd", re.IGNORECASE)


def parse_duration(text: str) -> timedelta:
    """Return the span written in `text` (`90s`, `1h30m`). Raises ValueError saying how to write it."""
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a duration; write it like 2s, 15m, 4h, 5d or 1w")
    seconds = sum(float(n) * _UNITS[u[0].lower()] for n, u in _PATTERN.findall(text))
    if seconds > 10 * 366 * 86_400:
        raise ValueError(f"{text[:40]!r} is longer than ten years")
    return timedelta(seconds=seconds)


def format_duration(span: timedelta) -> str:
    """Return `span` in the two largest units that matter: `15m`, `1h 30m`, `5d`."""
    left = max(int(span.total_seconds()), 0)
    parts = []
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def _read(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read, json_schema_input_type=str),
    PlainSerializer(format_duration, when_used="json"),
]
"""A `timedelta` that configuration files write as `15m`."""


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """On which days people work (0 is Monday), and when such a day ends, by the clock on the wall of `zone`."""

    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(5))
    ends: time = time(17)
    holidays: frozenset[date] = frozenset()

    def after(self, start: datetime, count: int) -> datetime:
        """Return the end of the `count`th business day after the day of `start`, in the zone of `start`."""
        day, left = start.astimezone(self.zone).date(), count
        while left:
            day += timedelta(days=1)
            left -= day.weekday() in self.days and day not in self.holidays
        return datetime.combine(day, self.ends, self.zone).astimezone(start.tzinfo)


class Span(str):
    """A configured span that may count business days: `5bd`, or any duration."""

    def after(self, start: datetime, business: BusinessDays) -> datetime:
        """Return when the span that begins at `start` ends, in the zone of `start`."""
        counted = _BUSINESS.fullmatch(self.strip())
        return business.after(start, int(counted[1])) if counted else start + parse_duration(self)
