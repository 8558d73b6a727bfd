"""What may be asked, and by whom. Answers are plain data in shapes that stay (docs/adr/0009); times RFC 3339 UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from bot.domain.alerts import Episode
from bot.domain.incident import Incident
from bot.domain.moments import rfc3339
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.postmortem import compile_postmortem
from bot.domain.refusals import UnknownIncident
from bot.domain.services import service_of
from bot.domain.similar import Profile, Profiles, alike
from bot.domain.timeline import TimelineEntry, timeline
from bot.domain.timers import TIMERS
from bot.domain.turns import next_shift, shift_at
from bot.domain.undelivered import Undelivered
from bot.ports.clock import Clock
from bot.ports.reader import Reader, TimerRow
from bot.usecases.catching_up import LINES, changed
from bot.usecases.shared_read import SharedRead
from bot.usecases.tracing import trace

Data: TypeAlias = dict[str, Any]
LIST_MAX: Final = 200
UNDONE_MAX: Final = 3
"""Action items named of one past incident."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `trusted` sees private incidents; `room` is the incident in whose channel the question was asked."""

    actor: str
    trusted: bool = False
    room: int | None = None

    def may_see(self, state: Incident) -> bool:
        """A private incident exists only for those in it, and not for those who were removed from it."""
        return self.trusted or self.room == state.number or state.includes(self.actor)


def stamp(at: datetime | None) -> str | None:
    """Return `at` as RFC 3339 in UTC."""
    return rfc3339(at) if at else None


def head(state: Incident) -> Data:
    """Return one incident as lists show it."""
    return {
        "number": state.number,
        "key": state.key,
        "title": state.title,
        "severity": state.severity.value,
        "severity_assumed": state.severity_assumed,
        "status": state.status.value,
        "channel": state.room.channel if state.room else None,
        "channel_name": state.room.name if state.room else None,
        "private": state.private,
        "drill": state.drill,
        "lead": state.lead,
        "declared_at": stamp(state.declared_at),
        "declared_by": state.declared_by,
        "acknowledged_at": stamp(state.acknowledged_at),
        "acknowledged_by": state.acknowledged_by,
        "resolved_at": stamp(state.resolved_at),
    }


def _line(entry: TimelineEntry) -> Data:
    return {
        "seq": entry.seq,
        "at": stamp(entry.at),
        "kind": entry.kind,
        "actor": entry.actor,
        "text": entry.text,
        "link": entry.link,
        "recorded_at": stamp(entry.recorded_at),
    }


def _timer(row: TimerRow) -> Data:
    return {
        "kind": row.kind,
        "title": TIMERS[row.kind].title if row.kind in TIMERS else row.kind,
        "due": stamp(row.due),
        "state": row.state,
        "ended_at": stamp(row.ended_at),
        "late_by": row.late_by,
        "why": row.why,
    }


def _alert(episode: Episode) -> Data:
    return {
        "source": episode.source,
        "fingerprint": episode.fingerprint,
        "name": episode.name,
        "status": "firing" if episode.is_open else "resolved",
        "opened_at": stamp(episode.opened_at),
        "closed_at": stamp(episode.closed_at),
        "last_seen": stamp(episode.last_seen),
        "url": episode.url,
    }


def _undelivered(one: Undelivered) -> Data:
    return {
        "effect": one.id,
        "kind": one.effect.kind,
        "to": one.to,
        "person": is_person(one.to),
        "failed_at": stamp(one.at),
        "error": one.error,
        "mend": one.mend,
    }


