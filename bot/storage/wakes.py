"""When the runner is needed next: ripe effects, ended leases, timers, refilled budgets."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from bot.ports.store import DueTimer
from bot.storage.budgets import next_token
from bot.storage.columns import database_clock
from bot.storage.tables import effects, is_armed, is_open, timers
from bot.storage.write_queue import WAITING


def due_timers(conn: Connection, now: datetime, limit: int) -> list[DueTimer]:
    """Return the armed timers whose time has come, the most overdue first."""
    t = timers.c
    query = select(t.incident, t.kind, t.due).where(is_armed(), t.due <= now).order_by(t.due, t.pos)
    return [DueTimer(row.incident, row.kind, row.due) for row in conn.execute(query.limit(limit))]


def next_wake(conn: Connection, now: datetime) -> datetime | None:
    """Return the earliest moment after `now` at which something may start that may not start yet."""
    e, t = effects.c, timers.c
    later = select(func.min(e.not_before)).where(is_open(), e.state == WAITING, e.not_before > now)
    timer = select(func.min(t.due)).where(is_armed(), t.due > now)
    lease = select(func.min(e.lease_until) - database_clock()).where(
        is_open(), e.state == "claimed", e.lease_until > database_clock()
    )
    ripe = and_(is_open(), e.state == WAITING, or_(e.not_before.is_(None), e.not_before <= now), e.budget != "")
    starved = select(e.budget, func.min(e.rank)).where(ripe).group_by(e.budget)
    seconds = conn.execute(lease).scalar()
    moments = [
        conn.execute(later).scalar(),
        conn.execute(timer).scalar(),
        now + timedelta(seconds=seconds) if seconds is not None else None,
        next_token(conn, [(row[0], row[1]) for row in conn.execute(starved)], now),
    ]
    return min((moment for moment in moments if moment is not None), default=None)
