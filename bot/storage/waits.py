"""How long channels have to wait for their turn, as far as the queue and its budget tell."""

import math
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, select

from bot.ports.reader import RoomWait
from bot.storage.budgets import kept_at, levels
from bot.storage.prepared import rows
from bot.storage.tables import effects, is_open
from bot.storage.write_queue import WAITING


def room_waits(conn: Connection, now: datetime) -> dict[int, RoomWait]:
    """Return what channels wait for, by incident; those that nothing keeps from being opened at once are not in it.

    Before a channel are all that come first in the queue: nothing else draws from the budget of channels.
    """
    rooms = rows(conn, _rooms())
    if not rooms:
        return {}
    named = sorted({room.budget for room in rooms})
    purses = {row.name: row for row in rows(conn, levels(), {"named": named, "second": now.timestamp()})}
    ahead = Counter[str]()
    waits = {}
    for room in rooms:
        if room.budget in purses and (wait := _wait(room.rank, ahead[room.budget], purses[room.budget], now)):
            waits[room.incident] = wait
        ahead[room.budget] += 1
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
def _rooms() -> Select[Any]:
    """Built once: building it costs more than running it."""
    e = effects.c
    waiting = select(e.incident, e.rank, e.budget).where(is_open(), e.kind == "open_room", e.state == WAITING)
    return waiting.order_by(e.rank, e.pos)
