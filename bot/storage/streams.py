"""Read the two streams of an incident, words merged in."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, select

from bot.domain.events import Recorded
from bot.domain.record import Entry
from bot.storage.chain import read_entry, read_recorded
from bot.storage.prepared import rows
from bot.storage.sets import are_one_of
from bot.storage.tables import contents, events, records


def _with_words(stream: Any) -> Select[Any]:
    joined = stream.outerjoin(contents, contents.c.id == stream.c.words)
    return select(stream, contents.c.body).select_from(joined).order_by(stream.c.incident, stream.c.seq)


def read_events(conn: Connection, number: int, as_of: datetime | None = None) -> list[Recorded]:
    """Return the control stream of incident `number`, oldest first."""
    query = _with_words(events).where(events.c.incident == number)
    if as_of is not None:
        query = query.where(events.c.at <= as_of)
    return [read_recorded(row, row["body"]) for row in conn.execute(query).mappings()]


def read_entries(conn: Connection, number: int, as_of: datetime | None = None) -> list[Entry]:
    """Return the record stream of incident `number`, oldest first."""
    query = _with_words(records).where(records.c.incident == number)
    if as_of is not None:
        query = query.where(records.c.at <= as_of)
    return [read_entry(row, row["body"]) for row in conn.execute(query).mappings()]


def read_some(conn: Connection, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Recorded]:
    """Return the control events at these (incident, seq)."""
    named = sorted(set(places))
    found = rows(conn, _some(), {"named": named}) if named else ()
    return {(row.incident, row.seq): read_recorded(row._asdict(), row.body) for row in found}


@cache
def _some() -> Select[Any]:
    return _with_words(events).where(are_one_of(events.c.incident, events.c.seq))


def read_published(conn: Connection, numbers: list[int]) -> dict[int, list[Recorded]]:
    """Return the public updates of these incidents, oldest first."""
    found: dict[int, list[Recorded]] = {number: [] for number in numbers}
    query = _with_words(events).where(events.c.incident.in_(numbers), events.c.type == "public_published")
    for row in conn.execute(query).mappings():
        found[row["incident"]].append(read_recorded(row, row["body"]))
    return found
