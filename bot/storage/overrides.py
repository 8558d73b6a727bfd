"""Overrides of on-call: few rows, made and cancelled by people, read by every replica."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, func, select

from bot.domain.duty import Override
from bot.ports.store import Changes, Loaded
from bot.storage import locks
from bot.storage.budgets import insert_into
from bot.storage.locks import LockClass
from bot.storage.tables import overrides


def load(conn: Connection, now: datetime, loaded: Loaded) -> None:
    """Lock them, and load those that are not over, and the next number."""
    locks.take(conn, [(LockClass.ROSTER, "overrides")])
    loaded.overrides = {one.number: one for one in read(conn, now)}
    loaded.next_override = (conn.execute(select(func.max(overrides.c.number))).scalar() or 0) + 1


def read(conn: Connection, since: datetime) -> list[Override]:
    """Return those that end after `since` and were not cancelled, in order of their numbers."""
    o = overrides.c
    query = select(overrides).where(o.end > since, o.cancelled_at.is_(None)).order_by(o.number)
    return [Override(**row) for row in conn.execute(query).mappings()]


def write(conn: Connection, batch: Sequence[Changes]) -> None:
    """Write what `batch` made or cancelled; of one that it did both with, the last state counts."""
    latest = {one.number: one for changes in batch for one in changes.overrides}
    for one in latest.values():
        row = insert_into(conn.dialect.name, overrides).values(**asdict(one))
        over = {"cancelled_at": one.cancelled_at, "cancelled_by": one.cancelled_by}
        conn.execute(row.on_conflict_do_update(index_elements=["number"], set_=over))
