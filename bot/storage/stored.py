"""Rows as they lie there, whatever somebody made of them: for a check that must name what nothing else can read.

On SQLite any column holds anything: bytes that are no text, a text in place of a number. And what an index says of a
row is a copy, which need not agree with it: so a row is found by an index, and then read where it lies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Table,
    Text,
    bindparam,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError

from bot.storage.columns import UtcTime
from bot.storage.tables import contents

_PLACE: Final[ColumnElement[int]] = literal_column("rowid")


@contextmanager
def verbatim(conn: Connection) -> Iterator[None]:
    """Read texts of any bytes: what is no UTF-8 comes as lone surrogates, which no text of ours has."""
    if conn.dialect.name != "sqlite":
        yield
        return
    driver: Any = conn.connection.driver_connection
    as_ever, driver.text_factory = driver.text_factory, lambda text: text.decode(errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = as_ever


def rows_of(conn: Connection, stream: Table, number: int) -> Iterator[RowMapping]:
    """Return the rows of incident `number` in a stream, in order, each with its words as `content`, `salt`, `body`."""
    return iter(conn.execute(_stream(stream, conn.dialect.name), {"key": number}).mappings())


def row_of(conn: Connection, key: Column[Any], value: object) -> RowMapping | None:
    """Return the row that the table of `key`, its primary key, has for `value`."""
    return conn.execute(_one(key, conn.dialect.name), {"key": value}).mappings().first()


def unsound(row: RowMapping, table: Table) -> str:
    """Return the first column of `table` whose value in `row` is neither the number nor the text that it is for."""
    return next((name for name, kind, nullable in _kinds(table) if not _is_of(kind, nullable, row[name])), "")


def what_broke(error: DBAPIError) -> str:
    """Return why the database cannot read its own file; empty if that is not what is wrong."""
    name: str = getattr(error.orig, "sqlite_errorname", "")
    return f"the database cannot read it ({name})" if name.startswith("SQLITE_CORRUPT") else ""


# Statements are built once: building one costs more than running it.
@cache
def _stream(stream: Table, dialect: str) -> Select[Any]:
    columns = [*_as_stored(stream), contents.c.id.label("content"), contents.c.salt, contents.c.body]
    mine = stream.c.incident == bindparam("key", type_=BigInteger())
    if dialect != "sqlite":
        joined = stream.outerjoin(contents, contents.c.id == stream.c.words)
        return select(*columns).select_from(joined).where(mine).order_by(stream.c.seq)
    found = select(_PLACE.label("place"), stream.c.seq.label("turn")).where(mine).subquery("found")
    known = contents.alias("known")
    joined = (
        found.join(stream, _place(stream) == found.c.place)
        .outerjoin(known, known.c.id == stream.c.words)
        .outerjoin(contents, _place(contents) == literal_column("known.rowid"))
    )
    return select(*columns).select_from(joined).order_by(found.c.turn)


@cache
def _one(key: Column[Any], dialect: str) -> Select[Any]:
    table = key.table
    mine = key == bindparam("key", type_=key.type)
    if dialect != "sqlite":
        return select(*_as_stored(table)).where(mine)
    found = select(_PLACE.label("place")).select_from(table).where(mine).subquery("found")
    return select(*_as_stored(table)).select_from(found.join(table, _place(table) == found.c.place))


def _place(table: Any) -> ColumnElement[Any]:
    return literal_column(f"{table.name}.rowid")


def _as_stored(table: Any) -> list[ColumnElement[Any]]:
    """The columns of `table` without what would be made of them: moments are texts, yes and no are numbers."""
    plain = {UtcTime: Text, Boolean: Integer}
    return [
        type_coerce(one, plain[type(one.type)]).label(one.name) if type(one.type) in plain else one for one in table.c
    ]


@cache
def _kinds(table: Table) -> tuple[tuple[str, type[int | str], bool], ...]:
    numbers = (Integer, Boolean)  # BigInteger is one of the former
    return tuple((one.name, int if isinstance(one.type, numbers) else str, bool(one.nullable)) for one in table.c)


def _is_of(kind: type[int | str], nullable: bool, value: Any) -> bool:
    if value is None:
        return nullable
    if not isinstance(value, kind):
        return False
    return not isinstance(value, str) or value.isascii() or _is_text(value)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
