"""Every change made behind our back is found, and named."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Table, delete, insert, select, update

from bot.domain import commands as c
from bot.ports.reader import Fault
from bot.storage import tables
from tests.storage.house import BOB, START, House


async def fault(house: House) -> Fault:
    """Return the one fault that there is."""
    (found,) = await house.database.verify()
    assert found == (await house.database.verify(found.incident))[0]
    return found


async def tamper(house: House, *statements: object) -> None:
    """Change rows as somebody with a database shell would."""
    for statement in statements:
        await house.database._backend.write(lambda conn, one=statement: conn.execute(one))  # type: ignore[misc]


@pytest.fixture
async def written(house: House) -> House:
    """Two incidents with a few events and observations each."""
    for number in (1, 2):
        await house.open(f"Outage {number}")
        await house.furnish(number)
        await house.act(number, c.AddNote("The deploy began"), BOB)
        for n in range(3):
            await house.observe(number, f"m{n}", f"message {n}")
    assert await house.database.verify() == []
    return house


CHANGED = {"incident": 7, "seq": 77, "at": START - timedelta(days=1), "v": 2}


async def each_change_is_named(house: House, table: Table, stream: str) -> None:
    """Change column after column of the second row, and put it back."""
    row = (table.c.incident == 2) & (table.c.seq == 2)
    read = select(table).where(row)
    stored = await house.database._backend.read(lambda conn: dict(conn.execute(read).mappings().one()))
    for column in stored:
        value = CHANGED.get(column, "{}")
        await tamper(house, update(table).where(row).values({column: value}))
        found = (await house.database.verify(2))[0]
        assert (found.incident, found.stream, found.seq) == (2, stream, 2), column
        now = {name: value if name == column else stored[name] for name in ("incident", "seq")}
        changed = (table.c.incident == now["incident"]) & (table.c.seq == now["seq"])
        await tamper(house, update(table).where(changed).values(stored))
    assert await house.database.verify() == []


async def test_a_changed_event_is_named_whatever_the_column(written: House) -> None:
    """Every column is in the hash."""
    await each_change_is_named(written, tables.events, "control")


async def test_a_changed_observation_is_named_whatever_the_column(written: House) -> None:
    """The record is guarded like the decisions."""
    await each_change_is_named(written, tables.records, "record")


@pytest.mark.parametrize(
    ("column", "value"), [("body", '{"text":"I never said that"}'), ("salt", "00"), ("salt", "xy")]
)
async def test_changed_words_are_named(written: House, column: str, value: str) -> None:
    """Their digest stands in the event."""
    note = select(tables.events.c.words).where(tables.events.c.type == "note_added", tables.events.c.incident == 1)
    await tamper(written, update(tables.contents).where(tables.contents.c.id.in_(note)).values({column: value}))
    found = await fault(written)
    assert (found.incident, found.stream) == (1, "control")
    assert "words were changed" in found.what


async def test_words_deleted_without_an_erasure_are_named(written: House) -> None:
    """Erasing leaves a Redacted event; deleting rows does not."""
    first = select(tables.records.c.words).where(tables.records.c.incident == 2, tables.records.c.seq == 1)
    await tamper(written, delete(tables.contents).where(tables.contents.c.id.in_(first)))
    found = await fault(written)
    assert (found.incident, found.stream, found.seq) == (2, "record", 1)
    assert "no erasure" in found.what


@pytest.mark.parametrize(("table", "stream"), [(tables.events, "control"), (tables.records, "record")])
async def test_a_deleted_row_is_named_at_the_tail_and_in_the_middle(written: House, table: Table, stream: str) -> None:
    """The head says how many there were."""
    last = (await written.database.events(2))[-1].seq if stream == "control" else 3
    await tamper(written, delete(table).where(table.c.incident == 2, table.c.seq == last))
    found = await fault(written)
    assert (found.incident, found.stream, found.seq) == (2, stream, last)
    await tamper(written, delete(table).where(table.c.incident == 2, table.c.seq == 1))
    found = await fault(written)
    assert (found.incident, found.stream, found.seq) == (2, stream, 1)


async def test_an_added_row_is_named(written: House) -> None:
    """Even with a hash of the right length."""
    t = tables.records
    row = dict.fromkeys(t.c.keys(), "") | {"incident": 1, "seq": 4, "at": written.clock(), "data": "{}"}
    await tamper(written, insert(t).values(row))
    assert (await fault(written)).seq == 4


async def test_a_changed_snapshot_or_head_is_named_whatever_the_column(written: House) -> None:
    """The snapshot and the columns beside it are what the events fold to."""
    changes = {
        "state": "{}", "title": "Calm", "private": True, "channel": None, "severity": "sev4", "seq": 1, "drill": True,
        "head_hash": "0", "published": True, "active": False, "declared_by": "U9", "status": "closed",
        "acknowledged_at": START, "declared_at": START + timedelta(days=1),
    }  # fmt: skip
    t = tables.incidents
    read = select(t).where(t.c.number == 1)
    stored = await written.database._backend.read(lambda conn: dict(conn.execute(read).mappings().one()))
    assert changes.keys() == stored.keys() - {"number"}
    for column, value in changes.items():
        await tamper(written, update(t).where(t.c.number == 1).values({column: value}))
        assert (await fault(written)).incident == 1, column
        await tamper(written, update(t).where(t.c.number == 1).values(stored))
    assert await written.database.verify() == []


async def test_an_incident_that_vanished_is_named(written: House) -> None:
    """Numbers have no gaps: one that is missing was deleted, with or without its events."""
    await tamper(written, delete(tables.incidents).where(tables.incidents.c.number == 2))
    assert (await fault(written)).what == "the incident's row is missing"
    await tamper(
        written,
        delete(tables.events).where(tables.events.c.incident == 2),
        delete(tables.records).where(tables.records.c.incident == 2),
    )
    assert (await fault(written)).incident == 2


async def test_verifying_while_others_write_finds_no_fault(house: House) -> None:
    """Each incident is read in one snapshot."""
    await house.open()

    async def write() -> None:
        for n in range(30):
            await house.act(1, c.AddNote(f"note {n}"))
            await house.observe(1, f"m{n}")

    writing = asyncio.create_task(write())
    found = []
    while not writing.done():
        found += await house.database.verify()
    await writing
    assert found == []
