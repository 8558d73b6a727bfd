"""A process that is frozen in the middle of a transaction keeps its locks: the others take them away."""

import asyncio

import asyncpg
import pytest

from bot.ports.clock import utc_now
from bot.ports.store import Unavailable
from bot.storage import schema
from bot.storage.database import open_database
from bot.storage.locks import LockClass, lock_key
from tests.support.databases import migrate
from tests.support.demo import free_port
from tests.support.postgres import Cluster

pytestmark = pytest.mark.postgres


TOCSIN = {"application_name": "tocsin"}
CLAIM = lock_key(LockClass.CLAIM, "claim")


async def freeze(url: str, settings: dict[str, str], key: int) -> asyncpg.Connection:
    """A session in the middle of a transaction that holds the advisory lock `key`, and says nothing more."""
    frozen = await asyncpg.connect(url, server_settings=settings)
    # in the middle of an executemany the server's own time-outs do not count: here they are off
    await frozen.execute("SET idle_in_transaction_session_timeout = 0")
    await frozen.execute("BEGIN")
    await frozen.execute("SELECT pg_advisory_xact_lock($1)", key)
    return frozen


async def test_a_frozen_process_loses_its_locks_to_the_next_replica(durable: Cluster) -> None:
    url = durable.create(f"frozen_{free_port()}")
    await asyncio.to_thread(migrate, url)
    frozen = await freeze(url, TOCSIN, CLAIM)
    # Neither what another program of the same user locks nor a migration is ours to end, however long it takes.
    others = [await freeze(url, {}, CLAIM + 1), await freeze(url, TOCSIN, schema._LOCK), await freeze(url, TOCSIN, -1)]
    try:
        async with open_database(url, patience=0.3) as database:
            refused = 0
            while refused < 4:
                try:
                    await database.claim("another", 10, utc_now())
                    break
                except Unavailable:
                    refused += 1
        assert 1 <= refused <= 2
        assert frozen.is_closed(), "it cannot commit any more"
        assert [await other.fetchval("SELECT 1") for other in others] == [1, 1, 1]
    finally:
        for session in (frozen, *others):
            session.terminate()
