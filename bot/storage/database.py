"""The open database: Store, Outbox and Reader in one, over SQLite or PostgreSQL."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, delete, select, text

from bot.domain.alerts import Episode
from bot.domain.audit import Audited
from bot.domain.duty import Override
from bot.domain.effects import AnyEffect
from bot.domain.events import Recorded
from bot.domain.folding import FOLD_AFTER
from bot.domain.incident import Incident
from bot.domain.record import Entry
from bot.domain.refusals import UnknownIncident
from bot.domain.undelivered import Undelivered
from bot.domain.watchdogs import Watch
from bot.ports.clock import Clock, utc_now
from bot.ports.delivery import Job, Look
from bot.ports.reader import DeliveryRow, Fault, RoomWait, Stats, TimerRow
from bot.ports.refills import Unfilled
from bot.ports.store import Changes, Claim, Conflict, DueTimer, Keys, Loaded, Unavailable
from bot.storage import (
    anchors,
    audit,
    budgets,
    census,
    claims,
    integrity,
    looks,
    notices,
    overrides,
    presence,
    queries,
    refills,
    streams,
    undelivered,
    waits,
    wakes,
    watching,
)
from bot.storage.address import read_address
from bot.storage.backend import Backend, Notice
from bot.storage.budgets import BudgetOf, Limits
from bot.storage.faults import OLD_SCHEMA
from bot.storage.load import load
from bot.storage.snapshots import Renewal
from bot.storage.sqlite import Sqlite
from bot.storage.tables import inbox, installation
from bot.storage.watched import WatchedWrites
from bot.storage.write import Rules, write

if TYPE_CHECKING:
    from bot.storage.postgres import Postgres

LEASE: Final = 10.0
"""Seconds a claim holds, by the database's clock. A call times out after 8 (docs/adr/0004)."""
TIMEOUT: Final = 2.0
"""Seconds that a statement, a lock or a busy file may take."""
INBOX_KEPT: Final = timedelta(hours=72)
WEEK: Final = timedelta(days=7)
YEAR: Final = timedelta(days=365)
NO_LIMITS: Final[Mapping[str, tuple[int, float]]] = {}


def no_budget(effect: AnyEffect, state: Incident) -> str:
    """Nothing is limited."""
    return ""


