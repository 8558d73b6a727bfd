"""The ground under the other tests holds: databases, the network guard."""

import asyncio
import sqlite3
import time
import urllib.request

import asyncpg
import pytest

from tests.support import network
from tests.support.postgres import Cluster


async def test_a_fresh_database_is_empty_and_takes_writes(empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite:///"):
        with sqlite3.connect(empty_database_url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("select count(*) from sqlite_master").fetchone() == (0,)
        connection.close()
        return
    session = await asyncpg.connect(empty_database_url)
    try:
        assert (
            await session.fetchval("select count(*) from information_schema.tables where table_schema = 'public'") == 0
        )
        await session.execute("create table t (n int); insert into t values (1)")
    finally:
        await session.close()


def test_a_crashed_cluster_keeps_its_port_and_what_was_committed() -> None:
    with Cluster(durable=True) as cluster:
        url = cluster.create("kept")
        cluster.sql("create table t (n int); insert into t values (7)", "kept")
        cluster.stop_immediate()
        assert not cluster.running
        cluster.start()
        assert cluster.url("kept") == url
        assert cluster.sql("select n from t", "kept") == "7"
        cluster.stop()
    assert not cluster.folder.exists()


async def test_a_paused_cluster_answers_only_after_resume(postgres: Cluster) -> None:
    session = await asyncpg.connect(postgres.url())
    try:
        postgres.pause()
        question = asyncio.ensure_future(session.fetchval("select 1"))
        done, _ = await asyncio.wait([question], timeout=0.3)
        assert not done
        postgres.resume()
        assert await question == 1
    finally:
        postgres.resume()
        await session.close()


def test_the_network_beyond_this_machine_is_refused() -> None:
    with pytest.raises(network.NetworkForbidden):
        urllib.request.urlopen("http://192.0.2.1/", timeout=1)
    assert network.attempts
    network.attempts.clear()


def test_local_time_is_not_utc_here() -> None:
    assert time.timezone != 0
