"""How long an incident's channel has to wait for its turn, as far as the queue and its budget tell."""

import math
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, func, or_, select

from bot.ports.reader import RoomWait
from bot.storage.budgets import kept_at, levels
from bot.storage.tables import effects, is_open
from bot.storage.write_queue import WAITING


def room_wait(conn: Connection, number: int, now: datetime) -> RoomWait | None:
    """Return what the channel of incident `number` waits for; None if nothing keeps it from being opened at once."""
    room = conn.execute(_room(), {"number": number}).first()
    if room is None:
        return None
    purse = conn.execute(levels(), {"named": [room.budget], "second": now.timestamp()}).first()
    if purse is None:
        return None
    ahead = conn.execute(_ahead(), {"rank": room.rank, "pos": room.pos, "purse": room.budget}).scalar_one()
    ready = purse.parked_until
    if purse.capacity is not None and purse.per_second > 0:
        missing = ahead + 1 + (purse.reserve if kept_at(room.rank) else 0) - purse.level
        ready = max(ready, now.timestamp() + missing / purse.per_second) if missing > 0 else ready
    if ready <= now.timestamp():
        return None
    a_minute = math.floor(purse.per_second * 60) if purse.capacity is not None else None
    return RoomWait(ahead, datetime.fromtimestamp(ready, UTC), a_minute)


# Each statement is built once: building one costs more than running it.
@cache
def _room() -> Select[Any]:
    e = effects.c
    mine = and_(e.incident == bindparam("number"), e.kind == "open_room", e.state == WAITING)
    return select(e.pos, e.rank, e.budget).where(mine)


@cache
def _ahead() -> Select[Any]:
    e, rank = effects.c, bindparam("rank", type_=Integer())
    first = or_(e.rank < rank, and_(e.rank == rank, e.pos < bindparam("pos")))
    return select(func.count()).where(is_open(), e.state == WAITING, e.budget == bindparam("purse"), first)
