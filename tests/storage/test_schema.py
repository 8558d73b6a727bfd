"""Migrations: up, down with data, and equal to what the code expects."""

import asyncio
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.commands import Acknowledge
from bot.ports.store import Unavailable
from bot.storage import schema
from bot.storage.address import BadAddress, read_address
from bot.storage.tables import metadata
from tests.storage.house import House, open_house
from tests.support.databases import Databases


def shape(conn: Connection) -> dict[str, Any]:
    """Return every table with its columns, keys and indexes, as the database tells them."""
    look = inspect(conn)
    if conn.dialect.name == "postgresql":
        rows = conn.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
        indexes = {row[0]: row[1] for row in rows}
    else:
        rows = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))
        indexes = {row[0]: row[1] for row in rows}
    indexes = {name: sql for name, sql in indexes.items() if "alembic" not in name}
    tables = {}
    for table in sorted(set(look.get_table_names()) - {"alembic_version"}):
        columns = [
            (one["name"], str(one["type"]), one["nullable"], getattr(one["type"], "collation", None))
            for one in look.get_columns(table)
        ]
        tables[table] = (columns, look.get_pk_constraint(table)["constrained_columns"])
    return {"tables": tables, "indexes": indexes}


def look(url: str, make: bool = False) -> dict[str, Any]:
    """Return the shape of the database at `url`, made from the metadata first if asked."""

    def run(conn: Connection) -> dict[str, Any]:
        if make:
            metadata.create_all(conn)
        return shape(conn)

    return schema._run(url, run)


def test_the_migrated_schema_is_the_one_the_code_expects(databases: Databases) -> None:
    """Column by column, index by index."""
    migrated, made = databases.migrated(), databases.empty()
    try:
        have, want = look(migrated), look(made, make=True)
        assert have["indexes"] == want["indexes"]
        for name, table in want["tables"].items():
            for mine, theirs in zip(have["tables"][name][0], table[0], strict=True):
                assert mine == theirs
            assert have["tables"][name] == table
        assert have["tables"].keys() == want["tables"].keys()
    finally:
        databases.drop(migrated)
        databases.drop(made)


def test_up_and_down_with_data(empty_database_url: str) -> None:
    """Down leaves nothing, up again starts anew; a repeat changes nothing."""

    async def use() -> None:
        async with open_house(empty_database_url) as house:
            assert await house.open() == 1
            await house.furnish(1)
            await house.observe(1, "m1")

    assert schema.current(empty_database_url) is None
    assert not schema.is_current(empty_database_url)
    for _ in range(2):
        schema.migrate(empty_database_url)
        schema.migrate(empty_database_url)
        assert schema.is_current(empty_database_url)
        asyncio.run(use())
        schema.migrate(empty_database_url, "base")
        assert schema.current(empty_database_url) is None
        assert look(empty_database_url)["tables"] == {}


def test_an_unknown_revision_is_named(empty_database_url: str) -> None:
    """And nothing happens."""
    with pytest.raises(ValueError, match="'0999'"):
        schema.migrate(empty_database_url, "0999")
    assert schema.current(empty_database_url) is None


def test_the_newest_revision_is_the_one_the_migrations_lead_to() -> None:
    """The constant saves a start from loading Alembic; the numbers rise, so that older and newer can be told apart."""
    script = ScriptDirectory.from_config(schema._config())
    known = [one.revision for one in script.iterate_revisions("head", "base")][::-1]
    assert known == [f"{n:04}" for n in range(1, len(known) + 1)]
    assert known[-1] == schema.NEWEST


def note(url: str, revision: str) -> None:
    """Pretend that the schema is at `revision`."""
    schema._run(url, lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision}))


def test_old_code_runs_on_a_newer_schema_and_leaves_it_alone(empty_database_url: str) -> None:
    """During a rolling upgrade an old replica may restart; but it cannot take back what it does not know."""
    schema.migrate(empty_database_url)
    note(empty_database_url, "0999")
    assert schema.is_current(empty_database_url)
    schema.migrate(empty_database_url)
    assert schema.current(empty_database_url) == "0999"
    with pytest.raises(ValueError, match="at 0999, which this version does not know"):
        schema.migrate(empty_database_url, "base")
    assert schema.current(empty_database_url) == "0999"


