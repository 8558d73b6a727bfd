"""Prepared statements mean the same as SQLAlchemy's own, on both databases."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, bindparam, func, select, update

from bot.domain import commands as c
from bot.ports.store import Conflict, Unavailable
from bot.storage import load, schema, tables, wakes
from bot.storage.budgets import levels
from bot.storage.columns import UtcTime
from bot.storage.prepared import rows, run
from bot.storage.snapshots import snapshots_named
from tests.storage.house import START, House, open_house


def statements() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Statements of every kind: keys, pairs, times, truth, nulls, joins, aggregates, values of their own."""
    yield load._incidents(), {"named": [1, 2, 7]}
    yield load._recent(), {"named": ["U0001"], "since": START - timedelta(minutes=1)}
    yield load._armed(), {"named": [1, 2]}
    yield load._entry_keys(), {"named": [(1, "k1"), (2, "none")]}
    yield load._last_number(locked=False), {}
    yield levels(), {"named": ["conversations.create"], "second": START.timestamp()}
    yield snapshots_named(), {"named": []}
    yield wakes._due(), {"now": START + timedelta(days=1), "most": 3}
    yield wakes._starved(), {"now": START + timedelta(days=1)}
    t = tables.incidents.c
    yield select(t.active, t.private, t.acknowledged_at, t.declared_at).order_by(t.number), {}
    yield select(func.count(), func.max(t.declared_at), func.min(t.acknowledged_at)), {}
    yield (
        select(t.number).where(t.title == "Checkout is down", t.declared_at <= bindparam("until", type_=UtcTime())),
        {"until": START},
    )
    yield select(tables.events).order_by(tables.events.c.incident, tables.events.c.seq), {}


async def test_what_it_reads_is_what_sqlalchemy_reads(house: House) -> None:
    await house.open()
    await house.observe(1, "k1")
    await house.act(await house.open("Search is down", private=True), c.Acknowledge())

    def compare(conn: Connection) -> int:
        found = 0
        for statement, values in statements():
            expected = conn.execute(statement, values).all()
            assert [tuple(row) for row in rows(conn, statement, values)] == [tuple(row) for row in expected]
            assert [row._asdict() for row in rows(conn, statement, values)] == [
                dict(zip(row._fields, one, strict=True))
                for row, one in zip(rows(conn, statement, values), expected, strict=True)
            ]
            found += len(expected)
        return found

    assert await house.database._backend.read(compare) > 20


async def test_a_row_has_its_columns_by_name_and_its_times_are_times(house: House) -> None:
    await house.open()
    (row,) = await house.database._backend.read(
        lambda conn: rows(conn, select(tables.incidents).where(tables.incidents.c.number == 1))
    )
    assert (row.number, row.active, row.private, row.declared_at) == (1, True, False, START)


async def test_a_change_is_run_for_all_its_values_and_tells_what_it_returns(house: House) -> None:
    for title in ("one", "two", "three"):
        await house.open(title)
    t = tables.incidents.c
    change = update(tables.incidents).where(t.number == bindparam("which")).values(title=bindparam("called"))

    def work(conn: Connection) -> list[Any]:
        run(conn, change, [{"which": 1, "called": "eins"}, {"which": 3, "called": "drei"}])
        run(conn, change, [])
        return rows(conn, change.returning(t.number, t.title, t.declared_at), {"which": 2, "called": "zwei"})

    (back,) = await house.database._backend.write(work)
    assert tuple(back) == (2, "zwei", START)
    titles = await house.database._backend.read(lambda conn: rows(conn, select(t.title).order_by(t.number)))
    assert [row.title for row in titles] == ["eins", "zwei", "drei"]


async def test_a_statement_whose_text_varies_with_its_values_is_refused(house: House) -> None:
    varying = select(tables.incidents.c.number).where(tables.incidents.c.number.in_([1, 2]))
    with pytest.raises(TypeError, match="varies"):
        await house.database._backend.read(lambda conn: rows(conn, varying))


async def test_a_constraint_that_is_hit_is_a_conflict_and_nothing_stays(house: House) -> None:
    await house.open()
    copy = tables.counter.insert()

    def work(conn: Connection) -> None:
        run(conn, copy, [{"name": "another", "value": 1}])
        run(conn, copy, [{"name": "another", "value": 2}])

    with pytest.raises(Conflict, match="constraint"):
        await house.database._backend.write(work)
    names = await house.database._backend.read(lambda conn: rows(conn, select(tables.counter.c.name)))
    assert [row.name for row in names] == ["incident"]
    assert await house.open("still works") == 2


async def test_a_table_that_is_not_there_is_told_as_an_old_schema(house: House) -> None:
    gone = Table("gone", MetaData(), Column("x", Text))
    with pytest.raises(Unavailable, match="tocsin migrate"):
        await house.database._backend.read(lambda conn: rows(conn, select(gone)))


async def test_all_that_one_read_of_sqlite_sees_is_of_one_moment(tmp_path: Path) -> None:
    """Another process commits between two of its statements."""
    url = f"sqlite:///{tmp_path / 'one.db'}"
    schema.migrate(url)
    count = select(func.count()).select_from(tables.counter)

    def look(conn: Connection) -> list[int]:
        before = rows(conn, count)[0][0]
        with closing(sqlite3.connect(tmp_path / "one.db", isolation_level=None)) as other:
            other.execute("INSERT INTO counter VALUES ('another', 1)")
        return [before, rows(conn, count)[0][0]]

    async with open_house(url) as house:
        assert await house.database._backend.read(look) == [1, 1]
        assert (await house.database._backend.read(lambda conn: rows(conn, count)))[0][0] == 2
