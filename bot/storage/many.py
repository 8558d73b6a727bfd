"""Many rows of one table in one statement, on the hot path."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, insert

from bot.storage.budgets import insert_into
from bot.storage.prepared import run

Row = Mapping[str, Any]


def insert_many(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same columns."""
    run(conn, _inserting(table), rows)


def upsert_many(conn: Connection, table: Table, key: str, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same columns; where `key` is there already, replace all other columns."""
    if rows:
        run(conn, _upserting(conn.dialect.name, table, key, tuple(rows[0])), rows)


@cache
def _inserting(table: Table) -> Any:
    return insert(table)


@cache
def _upserting(dialect: str, table: Table, key: str, columns: tuple[str, ...]) -> Any:
    statement = insert_into(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name != key}
    return statement.on_conflict_do_update(index_elements=[key], set_=others)