@pytest.mark.parametrize("revision", ["0000", "9e2f4a1b3c5d"])
def test_an_older_or_a_strange_schema_is_refused(empty_database_url: str, revision: str) -> None:
    """`serve` then names `tocsin migrate`."""
    schema.migrate(empty_database_url)
    note(empty_database_url, revision)
    assert not schema.is_current(empty_database_url)
    with pytest.raises(ValueError, match=revision):
        schema.migrate(empty_database_url)


@pytest.mark.parametrize("url", ["mysql://root:s3cret@db/x", "s3cret", "", "sqlite", "http://a:s3cret@b"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(BadAddress) as caught:
        read_address(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "driver"),
    [("sqlite:///x.db", "sqlite+pysqlite"), ("sqlite+aiosqlite:///x.db", "sqlite+pysqlite"),
     ("postgresql://u@h/d", "postgresql+asyncpg"), ("postgresql+psycopg2://u@h/d", "postgresql+asyncpg"),
     ("postgres://u@h/d?sslmode=require", "postgresql+asyncpg")],
)  # fmt: skip
def test_the_driver_is_ours_whatever_the_address_says(url: str, driver: str) -> None:
    """A `+driver` part is ignored."""
    parsed = read_address(url)
    assert parsed.drivername == driver
    assert "sslmode" not in parsed.query
    if driver.startswith("postgresql"):
        create_async_engine(parsed)


async def test_a_server_that_is_not_there_is_unavailable_and_keeps_its_password() -> None:
    """The door says 503; the log says why, and no more."""
    with pytest.raises(Unavailable) as caught:
        async with open_house("postgresql://tocsin:s3cret@127.0.0.1:1/x"):
            pass
    assert "s3cret" not in repr(caught.value)


async def test_a_folder_that_is_not_there_is_unavailable() -> None:
    """SQLite cannot open its file."""
    with pytest.raises(Unavailable):
        async with open_house("sqlite:////nonexistent/folder/x.db"):
            pass


async def test_a_database_in_memory_has_its_schema() -> None:
    """For tests: nothing is written to disk."""
    async with open_house("sqlite:///:memory:") as house:
        assert await house.open() == 1
        assert await house.database.verify() == []


def test_incidents_of_the_version_before_know_how_far_their_record_is(empty_database_url: str) -> None:
    """Up fills it in; down takes it away again and leaves streams and heads as they are."""
    url = empty_database_url
    schema.migrate(url)

    async def write() -> None:
        async with open_house(url) as house:
            await house.open()
            for n in range(3):
                await house.observe(1, f"m{n}")

    async def verify(*, cut: bool = False) -> list[str]:
        async with open_house(url) as house:
            if cut:
                await house.database._backend.write(lambda conn: conn.execute(text("DELETE FROM records")))
                await house.database._backend.write(lambda conn: conn.execute(text("DELETE FROM record_heads")))
            return [f"{one.stream} {one.seq}" for one in await house.database.verify() if one.incident]

    asyncio.run(write())
    schema.migrate(url, "0009")
    assert not {"record_seq", "record_hash"} & {name for name, *_ in look(url)["tables"]["incidents"][0]}
    schema.migrate(url)
    assert asyncio.run(verify()) == []
    assert asyncio.run(verify(cut=True)) == ["record 1"]


def test_code_before_the_records_were_anchored_writes_into_the_new_schema(empty_database_url: str) -> None:
    """It names the columns it knows; what it leaves out says nothing wrong, and the next change sets it right."""
    url = empty_database_url
    schema.migrate(url)
    later = ("record_seq", "record_hash")
    before = ", ".join(one.name for one in metadata.tables["incidents"].c if one.name not in later)

    async def use() -> None:
        async with open_house(url) as house:
            await house.open()
            await house.observe(1, "m1")
            as_it_did = (
                f"CREATE TABLE kept AS SELECT {before} FROM incidents", "DELETE FROM incidents",
                f"INSERT INTO incidents ({before}) SELECT {before} FROM kept", "DROP TABLE kept",
            )  # fmt: skip
            for statement in as_it_did:
                await house.database._backend.write(lambda conn, one=statement: conn.execute(text(one)))
            assert await house.database.verify() == []
            assert await known(house) == 0
            await house.act(1, Acknowledge())
            assert await known(house) == 1
            assert await house.database.verify() == []

    async def known(house: House) -> int:
        read = text("SELECT record_seq FROM incidents")
        return await house.database._backend.read(lambda conn: conn.execute(read).scalar_one())

    asyncio.run(use())