class Queries:
    """Everything that only looks. Raises Refused (an outsider is told that a private incident does not exist)."""

    def __init__(
        self,
        reader: Reader,
        policy: Policy,
        clock: Clock,
        *,
        public_url: str,
    ) -> None:
        self._reader = reader
        self._policy = policy
        self._clock = clock
        self._public_url = public_url
        self._profiles = Profiles()
        self._comparable = SharedRead(self._read_comparable)
        self._room_waits = SharedRead(lambda: reader.room_waits(clock()))

    async def incident_of_channel(self, channel: str) -> int | None:
        """Return the number of the incident to which `channel` belongs."""
        return await self._reader.incident_of_channel(channel)

    async def room_wait(self, number: int) -> Data | None:
        """Return why the channel of a fresh incident does not open at once, and when it will; None if it does."""
        wait = (await self._room_waits()).get(number)
        if wait is None:
            return None
        return {"ahead": wait.ahead, "opens_at": stamp(wait.opens_at), "a_minute": wait.a_minute}

    async def state(self, viewer: Viewer, number: int) -> Incident:
        """Return the incident. Refuses one that is not there for `viewer`."""
        state = await self._reader.incident(number)
        if state is None or not viewer.may_see(state):
            unknown = UnknownIncident(key=f"INC-{number}")
            unknown.denied = state is not None  # the words are the same: they must not tell that it exists
            raise unknown
        return state

    async def incidents(self, viewer: Viewer, *, everything: bool = False) -> list[Data]:
        """Return the open incidents, or all of them, newest first."""
        found = await self._reader.incidents(active=not everything, limit=LIST_MAX)
        return [head(state) for state in found if viewer.may_see(state)]

    async def just_declared(self, actor: str, since: datetime) -> list[int]:
        """Return the open incidents that `actor` has declared since then, newest first."""
        found = await self._reader.incidents(active=True, limit=LIST_MAX)
        return [state.number for state in found if state.declared_by == actor and state.declared_at >= since]

    async def alike(
        self, viewer: Viewer, title: str, service: str | None, labels: Mapping[str, str], without: int = 0
    ) -> list[Data]:
        """Return what looks the same as an incident of this title: open ones, and past ones that owe something.

        What two of them see at once, two declare within a second: so what is open is read anew.
        """
        now, others = self._clock(), await self._comparable()
        found = alike(title, service, labels, others, lambda it: it.number != without and viewer.may_see(it))
        return [
            {
                **head(one.state),
                "open": one.state.is_active,
                "why": one.why,
                "undone": [
                    {"text": task.text, "since": stamp(task.added_at), "days": (now - task.added_at).days}
                    if task.added_at
                    else {"text": task.text, "since": None, "days": None}
                    for task in one.state.tasks
                    if not task.done
                ][:UNDONE_MAX],
            }
            for one in found
        ]

    async def _read_comparable(self) -> list[Profile]:
        return self._profiles.of(await self._reader.unfinished())

    async def show(self, viewer: Viewer, number: int) -> Data:
        """Return one incident with its people, alerts, timers and services."""
        state = await self.state(viewer, number)
        episodes = await self._reader.episodes(number)
        return {
            **head(state),
            "description": state.description,
            "roles": dict(state.roles),
            "handoff": state.handoff.user if state.handoff else None,
            "services": [state.service] if state.service else [],
            "alerts": [_alert(episode) for episode in episodes],
            "alerts_last_seen": stamp(max((one.last_seen for one in episodes), default=None)),
            "alerts_firing": state.alerts_firing,
            "timers": [_timer(row) for row in await self._reader.timers(number)],
            "last_update": state.last_update,
            "last_update_at": stamp(state.last_update_at),
            "resolution": state.resolution,
            "call_url": state.call_url,
            "call_dial": state.call_dial,
            "runbook": _runbook(state),
            "tasks": [
                {"number": t.number, "text": t.text, "owner": t.owner, "due": stamp(t.due), "done": t.done}
                for t in state.tasks
            ],
            "failed": dict(state.failed),
            "failures": _failures(state),
        }

    async def episodes(self, viewer: Viewer, number: int) -> list[Episode]:
        """Return the alerts of an incident, oldest first."""
        await self.state(viewer, number)
        return await self._reader.episodes(number)

    async def why(self, viewer: Viewer, number: int) -> Data:
        """Return the trace of an incident: every decision about it, and why."""
        state = await self.state(viewer, number)
        return trace(
            state,
            await self._reader.events(number),
            await self._reader.episodes(number),
            await self._reader.deliveries(number),
        )

    async def timeline(self, viewer: Viewer, number: int, as_of: datetime | None = None) -> list[Data]:
        """Return every line of the incident, oldest first."""
        state = await self.state(viewer, number)
        events = await self._reader.events(number, as_of)
        return [_line(entry) for entry in timeline(state, events, await self._reader.entries(number, as_of))]

    async def timers(self, viewer: Viewer, number: int) -> list[Data]:
        """Return the timers, those that still run first."""
        await self.state(viewer, number)
        rows = await self._reader.timers(number)
        shown = [row for row in rows if not (row.kind == "stale" and row.state == "cancelled")]  # by each act: no news
        return [_timer(row) for row in sorted(shown, key=lambda row: (row.state != "armed", row.due))]

    async def catchup(self, viewer: Viewer, number: int) -> Data:
        """Return how it stands, what has changed since this viewer last asked, and what comes next.

        For somebody who asks for the first time: the few lines that tell how it came to that.
        """
        state = await self.state(viewer, number)
        entries = await self._reader.entries(number)
        looks = [entry.at for entry in entries if entry.observation.kind == "looked" and entry.actor == viewer.actor]
        since = max(looks, default=None)
        telling = changed(timeline(state, await self._reader.events(number), entries), since)
        data = await self.show(viewer, number)
        book = state.runbook
        return {
            **data,
            "goes_on": state.is_active,
            "since": stamp(since),
            "lines": [_line(line) for line in telling[-LINES:]],
            "left_out": max(len(telling) - LINES, 0),
            "next": sorted((t for t in data["timers"] if t["state"] == "armed"), key=lambda t: t["due"]),
            "steps_open": book.count - len(book.outcomes) if book and state.is_active else 0,
        }

    async def oncall(self, service: str = "") -> list[Data]:
        """Return who is on call now and next, per rotation; of one service, those its escalation names."""
        service = service_of(service, self._policy) if service.strip() else ""
        names = sorted(self._policy.oncall)
        if service:
            levels = self._policy.escalation_for(service)
            named = {target.schedule for level in levels for target in level.targets if target.schedule}
            names = [name for name in names if name in named]
        now = self._clock()
        return [self._shift(name, now) for name in names]

    async def overrides(self) -> list[Data]:
        """Return the overrides that run or are to come."""
        return [
            {
                "number": one.number,
                "schedule": one.schedule,
                "user": one.user,
                "start": stamp(one.start),
                "end": stamp(one.end),
                "by": one.by,
            }
            for one in await self._reader.overrides(self._clock())
        ]

    async def undelivered(self, viewer: Viewer) -> list[Data]:
        """Return what gave up and belongs to no incident, the oldest first; what is private only to who is trusted."""
        found = await self._reader.undelivered()
        return [_undelivered(one) for one in found if viewer.trusted or not one.private]

    def _shift(self, name: str, now: datetime) -> Data:
        rotation, duty = self._policy.oncall[name], self._policy.duty
        shift = shift_at(rotation, now, name=name, duty=duty)
        after = next_shift(rotation, now, name=name, duty=duty)
        override = duty.override(name, now)
        calendar = duty.calendars.get(name) if rotation.pagerduty_schedule else None
        return {
            "schedule": name,
            "user": shift.user,
            "until": stamp(shift.end),
            "next": after.user if after else shift.user,
            "next_at": stamp(after.start) if after else None,
            "gone": shift.user in duty.gone,
            "override": {"number": override.number, "by": override.by} if override else None,
            "source": "pagerduty" if rotation.pagerduty_schedule else "tocsin.yaml",
            "as_of": stamp(calendar.asked_at) if calendar and calendar.trouble else None,
            "trouble": calendar.trouble if calendar else "",
            "unknown": list(calendar.unknown) if calendar else [],
        }

    async def public(self, viewer: Viewer, number: int) -> Data:
        """Return the public update that waits, and the last one that went out."""
        state = await self.state(viewer, number)
        return {
            **head(state),
            "draft": state.draft.model_dump(mode="json") if state.draft else None,
            "published": state.published.model_dump(mode="json") if state.published else None,
            "status_page": f"{self._public_url}/status",
        }

    async def postmortem(self, viewer: Viewer, number: int) -> Data:
        """Return the compiled postmortem's summary, its key times, and where the whole of it is."""
        state = await self.state(viewer, number)
        made = compile_postmortem(
            state,
            await self._reader.events(number),
            await self._reader.entries(number),
            await self._reader.episodes(number),
            self._policy,
        )
        return {
            **head(state),
            "summary": [text for text, _ in made.summary],
            "times": [{"name": t.name, "at": stamp(t.at)} for t in made.times if t.at],
            "spans": [
                {"name": s.name, "seconds": s.length.total_seconds()} for s in made.spans if s.length is not None
            ],
            "questions": [q.text for q in made.questions],
            "action_items": len(made.action_items),
            "url": f"{self._public_url}/incidents/{number}/postmortem",
        }


def _failures(state: Incident) -> list[Data]:
    """What gave up, why, and how it is mended; of older ones only the timeline says why."""
    return [
        {"effect": effect, "what": what, **(state.mends[effect].model_dump() if effect in state.mends else {})}
        for effect, what in state.failed.items()
    ]


def _runbook(state: Incident) -> Data | None:
    if state.runbook is None:
        return None
    book = state.runbook
    return {"name": book.name, "title": book.title, "steps": book.count, "outcomes": dict(book.outcomes)}
