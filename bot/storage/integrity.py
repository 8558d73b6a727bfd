"""Proof that nothing was changed behind our back: walk the chains, fold again, compare with heads and snapshots."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, Select, select, union

from bot.domain.events import Recorded, Redacted
from bot.domain.incident import Incident, fold
from bot.ports.reader import Fault
from bot.storage.chain import EVENT_COLUMNS, GENESIS, RECORD_COLUMNS, content_id, link, read_recorded
from bot.storage.streams import read_events
from bot.storage.tables import contents, counter, events, incidents, record_heads, records
from bot.storage.write import incident_row

_DERIVED: Final = (
    "seq", "title", "declared_by", "declared_at", "severity", "status", "active", "private", "drill", "published",
    "acknowledged_at", "channel",
)  # fmt: skip


def numbers_to_verify(conn: Connection) -> list[int]:
    """Return every incident number that is, or was ever, in the database: gaps are faults too."""
    last = conn.execute(select(counter.c.value).where(counter.c.name == "incident")).scalar() or 0
    seen = union(select(incidents.c.number), select(events.c.incident), select(records.c.incident))
    return sorted({*range(1, last + 1), *conn.execute(seen).scalars()})


def verify(conn: Connection, number: int) -> Fault | None:
    """Return the first fault of incident `number`, or None."""
    return next(_faults(conn, number), None)


def replay(conn: Connection, number: int) -> str | None:
    """Return the snapshot of incident `number` made anew from its events, as JSON; None if there are none."""
    recorded = read_events(conn, number)
    return fold(recorded).model_dump_json() if recorded else None


def _faults(conn: Connection, number: int) -> Iterator[Fault]:
    head = conn.execute(select(incidents).where(incidents.c.number == number)).mappings().first()
    if head is None:
        yield Fault(number, "snapshot", 0, "the incident's row is missing")
        return
    recorded: list[Recorded] = []
    erased = _erasures(conn, number)
    end = GENESIS
    for row, fault in _walk(conn, number, "control", erased):
        if fault:
            yield fault
            return
        try:
            recorded.append(read_recorded(row, row["body"]))
        except (ValidationError, ValueError) as error:
            yield Fault(number, "control", row["seq"], f"it cannot be read: {type(error).__name__}")
            return
        end = row["hash"]
    if end != head["head_hash"] or len(recorded) != head["seq"]:
        what = f"the stream ends at {len(recorded)}, but its head says {head['seq']} or has another hash"
        yield Fault(number, "control", len(recorded) + 1, what)
        return
    yield from _record_faults(conn, number, erased)
    yield from _snapshot_faults(number, head, fold(recorded))


def _record_faults(conn: Connection, number: int, erased: set[tuple[str, int]]) -> Iterator[Fault]:
    seq, end = 0, GENESIS
    for row, fault in _walk(conn, number, "record", erased):
        if fault:
            yield fault
            return
        seq, end = row["seq"], row["hash"]
    head = conn.execute(select(record_heads).where(record_heads.c.incident == number)).first()
    if (head.seq, head.hash) != (seq, end) if head else seq > 0:
        yield Fault(number, "record", seq + 1, f"the stream ends at {seq}, but its head says otherwise")


def _snapshot_faults(number: int, head: Any, state: Incident) -> Iterator[Fault]:
    if state.model_dump_json() != head["state"]:
        yield Fault(number, "snapshot", state.seq, "the snapshot is not what the events fold to")
        return
    expected = incident_row(state, head["head_hash"])
    for name in _DERIVED:
        if expected[name] != head[name]:
            yield Fault(number, "snapshot", state.seq, f"column {name} is not what the events fold to")
            return


def _erasures(conn: Connection, number: int) -> set[tuple[str, int]]:
    """Return (stream, seq) of the words whose erasure is on record."""
    query = _stream(events).where(events.c.incident == number, events.c.type == "redacted")
    found: set[tuple[str, int]] = set()
    for row in conn.execute(query).mappings():
        try:
            event = read_recorded(row, row["body"]).event
        except ValueError:
            continue  # the walk will name it
        if isinstance(event, Redacted):
            found.add((event.stream, event.target))
    return found


def _stream(table: Any) -> Select[Any]:
    joined = table.outerjoin(contents, contents.c.id == table.c.words)
    return select(table, contents.c.salt, contents.c.body).select_from(joined)


def _walk(
    conn: Connection, number: int, stream: str, erased: set[tuple[str, int]]
) -> Iterator[tuple[Any, Fault | None]]:
    """Return each row of a stream in order, with what is wrong with it."""
    table, columns = (events, EVENT_COLUMNS) if stream == "control" else (records, RECORD_COLUMNS)
    previous = GENESIS
    rows = conn.execute(_stream(table).where(table.c.incident == number).order_by(table.c.seq)).mappings()
    for expected, row in enumerate(rows, start=1):
        what = _wrong(row, expected, previous, columns, (stream, row["seq"]) in erased)
        yield row, Fault(number, stream, expected, what) if what else None  # type: ignore[arg-type]
        previous = row["hash"]


def _wrong(row: Any, expected: int, previous: str, columns: tuple[str, ...], erased: bool) -> str:
    if row["seq"] != expected:
        return "the row is missing"
    if link(previous, row, columns) != row["hash"]:
        return "the row was changed: its hash does not fit"
    if not row["words"]:
        return ""
    if row["body"] is None:
        return "" if erased else "the words are gone, and no erasure is on record"
    try:
        intact = content_id(row["salt"], row["body"]) == row["words"]
    except ValueError:
        intact = False
    return "" if intact else "the words were changed: their digest does not fit"
