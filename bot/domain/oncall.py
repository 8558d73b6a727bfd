"""Who is on call: weekly rotations with a handover in a named time zone, and the targets of an escalation level."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.policy import Level, Policy, Rotation

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's turn, in UTC."""

    user: str
    start: datetime
    end: datetime


def shift_at(rotation: Rotation, now: datetime, ahead: int = 0) -> Shift:
    """Return the shift that holds `now`, or the one `ahead` weeks later.

    Handovers happen at local wall-clock time, so a shift across a DST change has 167 or 169 hours.
    """
    zone = ZoneInfo(rotation.timezone)
    at = time.fromisoformat(rotation.handover.at)
    first = rotation.start + timedelta(days=(_DAYS.index(rotation.handover.day) - rotation.start.weekday()) % 7)
    week = (now.astimezone(zone).date() - first).days // 7
    if now < datetime.combine(first + timedelta(weeks=week), at, zone):
        week -= 1
    week += ahead
    start = datetime.combine(first + timedelta(weeks=week), at, zone)
    end = datetime.combine(first + timedelta(weeks=week + 1), at, zone)
    return Shift(rotation.people[week % len(rotation.people)], start.astimezone(UTC), end.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a level reaches now: Slack users, usergroups, and pagers by name."""

    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    pagers: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.usergroups or self.pagers)


def reach(levels: Iterable[Level], rotations: Mapping[str, Rotation], now: datetime) -> Reach:
    """Return everybody whom `levels` reach at `now`, each once, in order."""
    users: dict[str, None] = {}
    groups: dict[str, None] = {}
    pagers: dict[str, None] = {}
    for level in levels:
        for target in level.targets:
            if target.user:
                users[target.user] = None
            if target.usergroup:
                groups[target.usergroup] = None
            if target.pagerduty:
                pagers[target.pagerduty] = None
            if target.schedule and target.schedule in rotations:
                users[shift_at(rotations[target.schedule], now).user] = None
    return Reach(tuple(users), tuple(groups), tuple(pagers))


def first_responders(policy: Policy, service: str | None, now: datetime) -> Reach:
    """Return whom an incident of `service` reaches first: level 1 of its escalation, else the service's owners."""
    levels = policy.escalation_for(service)
    return reach(levels[:1], policy.oncall, now) if levels else Reach(policy.service(service).owners)


def escalation_level(policy: Policy, service: str | None, level: int, now: datetime) -> tuple[Reach, timedelta | None]:
    """Return whom escalation `level` (1 = the first after the response time) reaches, and the wait before the next.

    The first escalation calls level 1 again together with level 2, so that nobody is passed over in silence.
    The wait is None after the last level.
    """
    levels = policy.escalation_for(service)
    if not levels:
        return Reach(policy.service(service).owners), None
    picked = levels[:2] if level == 1 else levels[level : level + 1]
    last = level + 1 >= len(levels)
    return reach(picked, policy.oncall, now), None if last else levels[min(level, len(levels) - 1)].wait
