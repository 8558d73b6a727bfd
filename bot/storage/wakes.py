"""When the runner is needed next: ripe effects, ended leases, timers, refilled budgets."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Integer, Select, bindparam, func, select

from bot.ports.store import DueTimer
from bot.storage.budgets import next_token
from bot.storage.claims import ripe
from bot.storage.columns import UtcTime, database_clock
from bot.storage.prepared import rows
from bot.storage.tables import effects, is_armed, is_open, timers
from bot.storage.write_queue import WAITING

_NOW: Final = bindparam("now", type_=UtcTime())


def due_timers(conn: Connection, now: datetime, limit: int) -> list[DueTimer]:
    """Return the armed timers whose time has come, the most overdue first."""
    due = rows(conn, _due(), {"now": now, "most": limit})
    return [DueTimer(row.incident, row.kind, row.due) for row in due]


# Each statement is built once: building one costs more than running it.
@cache
def _due() -> Select[Any]:
    t = timers.c
    query = select(t.incident, t.kind, t.due).where(is_armed(), t.due <= _NOW).order_by(t.due, t.pos)
    return query.limit(bindparam("most", type_=Integer()))


def next_wake(conn: Connection, now: datetime) -> datetime | None:
    """Return the earliest moment after `now` at which something may start that may not start yet."""
    later, timer, seconds = rows(conn, _ahead(), {"now": now})[0]
    starved = [(row[0], row[1]) for row in rows(conn, _starved(), {"now": now})]
    moments = [
        later,
        timer,
        now + timedelta(seconds=seconds) if seconds is not None else None,
        next_token(conn, starved, now),
    ]
    return min((moment for moment in moments if moment is not None), default=None)


@cache
def _ahead() -> Select[Any]:
    """The next retry, the next timer, and the seconds until the next lease ends."""
    e, t = effects.c, timers.c
    later = select(func.min(e.not_before)).where(is_open(), e.state == WAITING, e.not_before > _NOW)
    timer = select(func.min(t.due)).where(is_armed(), t.due > _NOW)
    lease = select(func.min(e.lease_until) - database_clock()).where(
        is_open(), e.state == "claimed", e.lease_until > database_clock()
    )
    return select(later.scalar_subquery(), timer.scalar_subquery(), lease.scalar_subquery())


@cache
def _starved() -> Select[Any]:
    """What could start but for its budget: each budget, and the best rank that waits for it."""
    e = effects.c
    return select(e.budget, func.min(e.rank)).where(is_open(), ripe(), e.budget != "").group_by(e.budget)
