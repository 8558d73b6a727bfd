"""Every change made behind our back is found, and named."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import Table, delete, func, insert, select, update

from bot.domain import commands as c
from bot.domain.events import Redacted
from bot.domain.refusals import UnknownIncident
from bot.ports.reader import BadRow, Fault
from bot.storage import census, tables
from bot.storage.snapshots import shape
from tests.storage.house import BOB, START, House, open_house


async def fault(house: House) -> Fault:
    """Return the one fault of an incident that there is."""
    (found,) = (one for one in await house.database.verify() if one.incident)
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
        "acknowledged_at": START, "declared_at": START + timedelta(days=1), "record_seq": 2, "record_hash": "0",
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


async def cut_the_record(house: House, left: int) -> None:
    """Cut the record stream of incident 2 to `left` entries, words included, and set its head back to the last one."""
    r, h = tables.records, tables.record_heads
    gone = (r.c.incident == 2) & (r.c.seq > left)
    end = select(r.c.hash).where(r.c.incident == 2, r.c.seq == left).scalar_subquery()
    head = update(h).values(seq=left, hash=end) if left else delete(h)
    await tamper(
        house,
        delete(tables.contents).where(tables.contents.c.id.in_(select(r.c.words).where(gone))),
        delete(r).where(gone),
        head.where(h.c.incident == 2),
    )


@pytest.mark.parametrize("left", [2, 1, 0])
async def test_a_record_cut_together_with_its_head_is_named(written: House, left: int) -> None:
    """What was decided since knows how far it was, and goes on to know it whatever is written on top."""
    await written.act(2, c.Acknowledge())
    await cut_the_record(written, left)
    found = await fault(written)
    assert (found.incident, found.stream, found.seq) == (2, "record", left + 1)
    await written.act(2, c.AddNote("It goes on"))
    for n in range(5):
        await written.observe(2, f"more{n}")
        await written.act(2, c.AddNote(f"And on, {n}"))
        await written.database.purge(written.clock())
        assert (await fault(written)).incident == 2


async def test_a_record_is_guarded_within_the_hour_also_where_nothing_is_decided(written: House) -> None:
    """What is observed does not touch the incident's row: messages never wait for a decision."""
    await cut_the_record(written, 2)
    assert await written.database.verify() == []  # nothing was decided since the first entry
    await written.database.purge(written.clock())
    await cut_the_record(written, 1)
    found = await fault(written)
    assert (found.incident, found.stream, found.seq) == (2, "record", 2)


