"""PagerDuty's schedules in our own terms: asked every few minutes, kept when PagerDuty does not answer, and said so.

A person is found in Slack by their e-mail, or as `people` in tocsin.yaml says; never by a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import structlog

from bot.domain.duty import Calendar, Shift
from bot.domain.policy import Policy
from bot.ports.clock import Clock
from bot.ports.delivery import DeliveryError
from bot.ports.schedules import FindsByEmail, Schedules, Stretch
from bot.usecases.roster import Roster

EVERY: Final = timedelta(minutes=5)
BEHIND: Final = timedelta(days=1)
AHEAD: Final = timedelta(days=28)
"""So much is asked for: what is kept serves through an outage of PagerDuty's of as long."""

log = structlog.get_logger()


@dataclass(slots=True)
class Calendars:
    """Keeps the roster's calendars true."""

    vendor: Schedules
    slack: FindsByEmail
    policy: Policy
    roster: Roster
    clock: Clock
    _known: dict[str, str] = field(default_factory=dict)
    """The vendor's user → Slack id, as it was found."""

    async def refresh(self) -> None:
        """Ask, and take over what is answered. Never raises: what was known last stays, with the trouble beside it."""
        names = {name: r.pagerduty_schedule for name, r in self.policy.oncall.items() if r.pagerduty_schedule}
        if not names:
            return
        now = self.clock()
        try:
            found = await self.vendor.ask(names.values(), now - BEHIND, now + AHEAD)
            users = {one.user: await self._in_slack(one) for one in found}
        except DeliveryError as exc:
            log.warning("schedules not read", error=str(exc))
            kept = self.policy.duty.calendars
            self.roster.see_calendars({name: replace(kept.get(name, Calendar()), trouble=str(exc)) for name in names})
            return
        self.roster.see_calendars(
            {name: _calendar([s for s in found if s.schedule == theirs], users, self) for name, theirs in names.items()}
        )

    async def _in_slack(self, one: Stretch) -> str:
        """Return the Slack id; empty if nobody can be found."""
        for user, person in self.policy.people.items():
            if person.pagerduty == one.user or (person.email and person.email.lower() == one.email.lower()):
                return user
        if one.user not in self._known and one.email and (found := await self.slack.by_email(one.email)):
            self._known[one.user] = found
        return self._known.get(one.user, "")


def _calendar(stretches: Sequence[Stretch], users: dict[str, str], kept: Calendars) -> Calendar:
    shifts = [Shift(users[s.user], s.start, s.end) for s in stretches if users[s.user]]
    unknown = dict.fromkeys(s.email or s.user for s in stretches if not users[s.user])
    return Calendar(tuple(shifts), kept.clock(), unknown=tuple(unknown))
