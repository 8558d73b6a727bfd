"""What is known of on-call beside the configuration: overrides, PagerDuty's schedules, accounts that are gone.

Plain data, replaced as a whole when something changes (`usecases/roster.py`): decisions read it like the policy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's turn, in UTC. No `user`: nobody is on call then. `override` is the number of what put them there."""

    user: str
    start: datetime
    end: datetime
    override: int = 0


@dataclass(frozen=True, slots=True)
class Override:
    """`user` is on call in `schedule` from `start` until `end`, whoever's turn it is. Of two, the later one counts."""

    number: int
    schedule: str
    user: str
    start: datetime
    end: datetime
    by: str
    at: datetime
    cancelled_at: datetime | None = None
    cancelled_by: str = ""

    def covers(self, now: datetime) -> bool:
        """True while it holds."""
        return self.cancelled_at is None and self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class Calendar:
    """A schedule as a vendor last told it, at `asked_at`. `trouble`: why it could not be asked since, if so.

    `unknown` are people in it whom nobody could find in Slack, by their e-mail.
    """

    shifts: tuple[Shift, ...] = ()
    asked_at: datetime | None = None
    trouble: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """See the module. `gone`: Slack ids of deactivated people and of bots."""

    overrides: tuple[Override, ...] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    """By the rotation's name."""
    gone: frozenset[str] = frozenset()

    def override(self, schedule: str, now: datetime) -> Override | None:
        """Return the override of `schedule` that holds now; of several, the one made last."""
        found = [one for one in self.overrides if one.schedule == schedule and one.covers(now)]
        return max(found, key=lambda one: one.number, default=None)

    def around(self, users: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return those of `users` that can be reached, and those that are gone."""
        named = tuple(dict.fromkeys(users))
        return tuple(u for u in named if u not in self.gone), tuple(u for u in named if u in self.gone)
