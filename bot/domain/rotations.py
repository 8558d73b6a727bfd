"""How on-call changes hands: the `oncall:` and `people:` parts of tocsin.yaml."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from bot.domain.section import DAYS, Clock, DayName, Hours, Section, zone_name

_EARLIEST: Final = date(2024, 1, 1)
"""Rotations without a `start` are counted from here: a Monday."""


class Handover(Section):
    """When a rotation changes hands, local to its zone: on `day`, or on each of `days`."""

    day: DayName = "mon"
    days: tuple[DayName, ...] = ()
    at: Clock = "09:00"


class Layer(Section):
    """People in turns, all the time or in some hours only. What is left out is the rotation's own."""

    people: tuple[str, ...] = Field(min_length=1)
    handover: Handover | None = None
    every: Literal["1d", "1w", "2w"] | None = None
    start: date | None = None
    hours: Hours | None = None
    """The part of the day it covers; `22:00-06:00` belongs to the day on which it begins."""
    days: tuple[DayName, ...] = ()
    """The days it covers; empty: all."""


class Rotation(Section):
    """Who is on call: `people` in turns, and over them `layers`, of which the last one that covers a moment counts.

    Or a schedule in PagerDuty instead.
    """

    timezone: str = "UTC"
    handover: Handover = Handover()
    every: Literal["1d", "1w", "2w"] = "1w"
    people: tuple[str, ...] = ()
    start: date = _EARLIEST
    layers: tuple[Layer, ...] = ()
    pagerduty_schedule: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,40}$")] | None = None
    check_zone = field_validator("timezone")(zone_name)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.pagerduty_schedule and (self.people or self.layers):
            raise ValueError("either people (with layers) or pagerduty_schedule, not both")
        if not (self.pagerduty_schedule or self.people or self.layers):
            raise ValueError("nobody is in it: give people, layers or pagerduty_schedule")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of handovers and hours."""
        return ZoneInfo(self.timezone)

    @property
    def everyone(self) -> tuple[str, ...]:
        """Who is named in it, each once."""
        named = (*self.people, *(one for layer in self.layers for one in layer.people))
        return tuple(dict.fromkeys(named))

    def stack(self) -> tuple[Layer, ...]:
        """Return the layers with nothing left out, the lowest first."""
        base = (Layer(people=self.people),) if self.people else ()
        return tuple(
            layer.model_copy(
                update={
                    "handover": layer.handover or self.handover,
                    "every": layer.every or self.every,
                    "start": layer.start or self.start,
                }
            )
            for layer in (*base, *self.layers)
        )


class Person(Section):
    """What is known of one person beside Slack."""

    email: str | None = None
    """By which PagerDuty knows them, where Slack knows them by another one."""
    pagerduty: str | None = None
    """Their user id at PagerDuty, `PXXXXXX`."""
    quiet: Hours | None = None
    """When only what is urgent reaches them; a page always does."""
    timezone: str | None = None
    """Of `quiet`; unset: the organisation's."""

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return zone_name(value) if value is not None else None

    def calm_until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours that hold `now` end, in UTC; None if it is not quiet. `zone` is the default."""
        if self.quiet is None:
            return None
        own = ZoneInfo(self.timezone) if self.timezone else zone
        found = window_at(self.quiet, (), own, now)
        return found[1] if found[2] else None


def window_at(
    hours: str | None, days: tuple[str, ...], zone: ZoneInfo, now: datetime
) -> tuple[datetime, datetime, bool]:
    """Return since when and until when it has been so, in UTC, and whether `now` is inside of `hours` on `days`.

    Local wall-clock time counts: a window over a DST change is an hour shorter or longer. A time that the clocks skip
    comes after the gap; one that comes twice is the first.
    """
    utc = now.astimezone(ZoneInfo("UTC"))
    before = after = None
    today = now.astimezone(zone).date()
    for offset in range(-8, 9):
        day = today + timedelta(days=offset)
        if days and DAYS[day.weekday()] not in days:
            continue
        start, end = _edges(hours, day, zone)
        if start <= utc < end:
            return start, end, True
        if end <= utc:
            before = end
        elif after is None:
            after = start
    assert before is not None, "a window opens at least once a week"
    assert after is not None, "a window opens at least once a week"
    return before, after, False


def _edges(hours: str | None, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    first, _, last = (hours or "00:00-24:00").partition("-")
    over = last == "24:00" or last <= first
    ends = time(0) if last == "24:00" else time.fromisoformat(last)
    return local(day, time.fromisoformat(first), zone), local(day + timedelta(days=over), ends, zone)


def local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC of a wall-clock time."""
    return datetime.combine(day, at, zone).astimezone(ZoneInfo("UTC"))
