"""SQLite: one writer connection in one thread of its own, readers beside it, and a look for other processes' commits.

Why one writer: pooled writers gave p99 of 440–975 ms and "database is locked" (docs/adr/0002).
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, insert

from bot.ports.clock import utc_now
from bot.storage.address import is_memory
from bot.storage.backend import Notice, T
from bot.storage.faults import DATABASE_ERRORS, explain
from bot.storage.tables import counter, installation, metadata

LOOK_EVERY: Final = 0.2
"""Seconds between looks at `PRAGMA data_version` (1.8 µs each), SQLite's only sign of another process's commit."""
_READERS: Final = 4


def engine(url: URL, begin: str, pragmas: tuple[str, ...], **options: Any) -> Engine:
    """Return an engine whose transactions start with `begin`, and whose connections start with `pragmas`."""
    made = create_engine(url, hide_parameters=True, **options)

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def _begin(conn: Connection) -> None:
        driver: Any = conn.connection.driver_connection
        driver.execute(begin)  # past SQLAlchemy: a third of a small transaction was spent on this

    return made


class Sqlite:
    """A SQLite file, or (for tests) a database in memory, which is made with today's schema."""

    def __init__(self, url: URL, timeout: float) -> None:
        busy = f"busy_timeout = {int(timeout * 1000)}"
        self._memory = is_memory(url)
        self.file = None if self._memory else Path(url.database or "")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        durable = (busy, "journal_mode = WAL", "synchronous = FULL")
        self._writer = engine(url, "BEGIN IMMEDIATE", durable, poolclass=NullPool)
        self._reader = engine(url, "BEGIN", (busy, "query_only = ON"), pool_size=_READERS) if not self._memory else None
        self._conn: Connection | None = None
        self._notices: list[Notice] = []
        self._look: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._in_writer(self._open)
        except DATABASE_ERRORS as error:
            await self._shut()
            raise explain(error) from None
        self._look = asyncio.create_task(self._watch(), name="sqlite-watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._look:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)
        await self._shut()

    async def write(self, work: Callable[[Connection], T], *, announce: bool = True) -> T:
        """See Backend. Other processes see the commit by themselves, so there is nothing to announce."""

        def run() -> T:
            conn = self._open_connection()
            with conn.begin():
                return work(conn)

        try:
            return await self._in_writer(run)
        except DATABASE_ERRORS as error:
            raise explain(error) from None

    async def read(self, work: Callable[[Connection], T]) -> T:
        """See Backend."""
        reader = self._reader

        def run() -> T:
            if reader is None:
                conn = self._open_connection()
                with conn.begin():
                    return work(conn)
            with reader.connect() as conn, conn.begin():
                return work(conn)

        try:
            where = self._writing if reader is None else self._reading
            return await asyncio.get_running_loop().run_in_executor(where, run)
        except DATABASE_ERRORS as error:
            raise explain(error) from None

    def watch(self, notice: Notice) -> None:
        """See Backend."""
        self._notices.append(notice)

    async def _in_writer(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)

    def _open(self) -> None:
        self._conn = self._writer.connect()
        if self._memory:
            with self._conn.begin():
                metadata.create_all(self._conn)
                self._conn.execute(insert(installation).values(one=1, id="memory", created_at=utc_now()))
                self._conn.execute(insert(counter).values(name="incident", value=0))

    def _open_connection(self) -> Connection:
        assert self._conn is not None, "the database is not open"
        return self._conn

    def _version(self) -> int:
        """Return a number that changes with commits of other connections, not with the writer's own."""
        driver = self._open_connection().connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return int(driver.execute("PRAGMA data_version").fetchone()[0])

    async def _watch(self) -> None:
        seen: int | None = None
        while True:
            with suppress(sqlite3.OperationalError):  # busy: the next look sees it
                version = await self._in_writer(self._version)
                if seen is not None and version != seen:
                    for notice in self._notices:
                        notice()
                seen = version
            await asyncio.sleep(LOOK_EVERY)

    async def _shut(self) -> None:
        def close() -> None:
            if self._conn is not None:
                self._conn.close()

        if self._reader is not None:
            await asyncio.get_running_loop().run_in_executor(self._reading, self._reader.dispose)
        await self._in_writer(close)
        self._reading.shutdown()
        self._writing.shutdown()
