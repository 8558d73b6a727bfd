"""The open database: Store, Outbox and Reader in one, over SQLite or PostgreSQL."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, delete, select, text

from bot.domain.alerts import Episode
from bot.domain.effects import AnyEffect
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.record import Entry
from bot.ports.clock import Clock, utc_now
from bot.ports.delivery import Job
from bot.ports.reader import DeliveryRow, Fault, RoomWait, Stats, TimerRow
from bot.ports.store import Changes, Claim, Conflict, DueTimer, Keys, Loaded, Unavailable
from bot.storage import budgets, claims, integrity, queries, streams, waits, wakes
from bot.storage.address import read_address
from bot.storage.backend import Backend, Notice
from bot.storage.budgets import BudgetOf, Limits, insert_into
from bot.storage.faults import OLD_SCHEMA
from bot.storage.load import load
from bot.storage.sqlite import Sqlite
from bot.storage.tables import inbox, installation, replicas
from bot.storage.write import Rules, write

if TYPE_CHECKING:
    from bot.storage.postgres import Postgres

LEASE: Final = 10.0
"""Seconds a claim holds, by the database's clock. A call times out after 8 (DESIGN, section 4)."""
TIMEOUT: Final = 2.0
"""Seconds that a statement, a lock or a busy file may take."""
INBOX_KEPT: Final = timedelta(hours=72)
NO_LIMITS: Final[Mapping[str, tuple[int, float]]] = {}


def no_budget(effect: AnyEffect, state: Incident) -> str:
    """Nothing is limited."""
    return ""