@pytest.mark.parametrize("many", [census._MANY, 1])
async def test_words_whose_row_is_gone_are_told(written: House, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Whoever cuts a record with its head must think of them, too. Of very many they are counted in portions."""
    monkeypatch.setattr(census, "_MANY", many)
    r, h = tables.records, tables.record_heads
    await tamper(written, delete(r).where(r.c.incident == 2), delete(h).where(h.c.incident == 2))
    assert [str(one) for one in await written.database.verify()] == [
        "words: the rows of 3 of them were changed, or are gone"
    ]


@pytest.mark.parametrize(
    ("value", "what"),
    [(1, "it says 1, but INC-2 was given"), (10**12, f"it says {10**12}, but there are 2 incidents")],
)
async def test_a_counter_that_was_set_is_told(written: House, value: int, what: str) -> None:
    await tamper(written, update(tables.counter).values(value=value))
    assert [str(one) for one in await written.database.verify()] == [f"counter: {what}"]


async def test_numbers_that_the_counter_gave_are_missed(written: House) -> None:
    await tamper(written, update(tables.counter).values(value=4))
    assert [one.incident for one in await written.database.verify()] == [3, 4]


async def test_a_counter_that_is_gone_is_told(written: House) -> None:
    """And no incident is at fault for it, but those that are."""
    await tamper(
        written, delete(tables.counter), update(tables.incidents).where(tables.incidents.c.number == 1).values(title="")
    )
    assert [one.incident for one in await written.database.verify()] == [1, 0]
    assert (await written.database.verify(2)) == []


async def test_an_incident_that_was_wholly_deleted_is_missed_though_the_counter_was_set_back(written: House) -> None:
    """What followed from it still stands in the queue."""
    c_, e, r = tables.contents, tables.events, tables.records
    words = select(e.c.words).where(e.c.incident == 2).union(select(r.c.words).where(r.c.incident == 2))
    await tamper(
        written,
        delete(c_).where(c_.c.id.in_(words)),
        *(delete(one).where(one.c.incident == 2) for one in (e, r, tables.record_heads)),
        delete(tables.incidents).where(tables.incidents.c.number == 2),
        update(tables.counter).values(value=1),
    )
    assert [str(one) for one in await written.database.verify()] == [
        "INC-2: snapshot entry 0: the incident's row is missing",
        "counter: it says 1, but INC-2 was given",
    ]
    assert (await written.database.verify(2))[0].incident == 2


async def test_rows_of_no_incident_are_told(written: House) -> None:
    """Numbers begin at 1."""
    for table, stream in ((tables.events, "control"), (tables.records, "record")):
        row = {one.name: 0 if one.name in ("incident", "seq", "v") else f"{one.name}" for one in table.c}
        await tamper(written, insert(table).values(row | {"at": START}))
        assert stream in [one.stream for one in await written.database.verify() if not one.incident]
        await tamper(written, delete(table).where(table.c.incident == 0))


async def test_a_row_before_the_first_is_named_where_it_is_missing_or_behind_the_last(written: House) -> None:
    """Moved there, it is missing where it was; put there, it belongs nowhere."""
    t = tables.events
    last = (await written.database.events(2))[-1].seq
    await tamper(written, update(t).where(t.c.incident == 2, t.c.seq == 3).values(seq=0))
    assert (await fault(written)).seq == 3
    await tamper(written, update(t).where(t.c.incident == 2, t.c.seq == 0).values(seq=3))
    row = {one.name: one.name for one in t.c} | {"incident": 2, "seq": 0, "at": START, "v": 1, "words": ""}
    await tamper(written, insert(t).values(row))
    found = await fault(written)
    assert (found.seq, found.what) == (last + 1, "there is a row that has no place in the stream")


async def test_an_unknown_number_is_refused(written: House) -> None:
    for number in (0, 3, 10**9):
        with pytest.raises(UnknownIncident):
            await written.database.verify(number)
        with pytest.raises(UnknownIncident):
            await written.database.replay(number)


# --- erasures ---------------------------------------------------------------------------------


async def erased(house: House) -> int:
    """Erase the title, and return the sequence of the event that says so."""
    await house.redact(2, Redacted(target=1))
    assert await house.database.verify() == []
    return (await house.database.events(2))[-1].seq


@pytest.mark.parametrize(
    ("column", "value"), [("type", "reopened"), ("data", '{"v":1,"type":"redacted","stream":"control","target":2}')]
)
async def test_a_changed_erasure_is_named_and_not_the_words_that_it_erased(
    written: House, column: str, value: str
) -> None:
    """They are gone by right; the row that says so is bad."""
    seq = await erased(written)
    t = tables.events
    await tamper(written, update(t).where(t.c.incident == 2, t.c.seq == seq).values({column: value}))
    assert (await fault(written)).seq == seq


async def test_an_erasure_that_was_cut_off_is_named(written: House) -> None:
    seq = await erased(written)
    await tamper(written, delete(tables.events).where(tables.events.c.incident == 2, tables.events.c.seq == seq))
    assert (await fault(written)).seq == seq


async def test_words_that_are_back_after_their_erasure_are_named(written: House) -> None:
    """Also the right ones, from a copy: they were to be gone."""
    t, e = tables.contents, tables.events
    first = select(e.c.words).where(e.c.incident == 2, e.c.seq == 1).scalar_subquery()
    read = select(t).where(t.c.id == first)
    copy = await written.database._backend.read(lambda conn: dict(conn.execute(read).mappings().one()))
    await erased(written)
    await tamper(written, insert(t).values(copy))
    found = await fault(written)
    assert (found.seq, found.what) == (1, "an erasure is on record, but the words are there")


async def test_words_deleted_beside_a_changed_row_do_not_hide_it(written: House) -> None:
    """The erasure may have been in the row that was changed; words that were changed are named first."""
    t, e = tables.contents, tables.events
    note = select(e.c.words).where(e.c.incident == 2, e.c.type == "note_added").scalar_subquery()
    await tamper(written, update(t).where(t.c.id == note).values(body='{"text":"no"}'))
    before = (await fault(written)).seq
    last = (await written.database.events(1))[-1].seq
    await tamper(written, update(e).where(e.c.incident == 2, e.c.seq == last).values(actor="U666"))
    assert (await fault(written)).seq == before


# --- replay -----------------------------------------------------------------------------------


async def test_replay_is_the_snapshot_byte_for_byte_also_where_that_is_gone(written: House) -> None:
    t = tables.incidents
    read = select(t.c.state).where(t.c.number == 1)
    state = await written.database._backend.read(lambda conn: conn.execute(read).scalar_one())
    assert await written.database.replay(1) == state
    await tamper(written, delete(t).where(t.c.number == 1))
    assert await written.database.replay(1) == state


async def test_replay_of_a_bad_log_names_the_row(written: House) -> None:
    """It makes nothing up from the rest."""
    t = tables.events
    await tamper(written, update(t).where(t.c.incident == 1, t.c.seq == 2).values(data="{}"))
    with pytest.raises(BadRow, match="INC-1: control entry 2"):
        await written.database.replay(1)
    await tamper(written, delete(t).where(t.c.incident == 2))
    with pytest.raises(BadRow, match="INC-2: control entry 1"):
        await written.database.replay(2)


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


async def without(house: House, *names: str, **changed: object) -> None:
    """Write the snapshot of incident 1 as a version did that did not know these of today's fields."""
    table = tables.incidents
    read = select(table.c.state).where(table.c.number == 1)
    state = json.loads(await house.database._backend.read(lambda conn: conn.execute(read).scalar_one()))
    kept = {key: value for key, value in state.items() if key not in names}
    stored = json.dumps({**kept, **changed}, separators=(",", ":"), ensure_ascii=False)
    await tamper(house, update(table).where(table.c.number == 1).values(state=stored))


async def test_a_snapshot_that_lacks_what_is_so_by_default_is_no_fault(written: House) -> None:
    """An older version wrote it, and it means the same."""
    await without(written, "archived", "when_alerts_end", "quiet")
    assert await written.database.verify() == []


@pytest.mark.parametrize("name", ["room", "messages", "people", "touched", "severity", "seq"])
async def test_a_snapshot_that_lacks_what_the_events_fold_to_is_named(written: House, name: str) -> None:
    """Read with the default it would mean something else."""
    await without(written, name, "archived")
    assert (await fault(written)).stream == "snapshot"


async def test_a_private_incident_whose_snapshot_no_longer_says_so_is_named(written: House) -> None:
    """It would be read as one for everybody."""
    number = await written.open("Breach", private=True)
    table = tables.incidents
    said = func.replace(table.c.state, '"private":true,', "")
    await tamper(written, update(table).where(table.c.number == number).values(state=said))
    assert (await fault(written)).incident == number


async def test_an_older_snapshot_that_says_something_else_is_named(written: House) -> None:
    await without(written, "archived", title="Something else")
    assert (await fault(written)).stream == "snapshot"


async def test_a_snapshot_written_in_another_way_is_named(written: House) -> None:
    """It would mean the same, but we never wrote it so."""
    for changed in (" {state}", "{state}\n"):
        table = tables.incidents
        read = select(table.c.state).where(table.c.number == 1)
        state = await written.database._backend.read(lambda conn, read=read: conn.execute(read).scalar_one())
        await tamper(written, update(table).where(table.c.number == 1).values(state=changed.format(state=state)))
        assert (await fault(written)).stream == "snapshot"
        await tamper(written, update(table).where(table.c.number == 1).values(state=state))


async def noted(house: House) -> str | None:
    """Return the shape that the database's snapshots are said to have."""
    read = select(tables.installation.c.snapshots)
    found: str | None = await house.database._backend.read(lambda conn: conn.execute(read).scalar())
    return found


async def test_what_an_older_version_did_not_know_is_folded_anew_before_the_incident_changes(
    written: House, database_url: str
) -> None:
    """Else it would go on with the default, and say so in the next snapshot."""
    before = await written.database.incident(1)
    assert before
    assert before.touched
    await without(written, "touched", "people")
    await tamper(written, update(tables.installation).values(snapshots=None))
    async with open_house(database_url, written.clock) as newer:
        await newer.act(1, c.Acknowledge())
        after = await newer.database.incident(1)
        assert after
        assert (after.touched, after.people) == (True, before.people)
        assert await noted(newer) is None
        assert await newer.database.verify() == []


@pytest.mark.parametrize("by", ["verify", "purge"])
async def test_the_others_are_folded_anew_by_the_hourly_purge_or_by_who_verifies(
    written: House, database_url: str, by: str
) -> None:
    """Once: the shape is noted."""
    before = await written.database.incident(1)
    await without(written, "touched", "people")
    await tamper(written, update(tables.installation).values(snapshots="of before"))
    async with open_house(database_url, written.clock) as newer:
        assert await newer.database.incident(1) != before
        await (newer.database.verify() if by == "verify" else newer.database.purge(newer.clock()))
        assert await newer.database.incident(1) == before
        assert await noted(newer) == shape()
        await without(newer, "touched")
        assert (await fault(newer)).stream == "snapshot"


async def test_a_new_database_notes_the_shape_of_its_snapshots_at_once(house: House) -> None:
    assert await noted(house) == shape()


async def test_a_wrong_snapshot_is_not_made_right_on_the_way(written: House, database_url: str) -> None:
    """Whoever opens the database next must not hide what was changed by hand."""
    await without(written, "archived", title="Something else")
    await tamper(written, update(tables.installation).values(snapshots=None))
    async with open_house(database_url, written.clock) as newer:
        assert (await fault(newer)).stream == "snapshot"


async def test_a_log_that_cannot_be_read_keeps_nobody_from_opening_the_database(
    written: House, database_url: str
) -> None:
    """The others are folded anew; `verify` names this one."""
    await without(written, "touched")
    t = tables.events
    await tamper(
        written,
        update(t).where(t.c.incident == 1, t.c.seq == 2).values(data="{"),
        update(tables.installation).values(snapshots=None),
    )
    async with open_house(database_url, written.clock) as newer:
        assert (await fault(newer)).seq == 2
