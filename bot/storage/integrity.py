"""Proof that nothing was changed behind our back: walk the chains, fold again, compare with heads and snapshots."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal, NoReturn

from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import DBAPIError

from bot.domain.events import Recorded, Redacted
from bot.domain.incident import Incident, evolve
from bot.ports.reader import BadRow, Fault
from bot.storage import snapshots, stored
from bot.storage.chain import EVENT_COLUMNS, GENESIS, RECORD_COLUMNS, content_id, link, read_recorded
from bot.storage.columns import from_text, to_text
from bot.storage.tables import events, incidents, record_heads, records

Stream = Literal["control", "record"]
_STREAMS: Final = {"control": (events, EVENT_COLUMNS), "record": (records, RECORD_COLUMNS)}
_GONE: Final = "the words are gone, and no erasure is on record"
_UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError)
"""What a row that is whole, but none of ours, may raise: pydantic's ValidationError is a ValueError."""


def verify(conn: Connection, number: int) -> Fault | None:
    """Return the first fault of incident `number`, or None."""
    try:
        with stored.verbatim(conn):
            _verify(conn, number)
    except BadRow as bad:
        return bad.fault
    return None


def replay(conn: Connection, number: int) -> str:
    """Return the snapshot of incident `number` made anew from its events, as JSON.

    Raises BadRow for a log that does not hold. The snapshot itself need be neither there nor right.
    """
    with stored.verbatim(conn):
        head = _row(conn, number, "snapshot", incidents.c.number)
        recorded, _ = _control(conn, number, head)
        return _folded(number, recorded).model_dump_json()


def _verify(conn: Connection, number: int) -> None:
    head = _row(conn, number, "snapshot", incidents.c.number)
    if head is None:
        _bad(number, "snapshot", 0, "the incident's row is missing")
    recorded, erased = _control(conn, number, head)
    if name := stored.unsound(head, incidents):
        _bad(number, "snapshot", len(recorded), f"column {name} is not what the events fold to")
    _record(conn, number, (head["record_seq"], head["record_hash"]), erased)
    _snapshot(number, head, _folded(number, recorded))


def _control(conn: Connection, number: int, head: RowMapping | None) -> tuple[list[Recorded], set[tuple[str, int]]]:
    """Return the control stream, and (stream, seq) of the words whose erasure is on record. Raises BadRow."""
    rows: list[RowMapping] = []
    broken: BadRow | None = None
    try:
        for row in _walk(conn, number, "control"):
            rows.append(row)  # noqa: PERF402  # those before the one that is bad are wanted, too
        if head is not None:
            _ends_at_its_head(number, rows, head)
    except BadRow as bad:
        broken = bad
    erased = set(_erasures(rows))
    for row in rows:
        what = _wrong_words(row, ("control", row["seq"]) in erased)
        # where a row is bad, the erasure may have been there
        if what and not (broken and what == _GONE):
            _bad(number, "control", row["seq"], what)
    if broken:
        raise broken
    return [_read(number, row) for row in rows], erased


def _ends_at_its_head(number: int, rows: list[RowMapping], head: RowMapping) -> None:
    end = rows[-1]["hash"] if rows else GENESIS
    if end == head["head_hash"] and len(rows) == head["seq"]:
        return
    if end == head["head_hash"]:
        _bad(number, "snapshot", len(rows), f"column seq is not that of control entry {len(rows)}, the last one")
    if len(rows) == head["seq"]:
        _bad(number, "snapshot", len(rows), f"column head_hash is not the hash of control entry {len(rows)}, the last")
    _bad(number, "control", len(rows) + 1, f"the stream ends at {len(rows)}, but its head says otherwise")


def _record(conn: Connection, number: int, known: tuple[int, str], erased: set[tuple[str, int]]) -> None:
    """Walk the record stream. `known`: an entry of it that the incident's row names."""
    seq, end, there = 0, GENESIS, GENESIS
    for row in _walk(conn, number, "record"):
        seq, end = row["seq"], row["hash"]
        if what := _wrong_words(row, ("record", seq) in erased):
            _bad(number, "record", seq, what)
        if seq == known[0]:
            there = end
    head = _row(conn, number, "record", record_heads.c.incident)
    if (head["incident"], head["seq"], head["hash"]) != (number, seq, end) if head else seq > 0:
        _bad(number, "record", seq + 1, f"the stream ends at {seq}, but its head says otherwise")
    if known[0] > seq:
        _bad(number, "record", seq + 1, f"the stream ends at {seq}, but the incident's row knows of {known[0]} entries")
    if known != (known[0], there) or known[0] < 0:
        _bad(number, "snapshot", 0, f"column record_hash is not the hash of record entry {known[0]}")


