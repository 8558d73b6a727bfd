"""The places where a bot keeps its things, as the stories see them: in memory, or a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy import update

from bot.domain.events import AnyEvent
from bot.domain.incident import Incident
from bot.ports.store import Outbox, Store
from bot.storage.database import Database, open_database
from bot.storage.tables import effects
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

    async def end_leases(self) -> None:
        """Let the time pass after which a dead worker's effects are anybody's."""
        ...


class InMemory:
    """The twin."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.store = self.outbox = MemoryStore(clock, {"bookmark": "bookmark"})

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

    async def end_leases(self) -> None:
        """See Base."""
        for row in self.store.tables.effects.values():
            row.lease_until = self._clock() if row.lease_until else None


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

    async def end_leases(self) -> None:
        """Leases are on the database's own clock, which no test steps: so they are ended by hand."""
        ended = update(effects).where(effects.c.state == "claimed").values(lease_until=0)
        await self._database._backend.write(lambda conn: conn.execute(ended))


@asynccontextmanager
async def on_database(url: str, clock: Clock) -> AsyncIterator[OnDatabase]:
    """Open the database at `url`; bookmarks draw from a budget of their own."""
    async with open_database(
        url, budget_of=lambda effect, _: "bookmark" if effect.kind == "bookmark" else "", clock=clock
    ) as database:
        yield OnDatabase(database)
