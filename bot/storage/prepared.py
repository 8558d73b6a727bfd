"""Statements of the hot path: compiled once, and then only filled, run and read.

SQLAlchemy makes a statement's text, and knows what its types mean on each database. What it would do for every run –
find the compiled statement, make a context, a result, rows that know their columns – takes ten times as long as SQLite.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Dialect

Values = Mapping[str, Any]
_NONE: Final[Values] = MappingProxyType({})


def rows(conn: Connection, statement: Any, values: Values = _NONE) -> list[Any]:
    """Run what returns rows: a SELECT, or a change with RETURNING. A row has its columns by name, and in their order.

    On SQLite `conn` must be in a transaction already; what the driver raises comes as it is.
    """
    ready = _prepared(statement, conn.dialect, tuple(values))
    driver = _sqlite(conn)
    if driver is not None:
        cursor: Any = driver.execute(ready.text, ready.fill(values))
        return ready.read(cursor.fetchall(), cursor.description)
    result = conn.exec_driver_sql(ready.text, ready.fill(values))
    description = result.cursor.description  # gone with the last row
    return ready.read(result.all(), description)


def run(conn: Connection, statement: Any, several: Sequence[Values]) -> None:
    """Run a change once for each of `several`, which all name the same values."""
    if not several:
        return
    ready = _prepared(statement, conn.dialect, tuple(several[0]))
    filled = [ready.fill(values) for values in several]
    driver = _sqlite(conn)
    if driver is not None:
        driver.executemany(ready.text, filled)
    else:
        conn.exec_driver_sql(ready.text, filled)


def _sqlite(conn: Connection) -> sqlite3.Connection | None:
    driver = conn.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


class _Prepared:
    def __init__(self, statement: Any, dialect: Dialect, names: tuple[str, ...]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        self.text = str(compiled)
        """As the driver takes it."""
        if "POSTCOMPILE" in self.text:
            raise TypeError(f"its text varies with its values: {self.text}")
        self.fill = _filling(compiled, dialect, names)
        """Makes the driver's parameters of values."""
        self._statement = statement
        self._dialect = dialect
        self._reading: Callable[[Iterable[Any]], list[Any]] | None = None

    def read(self, found: Iterable[Any], description: Any) -> list[Any]:
        """Make rows of the driver's. What it says of the columns, it says of them every time."""
        if self._reading is None:
            kinds = [column[1] for column in description]
            self._reading = _reading(list(self._statement.exported_columns), kinds, self._dialect)
        return self._reading(found)


@lru_cache(maxsize=512)  # each open database has a dialect of its own
def _prepared(statement: Any, dialect: Dialect, names: tuple[str, ...]) -> _Prepared:
    return _Prepared(statement, dialect, names)


def _filling(compiled: Any, dialect: Dialect, names: tuple[str, ...]) -> Callable[[Values], tuple[Any, ...]]:
    places: list[tuple[str, Callable[[Any], Any] | None, Any]] = []
    for name in compiled.positiontup:
        bind = compiled.binds[name]
        make = bind.type.dialect_impl(dialect).bind_processor(dialect)
        given = bind.key in names
        own = None if given else bind.effective_value
        places.append((bind.key if given else "", make, make(own) if make and not given else own))

    def fill(values: Values) -> tuple[Any, ...]:
        return tuple([own if not name else make(values[name]) if make else values[name] for name, make, own in places])

    return fill


def _reading(columns: Sequence[Any], kinds: Sequence[Any], dialect: Dialect) -> Callable[[Iterable[Any]], list[Any]]:
    makes = [
        column.type.dialect_impl(dialect).result_processor(dialect, kind)
        for column, kind in zip(columns, kinds, strict=True)
    ]
    names = [column.key for column in columns]
    row: Any = namedtuple("row", names, rename=True)  # type: ignore[misc]  # they are known only here
    if not any(makes):
        return lambda found: [row._make(one) for one in found]
    return lambda found: [
        row._make([make(value) if make else value for make, value in zip(makes, one, strict=True)]) for one in found
    ]
