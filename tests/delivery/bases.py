"""The places where a bot keeps its things, as the stories see them: in memory, or a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from sqlalchemy import update

from bot.domain.events import AnyEvent, Recorded
from bot.domain.incident import Incident, fold
from bot.ports.store import Outbox, Store
from bot.storage import looks
from bot.storage.database import Database, open_database
from bot.storage.tables import effects
from tests.delivery.workplace import KINDS
from tests.delivery.world import Clock
from tests.support.memory import OVER, MemoryStore


class Base(Protocol):
    """A store with an outbox, and how a story looks into it."""

    store: Store
    outbox: Outbox

    async def state(self, number: int) -> Incident:
        """The incident as committed."""
        ...

    async def events(self, number: int) -> list[AnyEvent]:
        """What happened, oldest first."""
        ...

    async def unfinished(self, number: int) -> list[str]:
        """Effects that are neither done, given up nor cancelled."""
        ...

    async def end_leases(self, worker: str = "") -> None:
        """Let the time pass after which a dead worker's effects are anybody's (no name: those of all)."""
        ...

    async def recorded(self, number: int) -> list[Recorded]:
        """The log: what happened, when and by whom."""
        ...

    async def numbers(self) -> list[int]:
        """The incidents there are."""
        ...

    async def history(self, number: int) -> list[tuple[str, datetime, str]]:
        """Every timer there was: kind, due, state. (The twin keeps the last one of each kind only.)"""
        ...

    async def next_look(self) -> datetime | None:
        """When the next look for late copies is due."""
        ...

    async def faults(self) -> list[str]:
        """What is not as the log says: chains, heads, snapshots, replays."""
        ...


class InMemory:
    """The twin."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.store = self.outbox = MemoryStore(clock, {kind: kind for kind in KINDS})

    async def state(self, number: int) -> Incident:
        """See Base."""
        return self.store.tables.incidents[number]

    async def events(self, number: int) -> list[AnyEvent]:
        """See Base."""
        return [item.event for item in self.store.tables.events[number]]

    async def unfinished(self, number: int) -> list[str]:
        """See Base."""
        rows = self.store.tables.effects.values()
        return [row.new.id for row in rows if row.new.incident == number and row.state not in OVER]

    async def end_leases(self, worker: str = "") -> None:
        """See Base."""
        for row in self.store.tables.effects.values():
            if row.lease_until and worker in ("", row.worker):
                row.lease_until = self._clock()

    async def recorded(self, number: int) -> list[Recorded]:
        """See Base."""
        return list(self.store.tables.events[number])

    async def numbers(self) -> list[int]:
        """See Base."""
        return list(self.store.tables.incidents)

    async def history(self, number: int) -> list[tuple[str, datetime, str]]:
        """See Base."""
        timers = self.store.tables.timers.items()
        return [(kind, timer.due, timer.state) for (one, kind), timer in timers if one == number]

    async def next_look(self) -> datetime | None:
        """See Base."""
        return min((look.due for look, _ in self.store.tables.looks.values()), default=None)

    async def faults(self) -> list[str]:
        """See Base."""
        tables = self.store.tables
        folds = {number: fold(log) for number, log in tables.events.items()}
        return [f"INC-{number}" for number, state in tables.incidents.items() if folds[number] != state]


class OnDatabase:
    """SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.store = self.outbox = database

    async def state(self, number: int) -> Incident:
        """See Base."""
        found = await self._database.incident(number)
        assert found
        return found

    async def events(self, number: int) -> list[AnyEvent]:
        """See Base."""
        return [item.event for item in await self._database.events(number)]

    async def unfinished(self, number: int) -> list[str]:
        """See Base."""
        rows = await self._database.deliveries(number)
        return [row.id for row in rows if row.state in ("waiting", "held", "claimed")]

    async def end_leases(self, worker: str = "") -> None:
        """Leases are on the database's own clock, which no test steps: so they are ended by hand."""
        ended = update(effects).where(effects.c.state == "claimed").values(lease_until=0)
        if worker:
            ended = ended.where(effects.c.worker == worker)
        await self._database._backend.write(lambda conn: conn.execute(ended))

    async def recorded(self, number: int) -> list[Recorded]:
        """See Base."""
        return await self._database.events(number)

    async def numbers(self) -> list[int]:
        """See Base."""
        return sorted(state.number for state in await self._database.incidents())

    async def history(self, number: int) -> list[tuple[str, datetime, str]]:
        """See Base."""
        return [(timer.kind, timer.due, timer.state) for timer in await self._database.timers(number)]

    async def next_look(self) -> datetime | None:
        """See Base."""
        return await self._database._backend.read(looks.next_due)

    async def faults(self) -> list[str]:
        """See Base."""
        found = [str(fault) for fault in await self._database.verify()]
        states = await self._database.incidents()
        again = {state.number: await self._database.replay(state.number) for state in states}
        return found + [f"replay of {s.key}" for s in states if again[s.number] != s.model_dump_json()]


@asynccontextmanager
async def on_database(url: str, clock: Clock) -> AsyncIterator[OnDatabase]:
    """Open the database at `url`; each kind of effect draws from a budget of its own."""
    async with open_database(url, budget_of=lambda effect, _: effect.kind, clock=clock) as database:
        yield OnDatabase(database)
