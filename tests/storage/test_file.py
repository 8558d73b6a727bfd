"""One byte changed in SQLite's own file, where no shell would let it: the row it is in is named, and nothing breaks.

By default one byte of each place where a text of the log stands; TAMPER_PARTS=all: every byte of each, many minutes.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path

import pytest
from sqlalchemy import NullPool

from bot.domain import commands as c
from bot.ports.reader import Fault
from bot.ports.store import Unavailable
from bot.storage import census, integrity, schema, sqlite
from bot.storage.address import read_address
from tests.storage.hands import ALL, TABLES
from tests.storage.house import BOB, open_house

Dump = dict[tuple[str, int], tuple[object, ...]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with two incidents, without anything in it that is no longer so."""
    path = tmp_path / "tocsin.db"
    schema.migrate(f"sqlite:///{path}")

    async def write() -> None:
        async with open_house(f"sqlite:///{path}") as house:
            for number in (1, 2):
                await house.open(f"Störung {number}")
                await house.furnish(number)
                await house.observe(number, f"m{number}", f"It is the database, {number}")
                await house.act(number, c.AddNote(f"The deploy began {number}"), BOB)

    asyncio.run(write())
    tidy = sqlite3.connect(path, isolation_level=None)
    tidy.execute("PRAGMA journal_mode = DELETE")
    tidy.execute("VACUUM")
    tidy.close()
    return path


def verify(path: Path) -> list[Fault]:
    """Verify as a process does that has just opened the file."""
    engine = sqlite.engine(read_address(f"sqlite:///{path}"), "BEGIN", ("query_only = ON",), poolclass=NullPool)
    with engine.connect() as conn:
        numbers, others = census.take(conn)
        found = [integrity.verify(conn, number) for number in numbers]
    return [one for one in found if one] + others


def rows(path: Path) -> Dump:
    """Return what lies in the tables, whatever their indexes say."""
    found: Dump = {}
    reader = sqlite3.connect(path)
    reader.text_factory = bytes
    for table in TABLES:
        for row in reader.execute(f"SELECT rowid, * FROM {table.name} NOT INDEXED"):
            found[table.name, row[0]] = row[1:]
    reader.close()
    return found


def agree(path: Path) -> bool:
    """True if all indexes say what their tables do."""
    reader = sqlite3.connect(path)
    found = reader.execute("PRAGMA integrity_check").fetchall()
    reader.close()
    return found == [("ok",)]


def texts(before: Dump) -> set[bytes]:
    """Return what is long enough to be found in the file, and to be nothing else."""
    return {value for row in before.values() for value in row if isinstance(value, bytes) and len(value) > 12}


def places(data: bytes, wanted: set[bytes]) -> Iterator[int]:
    """Return positions in the file: one of each place where one of the texts stands, here and there in it; or all."""
    turns = count()
    for one in sorted(wanted):
        at = data.find(one)
        while at >= 0:
            yield from range(at, at + len(one)) if ALL else [at + next(turns) * 7 % len(one)]
            at = data.find(one, at + 1)


def where(before: Dump, table: str, row: tuple[object, ...]) -> tuple[int, str, int]:
    """Return what is named for a changed row."""
    if table in ("events", "records"):
        return int(str(row[0])), "control" if table == "events" else "record", int(str(row[1]))
    if table == "contents":
        owners = ((name, other) for (name, _), other in before.items() if name in ("events", "records"))
        return next(where(before, name, other) for name, other in owners if row[0] in other)
    if table == "record_heads":
        return int(str(row[0])), "record", int(str(row[1])) + 1
    return int(str(row[0])), "", 0


@pytest.mark.timeout(7200 if ALL else 120)
def test_one_changed_byte_of_a_text_is_named_whether_it_stands_in_the_table_or_in_an_index(file: Path) -> None:
    """An index is a copy: where it alone was changed, or alone was not, the two disagree."""
    before, data = rows(file), file.read_bytes()
    assert verify(file) == []
    tried = 0
    for at, bit in zip(places(data, texts(before)), cycle((0x80, 0x01, 0x20)), strict=False):
        file.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        after = rows(file)
        changed = [key for key in before if before[key] != after.get(key)]
        if not changed and agree(file):
            continue  # it stands in the queue, say, where anything may be
        faults = verify(file)
        assert faults, f"byte {at} ^ {bit:#x}: nothing is named; rows {changed}"
        for table, place in changed:
            number, stream, seq = where(before, table, before[table, place])
            mine = [one for one in faults if one.incident == number]
            assert len(mine) == 1, (table, place, faults)
            assert not stream or (mine[0].stream, mine[0].seq) == (stream, seq), (table, place, faults)
        tried += 1
    file.write_bytes(data)
    assert verify(file) == []
    assert tried > 100


def test_a_page_that_is_no_page_is_named_and_the_other_incidents_are_still_verified(file: Path) -> None:
    """What the database cannot read is told like a row that was changed; the report does not end there."""
    data = file.read_bytes()
    size = int.from_bytes(data[16:18], "big")
    finder = sqlite3.connect(file)
    root = finder.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()[0]
    finder.execute("UPDATE incidents SET title = 'Calm' WHERE number = 2")
    finder.commit()
    finder.close()
    with file.open("r+b") as open_file:
        open_file.seek((root - 1) * size)
        open_file.write(b"\xff" * 8)
    told = [str(one) for one in verify(file)]
    assert "INC-1: record entry 1: the database cannot read it (SQLITE_CORRUPT)" in told
    assert any(one.startswith("INC-2: ") for one in told)
    assert any(one.startswith("file: ") for one in told)


def test_a_schema_that_is_no_text_is_a_database_that_cannot_be_used_and_not_a_surprise(file: Path) -> None:
    """SQLite's own message about it quotes bytes that are no text."""
    data = file.read_bytes()
    at = data.index(b"NOT NULL", data.index(b"CREATE TABLE incidents"))
    file.write_bytes(data[: at + 5] + b"\xd5" + data[at + 6 :])
    with pytest.raises(Unavailable, match="damaged"):
        schema.is_current(f"sqlite:///{file}")
