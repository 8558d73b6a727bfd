"""Looks for late copies: owed in rows, so that whoever is there looks, should the process that repeated be gone."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Double,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.ports.delivery import Look, Placed
from bot.ports.store import Changes
from bot.storage.columns import UtcTime, database_clock
from bot.storage.prepared import rows
from bot.storage.tables import looks

HELD: Final = 2.0
"""Seconds in which a look that was taken should be over. To look twice does no harm, so it is short."""


def next_due(conn: Connection) -> datetime | None:
    """Return when the first look is due, if any is owed."""
    first: datetime | None = rows(conn, _next_due())[0][0]
    return first


def take(conn: Connection, now: datetime, limit: int) -> list[Look]:
    """Take the looks that are due, so that no other replica does for a while."""
    taken = rows(conn, _taking(), {"now": now, "most": limit, "held": HELD})
    return [
        Look(
            row.effect,
            row.incident,
            row.kind,
            Placed(row.channel, row.ts, row.claim or ""),
            row.since,
            row.due,
            row.lost,
            row.pos,
        )
        for row in sorted(taken, key=lambda row: (row.due, row.pos))
    ]


def write(conn: Connection, batch: Sequence[Changes]) -> None:
    """Write what is owed, and take away or put off what was seen to. Most batches have nothing of it."""
    done = [{"row": row} for changes in batch for row in changes.looked]
    later = [{"row": row, "again": at} for changes in batch for row, at in changes.look_later]
    owed = [_row(look) for changes in batch for look in changes.looks]
    if done:
        conn.execute(delete(looks).where(looks.c.pos == bindparam("row")), done)
    if later:
        put_off = update(looks).where(looks.c.pos == bindparam("row"))
        conn.execute(put_off.values(due=bindparam("again"), taken_until=None), later)
    if owed:
        conn.execute(insert(looks), owed)


def _row(look: Look) -> dict[str, Any]:
    return {
        "effect": look.effect,
        "incident": look.incident,
        "kind": look.kind,
        "channel": look.placed.channel,
        "ts": look.placed.ts,
        "since": look.since,
        "due": look.due,
        "lost": look.lost,
        "claim": look.placed.claim,
    }


# Each statement is built once: building one costs more than running it.
@cache
def _next_due() -> Select[Any]:
    return select(func.min(looks.c.due))


@cache
def _taking() -> Update:
    t = looks.c
    free = or_(t.taken_until.is_(None), t.taken_until <= database_clock())
    due = and_(t.due <= bindparam("now", type_=UtcTime()), free)
    first = select(t.pos).where(due).order_by(t.due, t.pos).limit(bindparam("most", type_=Integer()))
    mine = update(looks).where(t.pos.in_(first.with_for_update(skip_locked=True)))
    return mine.values(taken_until=database_clock() + bindparam("held", type_=Double())).returning(looks)
