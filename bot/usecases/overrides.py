"""The cases of overrides: somebody takes over a schedule for a while, or gives it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from bot.domain import commands as c
from bot.domain.audit import Audited, action_of
from bot.domain.durations import format_duration
from bot.domain.duty import Override
from bot.domain.notices import Notice
from bot.domain.policy import Policy
from bot.domain.refusals import NotAround, OverrideTooLong, UnknownOverride, UnknownSchedule
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.cases import Request
from bot.usecases.notices import said

LONGEST: Final = timedelta(weeks=12)


@dataclass(frozen=True, slots=True)
class Overriding:
    """Make an override or cancel one. Everybody who is put on call, or taken off, is told."""

    request: Request
    command: c.OverrideOnCall | c.CancelOverride
    policy: Policy

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        return Keys(overrides=True)

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Raises Refused."""
        if isinstance(self.command, c.CancelOverride):
            kind, one = "override_cancelled", self._cancelled(self.command, loaded, now)
        else:
            kind, one = "override_made", self._made(self.command, loaded, now)
        asked = self.request
        changes = Changes(Answer(kind=kind, fields=shown(one)), self.command_id, overrides=[one])
        line = Audited(now, asked.actor, asked.surface, asked.request_id, action_of(self.command), None, "done")
        changes.audit.append(line)
        if one.user != asked.actor:
            notice = Notice(
                key=f"override/{one.number}/{kind}",
                template=kind,
                user=one.user,
                fields={**shown(one), "by": asked.actor},
                not_before=self.policy.calm_until(one.user, now) if one.start > now else None,
            )
            said(changes, notice, now)
        return changes

    def _made(self, command: c.OverrideOnCall, loaded: Loaded, now: datetime) -> Override:
        if command.schedule not in self.policy.oncall:
            raise UnknownSchedule(word=command.schedule, schedules=", ".join(self.policy.oncall) or "none")
        if command.user in self.policy.duty.gone:
            raise NotAround(user=command.user)
        if not max(command.start, now) < command.end <= command.start + LONGEST:
            raise OverrideTooLong(limit=format_duration(LONGEST))
        start = max(command.start, now)
        return Override(
            loaded.next_override, command.schedule, command.user, start, command.end, self.request.actor, now
        )

    def _cancelled(self, command: c.CancelOverride, loaded: Loaded, now: datetime) -> Override:
        one = loaded.overrides.get(command.number)
        if one is None or one.cancelled_at is not None or one.end <= now:
            raise UnknownOverride(number=command.number)
        return replace(one, cancelled_at=now, cancelled_by=self.request.actor)


def shown(one: Override) -> dict[str, JsonValue]:
    """Return an override as plain data."""
    return {
        "number": one.number,
        "schedule": one.schedule,
        "who": one.user,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "by": one.by,
    }
