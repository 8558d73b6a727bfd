"""What somebody with a shell on the database can do to one value, and where the row that it is in belongs."""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, Self

from sqlalchemy import Boolean, Column, Integer, Table, literal_column, select, sql, text

from bot.ports.store import Conflict
from bot.storage import tables
from tests.storage.house import House

ALL: Final = os.environ.get("TAMPER_PARTS") == "all"
TABLES: Final = (
    tables.events, tables.records, tables.contents, tables.record_heads, tables.incidents, tables.counter,
)  # fmt: skip
"""What the proof is about."""
Row = dict[str, Any]
Place = tuple[int, str, int]


class Bytes(bytes):
    """Bytes that stand in a column as text, whether they are one or not."""


def ways(value: Any, *, anything_goes: bool) -> Iterator[tuple[str, Any]]:
    """Return in which ways `value` becomes another one: what that is called, and the other value.

    `anything_goes`: any column takes any bytes, as on SQLite.
    """
    yield "nothing", None
    if isinstance(value, bool):
        yield "the opposite", not value
    elif isinstance(value, int):
        yield from (("one more", value + 1), ("far more", value + 100), ("huge", value + 2**30), ("below", -1 - value))
        if anything_goes:
            yield from (("a text", f"{value}x"), ("a fraction", value + 0.5), ("bytes", b"7"), ("beyond", 2**62))
    elif value is None:
        yield "something", "x"
    else:
        yield from _texts(value)
        if anything_goes:
            yield from _bytes(value.encode())


def _texts(value: str) -> Iterator[tuple[str, str]]:
    yield from (("a blank before", f" {value}"), ("a blank behind", f"{value} "), ("capitals", value.swapcase()))
    yield from (("empty", ""), ("cut", value[:-1]))
    for at in _places(len(value)):
        before, one, after = value[:at], value[at], value[at + 1 :]
        yield from (("another case", before + one.swapcase() + after), ("another letter", f"{before}é{after}"))
        yield "a neighbour", before + chr(ord(one) ^ 1) + after


def _bytes(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield from (("the same as bytes", value), ("a zero byte", Bytes(value[:1] + b"\0" + value[2:])))
    for at in _places(len(value)):
        for bit in (0x80, 0x20, 0x01):
            yield f"bit {bit:#x}", Bytes(value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :])


def _places(length: int) -> list[int]:
    return list(range(length)) if ALL else sorted({0, length // 3, length - 1} & set(range(length)))


class Shell:
    """A shell on the database. What columns may hold is no obstacle: who can write can also alter a table."""

    def __init__(self, house: House, file: str | None) -> None:
        self._house = house
        self._file = sqlite3.connect(file, isolation_level=None) if file else None
        self.anything_goes = file is not None
        self._owners: dict[str, Place] = {}
        self._ends: dict[int, int] = defaultdict(int)

    async def __aenter__(self) -> Self:
        if self._file is None:
            for column in (one for table in TABLES for one in table.c if not (one.nullable or one.primary_key)):
                await self.run(f"ALTER TABLE {column.table.name} ALTER COLUMN {column.name} DROP NOT NULL")
        else:
            self._allow_nothing(self._file)
        for stream, table in (("control", tables.events), ("record", tables.records)):
            for row in await self.rows(table):
                self._owners[row["words"]] = (row["incident"], stream, row["seq"])
                if stream == "record":
                    self._ends[row["incident"]] = row["seq"]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _allow_nothing(self, file: sqlite3.Connection) -> None:
        """Take NOT NULL out of the schema, which SQLite offers no statement for."""
        names = ", ".join(f"'{table.name}'" for table in TABLES)
        version = file.execute("PRAGMA schema_version").fetchone()[0]
        file.execute("PRAGMA synchronous = OFF")
        file.execute("PRAGMA writable_schema = ON")
        file.execute(f"UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name IN ({names})")
        file.execute(f"PRAGMA schema_version = {version + 1}")
        file.execute("PRAGMA writable_schema = OFF")

    async def run(self, statement: str, **values: Any) -> None:
        """Run one statement. Raises IntegrityError or Conflict where the database does not take it."""
        if self._file is not None:
            self._file.execute(statement, values)
        else:
            await self._house.database._backend.write(lambda conn: conn.execute(text(statement), values))

    async def rows(self, table: Table) -> list[Row]:
        """Return the rows of `table` as they are stored: a moment is a text."""
        place = [literal_column("rowid").label("rowid")] if self._file is not None else []
        plain = sql.table(table.name, *(sql.column(one.name) for one in table.c))
        keys = [plain.c[one.name] for one in table.primary_key]
        query = select(*place, plain).order_by(*keys)
        found = await self._house.database._backend.read(lambda conn: conn.execute(query).mappings().all())
        return [dict(row) for row in found]

    async def put(self, table: Table, row: Row, column: str, value: Any) -> bool:
        """Put `value` into a column of `row`, which is as it says; False if the database does not take it."""
        if self._file is not None:
            taken = "CAST(:value AS TEXT)" if isinstance(value, Bytes) else ":value"
            where, key = "rowid = :rowid", {"rowid": row["rowid"]}
        else:
            taken = f"CAST(:value AS {_kind(table.c[column])})"
            where = " AND ".join(f"{one.name} = CAST(:key_{one.name} AS {_kind(one)})" for one in table.primary_key)
            key = {f"key_{one.name}": row[one.name] for one in table.primary_key}
        try:
            await self.run(f"UPDATE {table.name} SET {column} = {taken} WHERE {where}", value=value, **key)
        except (sqlite3.IntegrityError, Conflict):
            return False
        return True

    def place(self, table: Table, row: Row) -> Place:
        """Return where a fault of `row` is to be named."""
        match table.name:
            case "events":
                return row["incident"], "control", row["seq"]
            case "records":
                return row["incident"], "record", row["seq"]
            case "contents":
                return self._owners[row["id"]]
            case "record_heads":
                return row["incident"], "record", self._ends[row["incident"]] + 1
            case "incidents":
                return row["number"], "snapshot", 0
        return 0, "counter", 0


def _kind(column: Column[Any]) -> str:
    if isinstance(column.type, Boolean):
        return "BOOLEAN"
    return "BIGINT" if isinstance(column.type, Integer) else "TEXT"
