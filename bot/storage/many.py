"""Many rows of one table in one statement, on the hot path: built and compiled once, and then only filled.

SQLAlchemy makes a statement's text and types; what it would do again for each row of each batch costs more than the
database does.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

from bot.storage.budgets import insert_into

Row = Mapping[str, Any]


def insert_many(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same columns."""
    if rows:
        _run(conn, _inserting(table), rows)


def upsert_many(conn: Connection, table: Table, key: str, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same columns; where `key` is there already, replace all other columns."""
    if rows:
        _run(conn, _upserting(conn.dialect.name, table, key, tuple(rows[0])), rows)


@cache
def _inserting(table: Table) -> Any:
    return insert(table)


@cache
def _upserting(dialect: str, table: Table, key: str, columns: tuple[str, ...]) -> Any:
    statement = insert_into(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name != key}
    return statement.on_conflict_do_update(index_elements=[key], set_=others)


def _run(conn: Connection, statement: Any, rows: Sequence[Row]) -> None:
    text, fill = _prepared(statement, conn.dialect, tuple(rows[0]))
    conn.exec_driver_sql(text, [fill(row) for row in rows])


@lru_cache(maxsize=128)  # each open database has a dialect of its own
def _prepared(statement: Any, dialect: Dialect, columns: tuple[str, ...]) -> tuple[str, Callable[[Row], Any]]:
    """Return the statement as the driver takes it, and what makes the driver's parameters of a row."""
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    given = [
        (name, bind.type.dialect_impl(dialect).bind_processor(dialect))
        for name, bind in ((name, compiled.binds[name]) for name in compiled.positiontup or compiled.binds)
    ]
    if compiled.positional:
        return str(compiled), lambda row: tuple(make(row[name]) if make else row[name] for name, make in given)
    return str(compiled), lambda row: {name: make(row[name]) if make else row[name] for name, make in given}