class Database:
    """See the ports for what each method promises. Every method raises Unavailable if the database does not answer."""

    def __init__(self, backend: Backend, rules: Rules, lease: float, installation_id: str) -> None:
        self._backend = backend
        self._rules = rules
        self._lease = lease
        self.installation_id = installation_id

    def on_change(self, notice: Notice) -> None:
        """Call `notice` when another process has committed. It must be quick and must not raise."""
        self._backend.watch(notice)

    # --- Store ----------------------------------------------------------------------------------
    async def transact(self, keys: Keys, claims: Sequence[Claim], work: Callable[[Loaded], Iterable[Changes]]) -> None:
        """Lock, load, let `work` decide, write, commit. Raises Conflict or Unavailable."""

        def run(conn: Connection) -> None:
            loaded, heads = load(conn, keys, claims, self._rules.clock())
            changes = list(work(loaded))
            try:
                write(conn, changes, heads, self._rules)
            except ValueError as error:  # a text that no database takes: alone it hurts only itself
                raise Conflict(f"a value cannot be stored ({type(error).__name__})") from None

        await self._backend.write(run)

    # --- Outbox ---------------------------------------------------------------------------------
    async def claim(self, worker: str, limit: int, now: datetime) -> list[Job]:
        """Claim what may run."""
        return await self._backend.write(
            lambda conn: claims.claim(conn, worker, limit, now, self._lease), announce=False
        )

    async def due_timers(self, now: datetime, limit: int) -> list[DueTimer]:
        """Return the armed timers whose time has come."""
        return await self._backend.read(lambda conn: wakes.due_timers(conn, now, limit))

    async def next_wake(self, now: datetime) -> datetime | None:
        """Return the earliest moment after `now` at which the runner is needed."""
        return await self._backend.read(lambda conn: wakes.next_wake(conn, now))

    async def park(self, budget: str, until: datetime) -> None:
        """Start nothing that draws from `budget` before `until`."""
        now = self._rules.clock()
        await self._backend.write(
            lambda conn: budgets.park(conn, budget, until, self._rules.limits, now), announce=False
        )

    async def release(self, worker: str) -> None:
        """Hand back what `worker` holds."""
        await self._backend.write(lambda conn: claims.release(conn, worker))

    async def holders(self) -> list[str]:
        """Return the workers that hold effects."""
        return await self._backend.read(claims.holders)

    # --- Reader ---------------------------------------------------------------------------------
    async def incident(self, number: int) -> Incident | None:
        """Return the snapshot of incident `number`."""
        return await self._backend.read(lambda conn: queries.incident(conn, number))

    async def incident_of_channel(self, channel: str) -> int | None:
        """Return the number of the incident whose room is `channel`."""
        return await self._backend.read(lambda conn: queries.incident_of_channel(conn, channel))

    async def incidents(self, *, active: bool = False, limit: int = 200, before: int | None = None) -> list[Incident]:
        """Return incidents, newest first."""
        return await self._backend.read(lambda conn: queries.list_incidents(conn, active, limit, before))

    async def events(self, number: int, as_of: datetime | None = None) -> list[Recorded]:
        """Return the control stream, oldest first."""
        return await self._backend.read(lambda conn: streams.read_events(conn, number, as_of))

    async def entries(self, number: int, as_of: datetime | None = None) -> list[Entry]:
        """Return the record stream, oldest first."""
        return await self._backend.read(lambda conn: streams.read_entries(conn, number, as_of))

    async def timers(self, number: int) -> list[TimerRow]:
        """Return the timers, past and pending, in the order in which they were set."""
        return await self._backend.read(lambda conn: queries.list_timers(conn, number))

    async def episodes(self, number: int) -> list[Episode]:
        """Return the alerts, oldest first."""
        return await self._backend.read(lambda conn: queries.list_episodes(conn, number))

    async def deliveries(self, number: int, *, failed_only: bool = False) -> list[DeliveryRow]:
        """Return the effects in order of the log."""
        return await self._backend.read(lambda conn: queries.list_deliveries(conn, number, failed_only))

    async def published(self, limit: int = 50) -> list[tuple[Incident, list[Recorded]]]:
        """Return what the public knows, newest first."""
        return await self._backend.read(lambda conn: queries.list_published(conn, limit))

    async def stats(self) -> Stats:
        """Return the counts for health and metrics."""
        return await self._backend.read(queries.stats)

    async def room_wait(self, number: int, now: datetime) -> RoomWait | None:
        """Return what the channel of incident `number` waits for, if for anything."""
        return await self._backend.read(lambda conn: waits.room_wait(conn, number, now))

    async def ping(self) -> float:
        """Return the seconds one trivial query took."""
        started = time.perf_counter()
        await self._backend.read(lambda conn: conn.execute(text("SELECT 1")).scalar())
        return time.perf_counter() - started

    async def verify(self, number: int | None = None) -> list[Fault]:
        """Return the first fault of each incident (or of `number`). One short read per incident."""
        numbers = [number] if number is not None else await self._backend.read(integrity.numbers_to_verify)
        found = [await self._backend.read(partial(integrity.verify, number=one)) for one in numbers]
        return [fault for fault in found if fault is not None]

    async def replay(self, number: int) -> str | None:
        """Return the snapshot made anew from the events, as JSON; None if there is no such incident."""
        return await self._backend.read(lambda conn: integrity.replay(conn, number))

    # --- housekeeping -----------------------------------------------------------------------------
    async def purge(self, now: datetime, kept: timedelta = INBOX_KEPT) -> int:
        """Forget answers older than `kept`, and budgets that are full. Return how many answers went."""

        def run(conn: Connection) -> int:
            budgets.forget_full(conn, now)
            return conn.execute(delete(inbox).where(inbox.c.at < now - kept)).rowcount

        return await self._backend.write(run, announce=False)

    async def beat(self, worker: str, now: datetime) -> None:
        """Say that `worker` is alive."""

        def run(conn: Connection) -> None:
            row = insert_into(conn.dialect.name, replicas).values(worker=worker, seen_at=now)
            conn.execute(row.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": now}))

        await self._backend.write(run, announce=False)

    async def replicas(self, since: datetime) -> Sequence[str]:
        """Return the workers heard of after `since`."""
        return await self._backend.read(lambda conn: queries.list_replicas(conn, since))


def _backend(address: URL, patience: float) -> "Sqlite | Postgres":
    if address.get_backend_name() == "sqlite":
        return Sqlite(address, patience)
    from bot.storage.postgres import Postgres  # its driver takes memory that SQLite's users need not spend

    return Postgres(address, patience)


@asynccontextmanager
async def open_database(
    url: str,
    *,
    budget_of: BudgetOf = no_budget,
    limits: Limits = NO_LIMITS,
    lease: float = LEASE,
    patience: float = TIMEOUT,
    clock: Clock = utc_now,
) -> AsyncIterator[Database]:
    """Open the database at `url`, whose schema must be up to date. Close it on leaving.

    `budget_of` and `limits` set the rate budgets; `lease` and `patience` are in seconds. Raises Unavailable, or
    BadAddress for an address that is none.
    """
    address = read_address(url)
    async with _backend(address, patience) as backend:
        name = await backend.read(lambda conn: conn.execute(select(installation.c.id)).scalar())
        if name is None:
            raise Unavailable(OLD_SCHEMA)
        yield Database(backend, Rules(budget_of, limits, clock), lease, name)
