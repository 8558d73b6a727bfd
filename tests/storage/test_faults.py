"""When the database is busy, gone, or comes back."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain import commands as c
from bot.ports.store import Unavailable
from bot.storage import schema
from bot.storage.address import read_address
from bot.storage.watched import FRESH, WatchedWrites
from tests.storage.house import BOB, open_house
from tests.support.demo import free_port
from tests.support.postgres import Cluster
from tests.support.relay import relayed


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A SQLite file with today's schema."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    schema.migrate(url)
    return url


async def test_a_file_that_another_program_locks_is_unavailable_then_works_again(file_url: str) -> None:
    """The caller hears it in time, readers go on, and nothing is half written."""
    async with open_house(file_url, patience=0.1) as house:
        await house.open()
        other = sqlite3.connect(file_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="BUSY"):
            await house.act(1, c.Acknowledge())
        assert len(await house.database.incidents()) == 1
        other.execute("ROLLBACK")
        other.close()
        await house.act(1, c.Acknowledge())
        assert await house.database.verify() == []


async def test_a_file_that_another_program_locks_is_in_trouble_although_it_answers_reads(file_url: str) -> None:
    """Until a change is taken again, and a few seconds longer: one lock may stop only some of them."""
    second = [0.0]
    async with open_house(file_url, patience=0.1) as house:
        house.database._writes = WatchedWrites(house.database._backend, lambda: second[0])
        await house.open()
        assert house.database.trouble == ""
        other = sqlite3.connect(file_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            await house.act(1, c.Acknowledge())
        await house.database.ping()
        second[0] += FRESH + 1
        assert "SQLITE_BUSY" in house.database.trouble
        other.execute("ROLLBACK")
        other.close()
        second[0] -= FRESH
        await house.act(1, c.Acknowledge())
        assert "SQLITE_BUSY" in house.database.trouble
        second[0] += FRESH
        assert house.database.trouble == ""


async def test_a_full_disk_is_unavailable_and_loses_nothing_that_was_said(file_url: str) -> None:
    """SQLite rolls the batch back."""
    async with open_house(file_url) as house:
        await house.open()

        def cap(pages: str) -> None:
            driver = house.database._backend._conn.connection.driver_connection  # type: ignore[attr-defined]
            driver.execute(f"PRAGMA max_page_count = {pages}")

        await house.database._backend._in_writer(lambda: cap("1"))  # type: ignore[attr-defined]
        notes = (house.act(1, c.AddNote(f"{n} " + "words " * 1000)) for n in range(40))
        outcomes = await asyncio.gather(*notes, return_exceptions=True)
        assert "FULL" in str(next(one for one in outcomes if isinstance(one, Unavailable)))
        await house.database._backend._in_writer(lambda: cap("1000000"))  # type: ignore[attr-defined]
        await house.act(1, c.Acknowledge())
        assert await house.database.verify() == []


@pytest.mark.postgres
async def test_cut_connections_are_made_anew_without_a_word_to_the_caller(postgres: Cluster) -> None:
    """Writes, reads and the notices of other replicas go on."""
    url = postgres.create("cut")
    await asyncio.to_thread(schema.migrate, url)
    async with open_house(url) as one, open_house(url) as two:
        await one.open()
        heard = asyncio.Event()
        two.database.on_change(heard.set)
        postgres.cut_sessions("cut")
        await asyncio.wait_for(heard.wait(), 5)  # connected again: something may have been missed
        heard.clear()
        await one.act(1, c.Acknowledge())
        await asyncio.wait_for(heard.wait(), 5)
        assert (await two.database.incident(1)).acknowledged_at is not None  # type: ignore[union-attr]
        assert await two.database.verify() == []


@pytest.mark.postgres
async def test_a_lock_that_is_not_free_in_time_is_unavailable(postgres: Cluster) -> None:
    """Somebody's session holds the counter."""
    url = postgres.create("locked")
    await asyncio.to_thread(schema.migrate, url)
    engine = create_async_engine(read_address(url))
    async with open_house(url, patience=0.2) as house, engine.connect() as other:
        await other.execute(text("SELECT * FROM counter FOR UPDATE"))
        with pytest.raises(Unavailable, match="in time"):
            await house.open()
        await other.rollback()
        assert await house.open() == 1
    await engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(("faults", "calls", "saved"), [(2, 3, True), (3, 4, True), (9, 4, False)])
async def test_a_deadlock_is_tried_again_three_times(postgres: Cluster, faults: int, calls: int, saved: bool) -> None:
    """With everything loaded anew; then the caller hears that it was not saved."""
    url = postgres.create(f"deadlock{faults}")
    await asyncio.to_thread(schema.migrate, url)
    seen = []

    def work(conn: Connection) -> None:
        seen.append(1)
        conn.execute(text("UPDATE counter SET value = value + 1"))
        if len(seen) <= faults:
            conn.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"))

    async with open_house(url) as house:
        outcomes = await asyncio.gather(house.database._backend.write(work), return_exceptions=True)
        assert isinstance(outcomes[0], Unavailable) is not saved
        assert len(seen) == calls
        assert await house.open() == (2 if saved else 1)


def fresh(cluster: Cluster) -> str:
    """Return the address of a new database with today's schema."""
    url = cluster.create(f"faults_{free_port()}")
    schema.migrate(url)
    return url


@pytest.mark.postgres
@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_commit_whose_answer_is_lost_is_answered_as_it_was(
    postgres: Cluster, cut: Literal["before", "after"]
) -> None:
    """What holds is answered as done, and what does not is done again: either way once, and truthfully."""
    async with relayed(await asyncio.to_thread(fresh, postgres)) as (url, relay), open_house(url) as house:
        await house.open()
        relay.cut = cut
        assert (await house.act(1, c.AddNote("the deploy began at noon"), BOB)).kind == "note_added"
        assert relay.cut is None
        relay.cut = cut
        assert await house.open("Search is slow") == 2
        assert relay.cut is None
        log = await house.database.events(1)
        assert [item.event.type for item in log].count("note_added") == 1
        assert len(await house.database.incidents()) == 2
        assert await house.database.verify() == []


@pytest.mark.postgres
async def test_while_nobody_can_say_whether_a_commit_holds_it_is_not_called_unsaved(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is lost, and the database stays away."""
    monkeypatch.setattr("bot.storage.postgres.FATE_WITHIN", 0.5)
    async with (
        relayed(await asyncio.to_thread(fresh, postgres)) as (url, relay),
        open_house(url, patience=0.2) as house,
    ):
        await house.open()
        relay.cut, relay.away = "after", True
        with pytest.raises(Unavailable) as caught:
            await house.act(1, c.AddNote("the deploy began at noon"), BOB)
        assert caught.value.uncertain
        relay.away = False
        assert (await house.act(1, c.AddNote("the deploy began at noon"), BOB)).kind == "said_before"
