"""Which incidents there must be, and what is there that belongs to none: what no walk along a chain can see."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select, true
from sqlalchemy.exc import DBAPIError

from bot.ports.reader import Fault
from bot.storage import stored
from bot.storage.tables import contents, counter, effects, events, incidents, record_heads, records, timers

_HOMES: Final = {
    "incidents": (incidents.c.number, "snapshot"),
    "events": (events.c.incident, "control"),
    "records": (records.c.incident, "record"),
    "record_heads": (record_heads.c.incident, "record"),
}
"""Where an incident has rows, and the stream they are of."""
_GIVEN: Final = (incidents.c.number, effects.c.incident, timers.c.incident)
"""Where numbers stand that were given: one in a row of a stream may be a changed one."""
_LARGEST: Final = 2**63 - 1
_GAPS: Final = 1000
"""Numbers that are named one by one, where they are missing: more were never given, but the counter was changed."""
_MANY: Final = 200_000
"""Words that are looked at in portions: a statement has 2 s."""
_BROKEN: Final = 5
"""Findings of SQLite that are told: there may be one for each row."""


def take(conn: Connection) -> tuple[list[int], list[Fault]]:
    """Return every number that was ever given, in order, and the faults that are no incident's."""
    with stored.verbatim(conn):
        there, faults = _there(conn)
        given, wrong = _counted(conn)
        highest = _highest(conn)
        if not wrong and given < highest:
            wrong = f"it says {given}, but INC-{highest} was given"
        last = given or highest
        if last > len(there) + _GAPS:
            wrong, last = wrong or f"it says {given}, but there are {len(there)} incidents", 0
        if wrong:
            faults.append(Fault(0, "counter", 0, wrong))
        faults += [*_loose_words(conn), *_broken_file(conn)]
    return sorted({*there, *range(1, last + 1), highest} - {0}), faults


def was_given(conn: Connection, number: int) -> bool:
    """True if there is, or was ever, an incident `number`: they have no gaps."""
    with stored.verbatim(conn):
        if 1 <= number <= max(_counted(conn)[0], _highest(conn)):
            return True
        return any(_values(conn, select(column).where(column == number).limit(1)) for column, _ in _HOMES.values())


def _there(conn: Connection) -> tuple[set[int], list[Fault]]:
    """Return the numbers that rows have, and those rows whose number is none."""
    numbers: set[int] = set()
    faults = []
    for name, (column, stream) in _HOMES.items():
        found = _values(conn, select(column).distinct())
        mine = {one for one in found if isinstance(one, int) and one > 0}
        numbers |= mine
        if len(mine) < len(found):
            faults.append(Fault(0, stream, 0, f"rows of {name} belong to no incident"))  # type: ignore[arg-type]
    return numbers, faults


def _counted(conn: Connection) -> tuple[int, str]:
    """Return what the counter says, and what is wrong with it."""
    try:
        row = stored.row_of(conn, counter.c.name, "incident")
    except DBAPIError as error:
        return 0, _broken(error)
    if row is None or row["name"] != "incident":
        return 0, "its row is missing"
    value = row["value"]
    return (value, "") if isinstance(value, int) and value >= 0 else (0, "its value is no number")


def _highest(conn: Connection) -> int:
    """Return the highest number that an incident has, or had when something followed from it."""
    found: list[Any] = [0]
    for column in _GIVEN:
        # on SQLite texts are greater than every number
        found += _values(conn, select(func.max(column)).where(column.between(0, _LARGEST)))
    return max(one for one in found if isinstance(one, int))


def _loose_words(conn: Connection) -> Iterator[Fault]:
    """Words leave with the row that they are of, or stay with it."""
    e, r = events.alias("e"), records.alias("r")
    joined = contents.outerjoin(e, e.c.words == contents.c.id).outerjoin(r, r.c.words == contents.c.id)
    loose = select(func.count()).select_from(joined).where(e.c.words.is_(None), r.c.words.is_(None))
    if count := sum(sum(_values(conn, loose.where(some))) for some in _portions(conn)):
        yield Fault(0, "words", 0, f"the rows of {count} of them were changed, or are gone")


def _portions(conn: Connection) -> list[ColumnElement[bool]]:
    """Return conditions that share out very many words: PostgreSQL ends a statement that takes too long."""
    if conn.dialect.name == "sqlite" or sum(_values(conn, select(func.count()).select_from(contents))) < _MANY:
        return [true()]
    return [func.ascii(contents.c.id) % 16 == n for n in range(16)]


def _broken_file(conn: Connection) -> Iterator[Fault]:
    """What SQLite itself finds: an index, say, that disagrees with its table.

    https://www.sqlite.org/pragma.html#pragma_integrity_check
    """
    if conn.dialect.name == "sqlite":
        try:
            found = conn.exec_driver_sql(f"PRAGMA integrity_check({_BROKEN})").scalars().all()
        except DBAPIError as error:
            found = [_broken(error)]
        yield from (Fault(0, "file", 0, " ".join(one.split())) for one in found if one != "ok")


def _values(conn: Connection, query: Any) -> list[Any]:
    """Return the values of one column; none of a table that cannot be read, which is what SQLite then finds."""
    try:
        return list(conn.execute(query).scalars())
    except DBAPIError as error:
        _broken(error)
        return []


def _broken(error: DBAPIError) -> str:
    if what := stored.what_broke(error):
        return what
    raise error
