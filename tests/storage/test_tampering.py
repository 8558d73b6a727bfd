"""Whatever is done by hand to one value of the log, or of what guards it: the row is named, and the others are well.

By default every column is changed in every way, one row a time, in turn. With TAMPER_PARTS=all it is every row, and
every character and byte of it: many minutes.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Table, delete

from bot.domain import commands as c
from bot.domain.events import Redacted
from bot.ports.reader import Fault
from bot.storage import tables
from tests.storage.hands import ALL, TABLES, Row, Shell, ways
from tests.storage.house import BOB, House

STREAMS = {"control": tables.events, "record": tables.records}
NUMBERS = {"incident", "number"}
"""Columns that move a row from one incident to another, which is then at fault, too."""


@pytest.fixture
async def written(house: House) -> House:
    """Two incidents with events and observations; words of the second were erased, the first was decided on last."""
    for number in (1, 2):
        await house.open(f"Störung {number} 🚀", labels={"team": "pay"})
        await house.furnish(number)
        await house.act(number, c.AddNote("The deploy began"), BOB, command_id=f"note{number}")
        for n in range(3):
            await house.observe(number, f"m{n}", f"message {n} – ü")
    await house.redact(2, Redacted(target=1), Redacted(stream="record", target=2))
    await house.act(1, c.Acknowledge())
    assert await house.database.verify() == []
    return house


@pytest.fixture
async def shell(written: House, database_url: str) -> AsyncIterator[Shell]:
    """Opened on the same database."""
    file = database_url.removeprefix("sqlite:///") if database_url.startswith("sqlite") else None
    async with Shell(written, file) as opened:
        yield opened


def in_turn(rows: list[Row], column: str, turns: "count[int]", *, anything_goes: bool) -> Iterable[tuple[Row, Any]]:
    """Return rows and other values of `column`: each way in one row, the next way in the next; or all of them."""
    by_way: dict[str, list[tuple[Row, Any]]] = defaultdict(list)
    for row in rows:
        for name, value in ways(row[column], anything_goes=anything_goes):
            if type(value) is not type(row[column]) or value != row[column]:
                by_way[name].append((row, value))
    for changes in by_way.values():
        yield from changes if ALL else [changes[next(turns) % len(changes)]]


@pytest.mark.timeout(7200 if ALL else 120)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_one_changed_value_is_named_whatever_the_column_and_whatever_it_became(
    written: House, shell: Shell, table: Table
) -> None:
    turns, taken = count(), 0
    rows = await shell.rows(table)
    for column in (one.name for one in table.c):
        for row, value in in_turn(rows, column, turns, anything_goes=shell.anything_goes):
            if not await shell.put(table, row, column, value):
                continue
            taken += 1
            named = wrongly_named(await written.database.verify(), shell, table, row, column)
            assert not named, f"{table.name}.{column}: {row[column]!r} → {value!r}: {named}"
            assert await shell.put(table, {**row, column: value}, column, row[column])
    assert await written.database.verify() == []
    assert taken > 5 * len(table.c)


def wrongly_named(faults: list[Fault], shell: Shell, table: Table, row: Row, column: str) -> list[str]:
    """Return all faults if they are not what a change of `column` in `row` is to be told as."""
    place = shell.place(table, row)
    mine = [(one.incident, one.stream, one.seq) for one in faults if one.incident == place[0]]
    others = {one.incident for one in faults} - {0, place[0]}
    told = [str(one) for one in faults] or ["nothing"]
    if table is tables.counter:
        return [] if faults and not others & {1, 2} else told
    right = len(mine) == 1 if table is tables.incidents else mine == [place]
    return [] if right and (not others or column in NUMBERS) else told


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_tail_that_was_cut_is_named_at_the_first_row_that_is_missing(written: House, stream: str) -> None:
    log = STREAMS[stream]
    last = len(await written.database.events(1)) if stream == "control" else 3
    for left in range(last - 1, -1, -1):
        gone = delete(log).where(log.c.seq > left)
        await written.database._backend.write(lambda conn, gone=gone: conn.execute(gone))  # type: ignore[misc]
        (fault,) = await written.database.verify(1)
        assert (fault.stream, fault.seq) == (stream, left + 1)
