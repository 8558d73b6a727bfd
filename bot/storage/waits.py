"""How long channels have to wait for their turn, as far as the queue and its budget tell."""

import math
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from bot.ports.reader import RoomWait
from bot.storage.budgets import kept_at, levels
from bot.storage.prepared import rows
from bot.storage.tables import effects, is_open
from bot.storage.write_queue import WAITING

_ROOM: Final = "open_room"


def room_waits(conn: Connection, now: datetime) -> dict[int, RoomWait]:
    """Return what channels wait for, by incident; those that nothing keeps from being opened at once are not in it.

    Before a channel is all that comes first in the queue and draws from the same budget: other channels, new or again.
    """
    waiting = rows(conn, _waiting())
    if not waiting:
        return {}
    named = sorted({one.budget for one in waiting})
    purses = {row.name: row for row in rows(conn, levels(), {"named": named, "second": now.timestamp()})}
    ahead = Counter[str]()
    waits = {}
    for one in waiting:
        purse = purses.get(one.budget) if one.kind == _ROOM else None
        if purse is not None and (wait := _wait(one.rank, ahead[one.budget], purse, now)):
            waits[one.incident] = wait
        ahead[one.budget] += 1
    return waits


def _wait(rank: int, ahead: int, purse: Any, now: datetime) -> RoomWait | None:
    ready = purse.parked_until
    if purse.capacity is not None and purse.per_second > 0:
        missing = ahead + 1 + (purse.reserve if kept_at(rank) else 0) - purse.level
        ready = max(ready, now.timestamp() + missing / purse.per_second) if missing > 0 else ready
    if ready <= now.timestamp():
        return None
    a_minute = math.floor(purse.per_second * 60) if purse.capacity is not None else None
    return RoomWait(ahead, datetime.fromtimestamp(ready, UTC), a_minute)


@cache
def _waiting() -> Select[Any]:
    """What waits for the budgets of channels. Built once: building it costs more than running it."""
    e, room = effects.c, effects.alias("room")
    of_rooms = select(room.c.budget).where(is_open("room"), room.c.kind == _ROOM, room.c.state == WAITING)
    waiting = select(e.incident, e.kind, e.rank, e.budget).where(is_open(), e.state == WAITING, e.budget.in_(of_rooms))
    return waiting.order_by(e.rank, e.pos)
