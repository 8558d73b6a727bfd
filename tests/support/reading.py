"""The reader over the in-memory store: what the surfaces look things up with, without a database."""

from datetime import datetime

from bot.domain.alerts import Episode
from bot.domain.audit import Audited
from bot.domain.duty import Override
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.record import Entry
from bot.domain.undelivered import Undelivered
from bot.ports.reader import DeliveryRow, Fault, RoomWait, Stats, TimerRow
from bot.ports.refills import Unfilled
from bot.ports.store import Unavailable
from tests.support.memory import MemoryStore


class MemoryReader:
    """Reader. `down` makes every call raise Unavailable; `asked` counts look-ups of channels."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.down = False
        self.asked = 0
        self.complete: dict[int, tuple[datetime, int]] = {}
        """Incident → up to when its record is complete, and how long its log was then."""

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("down for the test")

    async def incident(self, number: int) -> Incident | None:
        self._reach()
        return self._store.tables.incidents.get(number)

    async def incident_of_channel(self, channel: str) -> int | None:
        self._reach()
        self.asked += 1
        found = [s.number for s in self._store.tables.incidents.values() if s.room and s.room.channel == channel]
        return found[0] if found else None

    async def incidents(self, *, active: bool = False, limit: int = 200, before: int | None = None) -> list[Incident]:
        self._reach()
        states = sorted(self._store.tables.incidents.values(), key=lambda s: -s.number)
        return [s for s in states if (s.is_active or not active) and (before is None or s.number < before)][:limit]

    async def unfinished(self) -> list[Incident]:
        return [s for s in await self.incidents(limit=10**9) if s.is_active or s.status != "cancelled"]

    async def events(self, number: int, as_of: datetime | None = None) -> list[Recorded]:
        self._reach()
        return [item for item in self._store.tables.events.get(number, []) if as_of is None or item.at <= as_of]

    async def entries(self, number: int, as_of: datetime | None = None) -> list[Entry]:
        self._reach()
        return [item for item in self._store.tables.entries.get(number, []) if as_of is None or item.at <= as_of]

    async def overrides(self, since: datetime) -> list[Override]:
        self._reach()
        kept = sorted(self._store.tables.overrides.values(), key=lambda one: one.number)
        return [one for one in kept if one.end > since and one.cancelled_at is None]

    async def undelivered(self) -> list[Undelivered]:
        self._reach()
        return self._store.tables.undelivered()

    async def unfilled(self, since: datetime) -> list[Unfilled]:
        self._reach()
        found = []
        for state in self._store.tables.incidents.values():
            complete_to, seq = self.complete.get(state.number, (None, state.seq))
            last = self._store.tables.events[state.number][-1].at
            if state.room and (state.is_active or seq < state.seq or last >= since):
                found.append(Unfilled(state, complete_to))
        return sorted(found, key=lambda one: (one.state.severity.rank, -one.state.number))

    async def filled(self, number: int, complete_to: datetime, seq: int) -> None:
        self._reach()
        before = self.complete.get(number)
        if before is None or before[0] <= complete_to:
            self.complete[number] = (complete_to, seq)

    async def timers(self, number: int) -> list[TimerRow]:
        self._reach()
        timers = self._store.tables.timers.items()
        return [TimerRow(number, kind, row.due, row.state) for (n, kind), row in timers if n == number]

    async def episodes(self, number: int) -> list[Episode]:
        self._reach()
        return [episode for episode in self._store.tables.episodes.values() if episode.incident == number]

    async def deliveries(self, number: int) -> list[DeliveryRow]:
        self._reach()
        return []

    async def published(self, limit: int = 50) -> list[tuple[Incident, list[Recorded]]]:
        self._reach()
        return []

    async def room_waits(self, now: datetime) -> dict[int, RoomWait]:
        return {}

    async def audit(self, *, limit: int = 200, incident: int | None = None, denied: bool = False) -> list[Audited]:
        self._reach()
        found = [one for one in reversed(self._store.tables.audit) if incident in (None, one.incident)]
        return [one for one in found if one.outcome == "denied" or not denied][:limit]

    async def stats(self) -> Stats:
        self._reach()
        return Stats({}, 0, 0, None, 0)

    async def ping(self) -> float:
        self._reach()
        return 0.0

    async def verify(self, number: int | None = None) -> list[Fault]:
        self._reach()
        return []