def _snapshot(number: int, head: RowMapping, state: Incident) -> None:
    if not snapshots.is_snapshot(head["state"], state):
        _bad(number, "snapshot", state.seq, "the snapshot is not what the events fold to")
    for name, value in {"number": number, **snapshots.columns_of(state)}.items():
        if name != "state" and (to_text(value) if isinstance(value, datetime) else value) != head[name]:
            _bad(number, "snapshot", state.seq, f"column {name} is not what the events fold to")


def _erasures(rows: list[RowMapping]) -> Iterator[tuple[str, int]]:
    for row in rows:
        if row["type"] == "redacted":
            try:
                event = _recorded(row).event
            except _UNREADABLE:
                continue  # it is named where it is read
            if isinstance(event, Redacted):
                yield event.stream, event.target


def _read(number: int, row: RowMapping) -> Recorded:
    try:
        return _recorded(row)
    except _UNREADABLE as error:
        _bad(number, "control", row["seq"], f"it cannot be read: {type(error).__name__}")


def _recorded(row: RowMapping) -> Recorded:
    return read_recorded({**row, "at": from_text(row["at"])}, row["body"])


def _folded(number: int, recorded: list[Recorded]) -> Incident:
    state: Incident | None = None
    for item in recorded:
        try:
            state = evolve(state, item)
        except _UNREADABLE as error:
            _bad(number, "control", item.seq, f"nothing follows from it: {type(error).__name__}")
    if state is None:
        _bad(number, "control", 1, "there is no event")
    return state


def _walk(conn: Connection, number: int, stream: Stream) -> Iterator[RowMapping]:
    """Return the rows of a stream in order, as long as each is whole and follows from the one before. Raises BadRow."""
    table, columns = _STREAMS[stream]
    previous, seq, strange = GENESIS, 0, False
    try:
        for row in stored.rows_of(conn, table, number):
            if not isinstance(row["seq"], int) or row["seq"] < 1:
                strange = True  # if it was moved there, the place where it is missing comes first
                continue
            seq += 1
            if row["seq"] != seq:
                _bad(number, stream, seq, "the row is missing")
            if stored.unsound(row, table) or link(previous, row, columns) != row["hash"]:
                _bad(number, stream, seq, "the row was changed: its hash does not fit")
            yield row
            previous = row["hash"]
    except DBAPIError as error:
        _unless_broken(error, number, stream, seq + 1)
    if strange:
        _bad(number, stream, seq + 1, "there is a row that has no place in the stream")


def _row(conn: Connection, number: int, stream: Any, key: Any) -> RowMapping | None:
    try:
        return stored.row_of(conn, key, number)
    except DBAPIError as error:
        _unless_broken(error, number, stream, 0)


def _wrong_words(row: RowMapping, erased: bool) -> str:
    if not row["words"]:
        return ""
    if row["content"] is None:
        return "" if erased else _GONE
    if erased:
        return "an erasure is on record, but the words are there"
    return "" if _are_intact(row) else "the words were changed: their digest does not fit"


def _are_intact(row: RowMapping) -> bool:
    salt, body = row["salt"], row["body"]
    try:
        plain = bytes.fromhex(salt).hex() == salt  # else digits in capitals, and blanks, would mean the same
        return bool(plain and row["words"] == row["content"] == content_id(salt, body))
    except _UNREADABLE:
        return False


def _unless_broken(error: DBAPIError, number: int, stream: Any, seq: int) -> NoReturn:
    """A file that cannot be read in one place is a fault there; a database that does not answer is none."""
    if what := stored.what_broke(error):
        _bad(number, stream, seq, what)
    raise error


def _bad(number: int, stream: Any, seq: int, what: str) -> NoReturn:
    raise BadRow(Fault(number, stream, seq, what))
