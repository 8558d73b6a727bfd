"""When on-call changes hands: a note to the channel, and one to each of the two, once however many replicas there are.

The bell rings each minute, for handovers are on whole minutes, and nothing but arithmetic is done unless one has just
happened. A process that was away catches up within LATE.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from pydantic import JsonValue

from bot.domain.duty import Shift
from bot.domain.events import RunbookAttached
from bot.domain.incident import Incident
from bot.domain.notices import Notice
from bot.domain.policy import Policy
from bot.domain.text import cut
from bot.domain.turns import shift_at
from bot.ports.clock import Clock
from bot.ports.reader import Reader
from bot.usecases.committer import Submits
from bot.usecases.notices import Announce
from bot.usecases.queries import Viewer

LATE: Final = timedelta(hours=6)
"""A handover longer ago is not told any more: everybody has found out."""
SHOWN: Final = 10
"""Incidents named in one note; the others are counted."""
STEPS_SHOWN: Final = 5
"""Open steps and action items told to whoever leads the incident; the others read a few steps."""
STEPS_TOLD: Final = 3
STEP_MAX: Final = 160
"""Characters of a step: what it is; how it is done stands in the checklist."""


@dataclass(slots=True)
class Handovers:
    """Says what changed hands since it last looked. Raises Unavailable: the next ring tries again."""

    reader: Reader
    committer: Submits
    policy: Policy
    clock: Clock
    _told: dict[str, datetime] = field(default_factory=dict)
    """Schedule → the beginning of the shift that was told by this process, or found told."""

    async def look(self) -> None:
        """Tell every change of hands of the last few hours that nobody has told."""
        now = self.clock()
        for name in self.policy.oncall:
            found = changed(self.policy, name, now)
            if found is None or self._told.get(name) == found[1].start:
                continue
            before, after = found
            await self._say(name, before, after, now)
            self._told[name] = after.start

    async def _say(self, name: str, before: str, after: Shift, now: datetime) -> None:
        incidents = await self.reader.incidents(active=True)
        shown = {s.number: s for reader in (None, before, after.user) for s in _seen(incidents, reader)[:SHOWN]}
        steps = {number: await self._open_steps(state) for number, state in shown.items()}
        await self.committer.submit(Announce(tuple(notes(self.policy, name, before, after, incidents, steps, now))))

    async def _open_steps(self, state: Incident) -> list[str]:
        """Return the words of the runbook's steps that nobody has marked."""
        book = state.runbook
        if book is None or len(book.outcomes) >= book.count:
            return []
        for item in await self.reader.events(state.number):
            if item.seq == book.seq and isinstance(item.event, RunbookAttached):
                left = (s for s in item.event.steps if s.number not in book.outcomes)
                return [cut(f"{s.number}. {s.text}", STEP_MAX) for s in left]
        return []


def changed(policy: Policy, name: str, now: datetime) -> tuple[str, Shift] | None:
    """Return who handed over to which shift, if that was lately, and to somebody else."""
    rotation, duty = policy.oncall[name], policy.duty
    shift = shift_at(rotation, now, name=name, duty=duty)
    if now - shift.start > LATE:
        return None
    before = shift_at(rotation, shift.start - timedelta(microseconds=1), name=name, duty=duty).user
    return (before, shift) if before != shift.user else None


def notes(
    policy: Policy,
    name: str,
    before: str,
    after: Shift,
    incidents: Sequence[Incident],
    steps: Mapping[int, list[str]],
    now: datetime,
) -> Iterable[Notice]:
    """Return the note for the channel and those for the two people; each sees only what they may see."""
    key = f"handover/{quote(name, safe='')[:100]}/{after.start:%Y-%m-%dT%H:%M:%SZ}"
    common: dict[str, JsonValue] = {
        "schedule": name,
        "before": before,
        "after": after.user,
        "since": after.start.isoformat(),
        "until": after.end.isoformat(),
        "override": after.override,
        "gone": after.user in policy.duty.gone,
    }
    channel = policy.channels.oncall or policy.channels.announce
    if channel:
        yield Notice(key=key, template="handover", channel=channel, fields={**common, **_open(incidents, None, steps)})
    for user in (before, after.user):
        if user and user not in policy.duty.gone:
            fields = {**common, "reader": user, **_open(incidents, user, steps)}
            yield Notice(
                key=f"{key}/{user}",
                template="handover_direct",
                user=user,
                fields=fields,
                not_before=policy.calm_until(user, now),
            )


def _seen(incidents: Sequence[Incident], user: str | None) -> list[Incident]:
    """Those that `user` may see, what they lead first; without one, what everybody may see."""
    seen = [s for s in incidents if (Viewer(user).may_see(s) if user else not s.private)]
    return sorted(seen, key=lambda s: (s.lead != user if user else False, s.severity.rank, s.number))


def _open(incidents: Sequence[Incident], user: str | None, steps: Mapping[int, list[str]]) -> dict[str, JsonValue]:
    """What is open, for `user`, or for a channel that everybody reads."""
    seen = _seen(incidents, user)
    return {
        "open": [_line(state, user, steps.get(state.number, [])) for state in seen[:SHOWN]],
        "open_left": max(len(seen) - SHOWN, 0),
    }


def _line(state: Incident, user: str | None, steps: list[str]) -> dict[str, JsonValue]:
    mine = user is not None and state.lead == user
    owed = [t for t in state.tasks if mine and not t.done]
    told = steps[: STEPS_SHOWN if mine else STEPS_TOLD]
    return {
        "key": state.key,
        "title": state.title,
        "severity": state.severity.value,
        "status": state.status.value,
        "drill": state.drill,
        "channel": state.room.channel if state.room else None,
        "lead": state.lead,
        "mine": mine,
        "steps": list[JsonValue](told),
        "steps_left": len(steps) - len(told),
        "tasks": list[JsonValue](f"{t.number}. {t.text}" for t in owed[:STEPS_SHOWN]),
    }
