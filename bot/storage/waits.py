"""How long an incident's channel has to wait for its turn, as far as the queue and its budget tell."""

import math
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, func, or_, select

from bot.ports.reader import RoomWait
from bot.storage.budgets import kept_at, tokens_at
from bot.storage.tables import budgets, effects, is_open
from bot.storage.write_queue import WAITING


def room_wait(conn: Connection, number: int, now: datetime) -> RoomWait | None:
    """Return what the channel of incident `number` waits for; None if nothing keeps it from being opened at once."""
    e, b = effects.c, budgets.c
    own = select(e.pos, e.rank, e.budget).where(e.incident == number, e.kind == "open_room", e.state == WAITING)
    room = conn.execute(own).first()
    if room is None:
        return None
    purse = conn.execute(
        select(budgets, tokens_at(now.timestamp()).label("level")).where(b.name == room.budget)
    ).first()
    if purse is None:
        return None
    first = or_(e.rank < room.rank, and_(e.rank == room.rank, e.pos < room.pos))
    queue = select(func.count()).where(is_open(), e.state == WAITING, e.budget == room.budget, first)
    ahead = conn.execute(queue).scalar_one()
    ready = purse.parked_until
    if purse.capacity is not None and purse.per_second > 0:
        missing = ahead + 1 + (purse.reserve if kept_at(room.rank) else 0) - purse.level
        ready = max(ready, now.timestamp() + missing / purse.per_second) if missing > 0 else ready
    if ready <= now.timestamp():
        return None
    a_minute = math.floor(purse.per_second * 60) if purse.capacity is not None else None
    return RoomWait(ahead, datetime.fromtimestamp(ready, UTC), a_minute)
