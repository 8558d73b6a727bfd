"""PostgreSQL: asyncpg under SQLAlchemy, short timeouts, and LISTEN/NOTIFY between replicas."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, Self

import structlog
from sqlalchemy import URL, Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.ports.store import Unavailable
from bot.storage import locks
from bot.storage.backend import Notice, T
from bot.storage.faults import DATABASE_ERRORS, explain, may_retry, ran_out_of_time

CHANNEL: Final = "tocsin"
RETRIES: Final = 3
"""How often a transaction is run again after a serialisation fault or a deadlock."""
_RECONNECT_MAX: Final = 5.0
_POOL: Final = 6
"""One connection writes, the others read; one more, outside the pool, listens."""
FATE_WITHIN: Final = 5.0
"""Seconds in which we find out whether a commit holds: a server that was killed is back within a few."""
FATE_PAUSE: Final = 0.1
_ANNOUNCE: Final = text("SELECT CAST(pg_current_xact_id() AS TEXT) FROM pg_notify(:channel, :name)")
_FATE: Final = text("SELECT pg_xact_status(CAST(CAST(:transaction AS TEXT) AS xid8))")
log = structlog.get_logger()


class Postgres:
    """A PostgreSQL database."""

    file = None

    def __init__(self, url: URL, timeout: float) -> None:
        self._timeout = timeout
        pool = {"pool_size": _POOL, "max_overflow": _POOL, "pool_timeout": timeout}
        self._engine = open_engine(url, timeout, **pool)
        self._ears = open_engine(url, timeout, poolclass=NullPool)  # never a connection that may be dead already
        self._name = secrets.token_hex(8)
        self._notices: list[Notice] = []
        self._listening = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.read(lambda conn: conn.execute(text("SELECT 1")))
        except BaseException:
            await self._engine.dispose()
            raise
        self._listener = asyncio.create_task(self._listen(), name="postgres-listen")
        with suppress(TimeoutError):  # it goes on trying; until then the runner's sweep finds what others wrote
            await asyncio.wait_for(self._listening.wait(), self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
        await self._engine.dispose()

    async def write(self, work: Callable[[Connection], T], *, announce: bool = True) -> T:
        """See Backend."""
        tries = 0
        while True:
            tries += 1
            stage: _Stage[T] = _Stage()
            try:
                async with asyncio.timeout(self._timeout * 1.25):  # an answer is due in 3 s
                    return await self._once(work, announce, stage)
            except DATABASE_ERRORS as error:
                if ran_out_of_time(error):
                    await self._end_frozen()
                if stage.committing and await self._has_committed(stage.transaction):
                    assert stage.result is not None
                    return stage.result[0]
                if tries > RETRIES or not may_retry(error):
                    raise explain(error) from None

    async def _end_frozen(self) -> None:
        """Somebody kept us waiting: if it is a frozen process, take its locks away, so that the next one gets on."""
        with suppress(Unavailable):
            if ended := await self.read(lambda conn: locks.end_frozen(conn, self._timeout)):
                log.warning("ended sessions of frozen processes", sessions=ended)

    async def _has_committed(self, transaction: str) -> bool:
        """Find out what became of a transaction whose commit was not answered. Raises Unavailable if nobody can say.

        PostgreSQL remembers it, also through a crash:
        https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
        """
        end = asyncio.get_running_loop().time() + FATE_WITHIN
        while transaction and asyncio.get_running_loop().time() < end:
            with suppress(Unavailable):
                fate = await self.read(lambda conn: conn.execute(_FATE, {"transaction": transaction}).scalar())
                if fate in ("committed", "aborted"):
                    log.warning("a commit was not answered", became=fate)
                    return bool(fate == "committed")
            await asyncio.sleep(FATE_PAUSE)
        raise Unavailable("the line was lost in the midst of saving", uncertain=True)

    async def _once(self, work: Callable[[Connection], T], announce: bool, stage: "_Stage[T]") -> T:
        async with self._engine.connect() as conn, conn.begin() as transaction:
            stage.result = (await conn.run_sync(work),)
            if announce:  # once per batch; PostgreSQL delivers it after the commit
                told = await conn.execute(_ANNOUNCE, {"channel": CHANNEL, "name": self._name})
                stage.transaction = told.scalar_one()
            stage.committing = True
            await transaction.commit()
            return stage.result[0]

    async def read(self, work: Callable[[Connection], T]) -> T:
        """See Backend."""
        tries = 0
        while True:
            tries += 1
            try:
                async with self._engine.connect() as conn:
                    # one snapshot for all statements of a query: `verify` compares what several of them read
                    await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                    return await conn.run_sync(work)
            except DATABASE_ERRORS as error:
                if tries > RETRIES or not may_retry(error):
                    raise explain(error) from None

    def watch(self, notice: Notice) -> None:
        """See Backend."""
        self._notices.append(notice)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        if payload != self._name:
            self._tell()

    def _tell(self) -> None:
        for notice in self._notices:
            notice()

    async def _listen(self) -> None:
        """Listen on a connection of our own; when it is lost, connect again and look once, for what was missed."""
        import asyncpg  # the driver's own errors: LISTEN does not go through SQLAlchemy

        wait = 0.1
        while True:
            try:
                async with self._ears.connect() as conn:
                    again = self._listening.is_set()
                    lost = await self._subscribe(conn)
                    self._listening.set()
                    wait = 0.1
                    if again:
                        self._tell()
                    await self._until_lost(conn, lost)
            except (*DATABASE_ERRORS, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("lost the database's notices", error=str(explain(error)))
            await asyncio.sleep(wait)
            wait = min(wait * 2, _RECONNECT_MAX)

    async def _subscribe(self, conn: AsyncConnection) -> asyncio.Event:
        driver: Any = (await conn.get_raw_connection()).driver_connection
        lost = asyncio.Event()
        driver.add_termination_listener(lambda _: lost.set())
        await driver.add_listener(CHANNEL, self._heard)
        return lost

    async def _until_lost(self, conn: AsyncConnection, lost: asyncio.Event) -> None:
        try:
            await lost.wait()
        finally:
            await conn.invalidate()  # it still listens, or is dead: not for the pool


@dataclass(slots=True)
class _Stage(Generic[T]):
    """How far a transaction came, and which one it is: after a lost commit the database is asked whether it holds."""

    result: tuple[T] | None = None
    transaction: str = ""
    committing: bool = False


def open_engine(url: URL, timeout: float, **pool: Any) -> AsyncEngine:
    """Return an engine whose statements and lock waits end after `timeout` seconds."""
    milliseconds = str(int(timeout * 1000))
    return create_async_engine(
        url,
        hide_parameters=True,
        **pool,
        connect_args={
            "timeout": timeout,
            "command_timeout": timeout * 1.25,  # the server's own timeout comes first, unless the line is dead
            "server_settings": {
                "application_name": "tocsin",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                # a frozen process must not keep the others from its locks
                "idle_in_transaction_session_timeout": milliseconds,
                "jit": "off",
            },
        },
    )