class Database:
    """See the ports for what each method promises. Every method raises Unavailable if the database does not answer."""

    def __init__(
        self,
        backend: Backend,
        rules: Rules,
        lease: float,
        installation_id: str,
        renewal: Renewal,
        fold_after: timedelta = FOLD_AFTER,
    ) -> None:
        self._backend = backend
        self._writes = WatchedWrites(backend)
        self._rules = rules
        self._lease = lease
        self._fold_after = fold_after
        self._renewal = renewal
        self.installation_id = installation_id
        self._unfinished: dict[int, Incident] = {}
        """As it was read last; it is replaced and never changed."""

    def on_change(self, notice: Notice) -> None:
        """Call `notice` when another process has committed. It must be quick and must not raise."""
        self._backend.watch(notice)

    # --- Store ----------------------------------------------------------------------------------
    async def transact(self, keys: Keys, claims: Sequence[Claim], work: Callable[[Loaded], Iterable[Changes]]) -> None:
        """Lock, load, let `work` decide, write, commit. Raises Conflict or Unavailable."""

        def run(conn: Connection) -> None:
            loaded, heads = load(conn, keys, claims, self._rules.clock())
            self._renewal.before_a_change(conn, loaded.incidents)
            changes = list(work(loaded))
            try:
                write(conn, changes, heads, self._rules)
            except ValueError as error:  # a text that no database takes: alone it hurts only itself
                raise Conflict(f"a value cannot be stored ({type(error).__name__})") from None

        await self._writes.write(run)

    async def foresee(self, keys: Keys) -> Loaded:
        """Return what a case with these keys would see now. Locks nothing; nobody may decide on it."""
        now = self._rules.clock()
        loaded, _ = await self._backend.read(lambda conn: load(conn, keys, (), now))
        return loaded

    # --- Outbox ---------------------------------------------------------------------------------
    async def claim(self, worker: str, limit: int, now: datetime) -> list[Job]:
        """Claim what may run."""
        return await self._writes.write(
            lambda conn: claims.claim(conn, worker, limit, now, self._lease, self._fold_after), announce=False
        )

    async def due_timers(self, now: datetime, limit: int) -> list[DueTimer]:
        """Return the armed timers whose time has come."""
        return await self._backend.read(lambda conn: wakes.due_timers(conn, now, limit))

    async def due_looks(self, now: datetime, limit: int) -> tuple[list[Look], datetime | None]:
        """Return the looks for late copies that are due, and when the next one will be."""
        first = await self._backend.read(looks.next_due)
        if first is None or first > now:
            return [], first
        taken = await self._writes.write(lambda conn: looks.take(conn, now, limit), announce=False)
        return taken, None

    async def next_wake(self, now: datetime) -> datetime | None:
        """Return the earliest moment after `now` at which the runner is needed."""
        return await self._backend.read(lambda conn: wakes.next_wake(conn, now))

    async def park(self, budget: str, until: datetime) -> None:
        """Start nothing that draws from `budget` before `until`."""
        now = self._rules.clock()
        await self._writes.write(
            lambda conn: budgets.park(conn, budget, until, self._rules.limits, now), announce=False
        )

    async def release(self, worker: str) -> None:
        """Hand back what `worker` holds."""
        await self._writes.write(lambda conn: claims.release(conn, worker))

    async def holders(self) -> list[str]:
        """Return the workers that hold effects."""
        return await self._backend.read(claims.holders)

    def attending(self) -> AbstractAsyncContextManager[frozenset[str]]:
        """Be one of those who deliver. Yields the workers that hold effects and are surely gone."""
        return presence.attending(self._backend.file, self.holders)

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

    async def unfinished(self) -> list[Incident]:
        """Return all that is open, and all that is over and may owe something, newest first."""
        known = self._unfinished
        self._unfinished = await self._backend.read(lambda conn: queries.unfinished(conn, known))
        return list(self._unfinished.values())

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

    async def deliveries(self, number: int) -> list[DeliveryRow]:
        """Return the effects in order of the log."""
        return await self._backend.read(lambda conn: queries.list_deliveries(conn, number))

    async def published(self) -> list[tuple[Incident, list[Recorded]]]:
        """Return what the public knows of the last incidents, newest first."""
        return await self._backend.read(queries.list_published)

    async def audit(self, *, limit: int = 200, incident: int | None = None, denied: bool = False) -> list[Audited]:
        """Return the audit trail, newest first."""
        return await self._backend.read(lambda conn: audit.read(conn, limit, incident, denied))

    async def overrides(self, since: datetime) -> list[Override]:
        """Return the overrides of on-call that end after `since` and were not cancelled."""
        return await self._backend.read(lambda conn: overrides.read(conn, since))

    async def undelivered(self) -> list[Undelivered]:
        """Return what gave up, belongs to no incident, and may be tried again; the oldest first."""
        return await self._backend.read(undelivered.read)

    async def stats(self) -> Stats:
        """Return the counts for health and metrics."""
        return await self._backend.read(queries.stats)

    async def room_waits(self, now: datetime) -> dict[int, RoomWait]:
        """Return what channels wait for, by incident."""
        return await self._backend.read(lambda conn: waits.room_waits(conn, now))

    async def ping(self) -> float:
        """Return the seconds one trivial query took."""
        started = time.perf_counter()
        await self._backend.read(lambda conn: conn.execute(text("SELECT 1")).scalar())
        return time.perf_counter() - started

    # --- Refills ----------------------------------------------------------------------------------
    async def unfilled(self, since: datetime) -> list[Unfilled]:
        """Return the incidents whose record may have gaps."""
        return await self._backend.read(lambda conn: refills.unfilled(conn, since))

    async def filled(self, number: int, complete_to: datetime, seq: int) -> None:
        """Write down up to when a record is complete."""
        await self._writes.write(lambda conn: refills.fill(conn, number, complete_to, seq), announce=False)

    @property
    def trouble(self) -> str:
        """Why changes are refused, now or within the last few seconds; empty if they are not."""
        return self._writes.trouble

    async def verify(self, number: int | None = None) -> list[Fault]:
        """Return the first fault of each incident (or of `number`), then what belongs to none.

        One short read per incident. Raises UnknownIncident for a `number` that was never given.
        """
        await self._renewal.finish()
        if number is not None:
            await self._expect(number)
            return await self._faults([number])
        numbers, others = await self._backend.read(census.take)
        return await self._faults(numbers) + others

    async def replay(self, number: int) -> str:
        """Return the snapshot made anew from the events, as JSON. Raises UnknownIncident, or BadRow."""
        await self._expect(number)
        return await self._backend.read(lambda conn: integrity.replay(conn, number))

    async def _faults(self, numbers: list[int]) -> list[Fault]:
        found = [await self._backend.read(partial(integrity.verify, number=one)) for one in numbers]
        return [fault for fault in found if fault is not None]

    async def _expect(self, number: int) -> None:
        if not await self._backend.read(lambda conn: census.was_given(conn, number)):
            raise UnknownIncident(key=f"INC-{number}")

    async def watches(self) -> dict[str, Watch]:
        """Return what is on record about every watchdog."""
        return await self._backend.read(watching.read)

    async def unseen(self, before: datetime, sources_without: Sequence[str], limit: int) -> list[Episode]:
        """Return open alerts that nobody has reported since `before`."""
        return await self._backend.read(lambda conn: watching.unseen(conn, before, sources_without, limit))

    # --- housekeeping -----------------------------------------------------------------------------
    async def purge(
        self,
        now: datetime,
        kept: timedelta = INBOX_KEPT,
        *,
        notices_kept: timedelta = WEEK,
        unusable_kept: timedelta = WEEK,
        audit_kept: timedelta = YEAR,
    ) -> int:
        """Forget answers older than `kept` and what else waited for late deliveries, budgets that are full, old
        notices, unusable deliveries, the old trail.

        Note how far the record streams are, and see to snapshots of an older version. Return how many answers went.
        """
        await self._renewal.finish()

        def run(conn: Connection) -> int:
            budgets.forget_full(conn, now)
            notices.purge(conn, now - notices_kept, now - unusable_kept)
            audit.purge(conn, now - audit_kept)
            watching.forget_unopened(conn, now - kept)
            anchors.note(conn)
            return conn.execute(delete(inbox).where(inbox.c.at < now - kept)).rowcount

        return await self._writes.write(run, announce=False)


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
    fold_after: timedelta = FOLD_AFTER,
    patience: float = TIMEOUT,
    clock: Clock = utc_now,
) -> AsyncIterator[Database]:
    """Open the database at `url`, whose schema must be up to date. Close it on leaving.

    `budget_of` and `limits` set the rate budgets; `lease` and `patience` are in seconds; what waited for a
    channel longer than `fold_after` is told in one message. Raises Unavailable, or
    BadAddress for an address that is none.
    """
    address = read_address(url)
    async with _backend(address, patience) as backend:
        ours = await backend.read(
            lambda conn: conn.execute(select(installation.c.id, installation.c.snapshots)).first()
        )
        if ours is None:
            raise Unavailable(OLD_SCHEMA)
        renewal = Renewal(backend, ours.snapshots)
        await renewal.begin()
        yield Database(backend, Rules(budget_of, limits, clock), lease, ours.id, renewal, fold_after)
