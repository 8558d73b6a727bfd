"""Routes, and the rest of how alerts are judged: the `routes:` and `triage:` parts of tocsin.yaml."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator

from bot.domain.durations import Duration
from bot.domain.events import WhenAlertsEnd
from bot.domain.matchers import parse as parse_matchers
from bot.domain.section import DAYS, Day, Hours, Section, zone_name
from bot.domain.severity import Severity
from bot.domain.titles import TitleText

Action = Literal["open", "attach", "triage", "ignore"]
QUIET: Final = timedelta(minutes=15)


def _readable(value: tuple[str, ...]) -> tuple[str, ...]:
    for line in value:
        parse_matchers(line)
    return value


Matchers = Annotated[tuple[str, ...], AfterValidator(_readable)]
"""Matcher strings, all of which must hold. Refused if one cannot be read."""


def _days(value: object) -> object:
    """`mon-fri` and `fri-mon` as the days they name; a name is read by its first three letters."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        return value
    found: list[object] = []
    for word in value:
        first, dash, last = (part.strip().lower()[:3] for part in str(word).partition("-"))
        if dash and first in DAYS and last in DAYS:
            start = DAYS.index(first)
            found += [DAYS[(start + n) % 7] for n in range((DAYS.index(last) - start) % 7 + 1)]
        elif dash:
            raise ValueError(f"{str(word)[:40]!r} names no days; write mon-fri, or sat")
        else:
            found.append(first)
    return tuple(found)


class Window(Section):
    """A part of the week by the clock on the wall, so that a change to summer time moves nothing.

    What is left out is not limited; without `timezone` it is the organisation's.
    """

    days: Annotated[tuple[Day, ...], BeforeValidator(_days, json_schema_input_type=str | list[str])] = ()
    hours: Hours | None = None
    """`22:00-06:00` belongs to the day on which it begins."""
    timezone: str | None = None

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return zone_name(value) if value is not None else None

    def holds(self, now: datetime, zone: ZoneInfo) -> bool:
        """True if `now` lies within. `zone` is the organisation's."""
        local = now.astimezone(ZoneInfo(self.timezone) if self.timezone else zone)
        day, minute = local.weekday(), local.hour * 60 + local.minute
        if self.hours is not None:
            start, end = (int(part[:2]) * 60 + int(part[3:]) for part in self.hours.split("-"))
            over_midnight = end <= start
            if over_midnight and minute < end:
                day = (day - 1) % 7  # the night of the day before
            elif not (start <= minute and (over_midnight or minute < end)):
                return False
        return not self.days or DAYS[day] in self.days

    def __str__(self) -> str:
        parts = [",".join(self.days), self.hours or "", self.timezone or ""]
        return " ".join(part for part in parts if part) or "always"


class SeverityByLabel(Section):
    """The severity that a label's value stands for. One that is not in `map` is `else`, else what the alert says."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    label: str = Field(min_length=1, max_length=200)
    map: dict[str, Severity] = Field(min_length=1)
    otherwise: Severity | None = Field(None, alias="else")

    def of(self, value: str) -> Severity | None:
        """Return the severity of `value`, whatever its case; None if the map does not name it."""
        folded = value.strip().casefold()
        return next((found for name, found in self.map.items() if name.strip().casefold() == folded), None)


def _kind_of_severity(value: object) -> str:
    return "[map]" if isinstance(value, dict | SeverityByLabel) else "[word]"


RouteSeverity = Annotated[
    Annotated[Severity, Tag("[word]")] | Annotated[SeverityByLabel, Tag("[map]")], Discriminator(_kind_of_severity)
]


class Route(Section):
    """An alert that matches all of `match`, within one of `during` if there are any, is treated so.

    The first route that matches wins.
    """

    match: Matchers = ()
    during: tuple[Window, ...] = ()
    action: Action = "open"
    severity: RouteSeverity | None = None
    service: str | None = None
    runbook: str | None = None
    title: TitleText | None = None
    private: bool = False
    group_by: tuple[str, ...] | None = None
    window: Duration | None = None
    when_alerts_end: WhenAlertsEnd | None = None
    """What follows when the last alert has resolved; unset: `triage.when_alerts_end`."""
    quiet: Annotated[Duration, Field(ge=timedelta(0))] | None = None
    """With `when_alerts_end: resolve`, how long nothing may fire and nobody may join before it resolves by itself."""

    @field_validator("during", mode="before")
    @classmethod
    def _one_window(cls, value: Any) -> Any:
        return (value,) if isinstance(value, dict | Window) else value

    def is_on(self, now: datetime, zone: ZoneInfo) -> bool:
        """True if the route counts at `now`."""
        return not self.during or any(window.holds(now, zone) for window in self.during)


class Watchdog(Section):
    """An alert that fires always, to prove that alerting works: when it stops coming, that opens an incident."""

    match: Annotated[Matchers, Field(min_length=1)]
    within: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=10)
    """Not heard of for so long, it is silent. More than twice the sender's repeat interval."""
    name: str = Field("", max_length=80)
    """What it is called; empty: its matchers."""
    severity: Severity = Severity.SEV2
    service: str | None = None

    @property
    def key(self) -> str:
        """What it is known by, on record and as an alert."""
        return self.name or ", ".join(self.match)[:80]


class Triage(Section):
    """What holds where no route says otherwise: alerts attach for 30 min, a re-fire reopens for 30 min."""

    attach_window: Duration = timedelta(minutes=30)
    reopen_window: Duration = timedelta(minutes=30)
    when_alerts_end: WhenAlertsEnd = "propose"
    quiet: Annotated[Duration, Field(ge=timedelta(0))] = QUIET
    channel: str | None = None
    """Where `action: triage` asks; unset: `channels.announce`. A name without `#`."""
    private_channel: str | None = None
    """Where it asks about alerts of private routes: a private channel; unset: the service's owners, one by one."""
    stale_after: Annotated[Duration, Field(ge=timedelta(minutes=1))] | None = None
    """An alert of which nobody has reported anything for so long counts as resolved. Unset: never."""
    watchdogs: tuple[Watchdog, ...] = ()

    @field_validator("watchdogs")
    @classmethod
    def _told_apart(cls, value: tuple[Watchdog, ...]) -> tuple[Watchdog, ...]:
        keys = [one.key for one in value]
        if len(set(keys)) < len(keys):
            raise ValueError("two watchdogs have the same name")
        return value


def unreachable(routes: Sequence[Route]) -> list[tuple[int, int]]:
    """Return (route, the one before it that takes all its alerts), counted from 1."""
    asks = [frozenset(one for line in route.match for one in parse_matchers(line)) for route in routes]
    found = []
    for n, route in enumerate(routes):
        for m in range(n):
            if asks[m] <= asks[n] and routes[m].during in ((), route.during):
                found.append((n + 1, m + 1))
                break
    return found
