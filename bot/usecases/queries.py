"""What may be asked, and by whom. Answers are plain data in the shapes of CONTRACT section 2; times RFC 3339 UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from bot.domain.alerts import Episode
from bot.domain.incident import Incident
from bot.domain.oncall import shift_at
from bot.domain.policy import Policy
from bot.domain.postmortem import compile_postmortem
from bot.domain.refusals import UnknownIncident, UnknownService
from bot.domain.timeline import TimelineEntry, timeline
from bot.ports.clock import Clock
from bot.ports.reader import Reader, TimerRow

Data: TypeAlias = dict[str, Any]
LIST_MAX: Final = 200
CATCHUP_LINES: Final = 8
_TELLING: Final = frozenset(
    {
        "acknowledged", "severity_changed", "status_changed", "resolved", "reopened", "cancelled", "role_assigned",
        "update_posted", "note_added", "task_added", "public_published", "response_overdue", "page_requested",
        "alerts_reported", "pinned", "delivery_failed",
    }
)  # fmt: skip
"""Kinds of timeline lines that tell the story to somebody who joins late."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `trusted` sees private incidents; `room` is the incident in whose channel the question was asked."""

    actor: str
    trusted: bool = False
    room: int | None = None

    def may_see(self, state: Incident) -> bool:
        """Law 9: a private incident exists only for those in it."""
        if not state.private or self.trusted or self.room == state.number:
            return True
        return self.actor == state.declared_by or self.actor in state.people or self.actor in state.roles.values()


def stamp(at: datetime | None) -> str | None:
    """Return `at` as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


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
        "url": episode.url,
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

    async def incident_of_channel(self, channel: str) -> int | None:
        """Return the number of the incident to which `channel` belongs."""
        return await self._reader.incident_of_channel(channel)

    async def room_wait(self, number: int) -> Data | None:
        """Return why the channel of a fresh incident does not open at once, and when it will; None if it does."""
        wait = await self._reader.room_wait(number, self._clock())
        if wait is None:
            return None
        return {"ahead": wait.ahead, "opens_at": stamp(wait.opens_at), "a_minute": wait.a_minute}

    async def state(self, viewer: Viewer, number: int) -> Incident:
        """Return the incident. Refuses one that is not there for `viewer`."""
        state = await self._reader.incident(number)
        if state is None or not viewer.may_see(state):
            raise UnknownIncident(key=f"INC-{number}")
        return state

    async def incidents(self, viewer: Viewer, *, everything: bool = False) -> list[Data]:
        """Return the open incidents, or all of them, newest first."""
        found = await self._reader.incidents(active=not everything, limit=LIST_MAX)
        return [head(state) for state in found if viewer.may_see(state)]

    async def show(self, viewer: Viewer, number: int) -> Data:
        """Return one incident with its people, alerts, timers and services."""
        state = await self.state(viewer, number)
        return {
            **head(state),
            "description": state.description,
            "roles": dict(state.roles),
            "handoff": state.handoff.user if state.handoff else None,
            "services": [state.service] if state.service else [],
            "alerts": [_alert(episode) for episode in await self._reader.episodes(number)],
            "alerts_firing": state.alerts_firing,
            "timers": [_timer(row) for row in await self._reader.timers(number)],
            "last_update": state.last_update,
            "last_update_at": stamp(state.last_update_at),
            "resolution": state.resolution,
            "runbook": _runbook(state),
            "tasks": [
                {"number": t.number, "text": t.text, "owner": t.owner, "due": stamp(t.due), "done": t.done}
                for t in state.tasks
            ],
            "failed": dict(state.failed),
        }

    async def timeline(self, viewer: Viewer, number: int, as_of: datetime | None = None) -> list[Data]:
        """Return every line of the incident, oldest first."""
        state = await self.state(viewer, number)
        events = await self._reader.events(number, as_of)
        return [_line(entry) for entry in timeline(state, events, await self._reader.entries(number, as_of))]

    async def timers(self, viewer: Viewer, number: int) -> list[Data]:
        """Return the timers, those that still run first."""
        await self.state(viewer, number)
        rows = await self._reader.timers(number)
        return [_timer(row) for row in sorted(rows, key=lambda row: (row.state != "armed", row.due))]

    async def catchup(self, viewer: Viewer, number: int) -> Data:
        """Return how it stands, and the few lines that tell how it came to that."""
        lines = await self.timeline(viewer, number)
        telling = [line for line in lines if line["kind"] in _TELLING]
        return {**await self.show(viewer, number), "lines": telling[-CATCHUP_LINES:]}

    async def oncall(self, service: str = "") -> list[Data]:
        """Return who is on call now and next, per rotation; of one service, those its escalation names."""
        service = service.strip().lstrip("#")
        known = self._policy.services
        if service and known and service not in known:
            raise UnknownService(word=service, services=", ".join(sorted(known)))
        names = sorted(self._policy.oncall)
        if service:
            levels = self._policy.escalation_for(service)
            named = {target.schedule for level in levels for target in level.targets if target.schedule}
            names = [name for name in names if name in named]
        now = self._clock()
        return [self._shift(name, now) for name in names]

    def _shift(self, name: str, now: datetime) -> Data:
        rotation = self._policy.oncall[name]
        shift, after = shift_at(rotation, now), shift_at(rotation, now, ahead=1)
        return {"schedule": name, "user": shift.user, "until": stamp(shift.end), "next": after.user}

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


def _runbook(state: Incident) -> Data | None:
    if state.runbook is None:
        return None
    book = state.runbook
    return {"name": book.name, "title": book.title, "steps": book.count, "outcomes": dict(book.outcomes)}
