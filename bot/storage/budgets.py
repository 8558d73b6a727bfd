"""Rate budgets: token buckets in rows, shared by all replicas. Filled and drawn from with the claim."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Double,
    Select,
    Update,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from bot.domain.effects import AnyEffect
from bot.domain.incident import Incident
from bot.ports.waits import WAIT_MAX
from bot.storage.prepared import rows, run
from bot.storage.sets import is_one_of
from bot.storage.tables import budgets, effects, is_failed, is_open

BudgetOf = Callable[[AnyEffect, Incident], str]
"""Names the budget an effect draws from (`conversations.create`, `chat.postMessage:C0123`); empty: none."""
Limits = Mapping[str, tuple[int, float]]
"""Budget name, or its part up to and with the colon → (tokens at most, seconds in which that many come back)."""

_KEPT: Final = 0.4
"""SEV3 and SEV4 may use 60 % of a budget: this part is kept for the others."""
_LOW: Final = 3
"""The first rank that may not touch the kept part."""


def insert_into(dialect: str, table: Any) -> Any:
    """Return the INSERT of the database called `dialect`, which knows ON CONFLICT."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # SQLite's users need not load it

        return postgresql.insert(table)
    return sqlite.insert(table)


def limit_of(name: str, limits: Limits) -> tuple[int, float] | None:
    """Return the limit of budget `name`, if it has one."""
    if name in limits:
        return limits[name]
    method, colon, _ = name.partition(":")
    return limits.get(method + colon) if colon else None


def open_budgets(conn: Connection, names: Iterable[str], limits: Limits, now: datetime) -> None:
    """Make sure that each of `names` has a row that follows its limit."""
    opened = []
    for name in sorted(set(names)):
        limit = limit_of(name, limits)
        count, seconds = limit or (0, 1.0)
        opened.append(
            {
                "name": name,
                "tokens": count,
                "capacity": count if limit else None,
                "per_second": count / seconds,
                "reserve": math.floor(count * _KEPT),
                "refilled_at": now.timestamp(),
                "parked_until": 0.0,
            }
        )
    run(conn, _opening(conn.dialect.name), opened)


@cache
def _opening(dialect: str) -> Any:
    insert = insert_into(dialect, budgets)
    kept = {name: insert.excluded[name] for name in ("capacity", "per_second", "reserve")}
    changed = func.coalesce(budgets.c.capacity, -1) != func.coalesce(insert.excluded.capacity, -1)
    slower = budgets.c.per_second != insert.excluded.per_second
    return insert.on_conflict_do_update(index_elements=["name"], set_=kept, where=changed | slower)


def tokens_at(second: float | BindParameter[float]) -> ColumnElement[float]:
    """Return the tokens of a budget row at `second` (since 1970)."""
    b = budgets.c
    passed = case((b.refilled_at < second, second - b.refilled_at), else_=0.0)
    filled = b.tokens + passed * b.per_second
    return case((filled > b.capacity, cast(b.capacity, Double)), else_=filled)


def kept_at(rank: int) -> bool:
    """True if an effect of `rank` may not touch the kept part."""
    return rank >= _LOW


def kept_from(rank: ColumnElement[int]) -> ColumnElement[float]:
    """Return the tokens that an effect of `rank` may not touch."""
    return case((rank >= _LOW, budgets.c.reserve), else_=0.0)


def draw(conn: Connection, names: Iterable[str], now: datetime) -> None:
    """Take one token for each of `names` (a name may come several times)."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    if counts:
        second = now.timestamp()
        run(conn, _drawing(), [{"budget": name, "count": n, "second": second} for name, n in sorted(counts.items())])


@cache
def _drawing() -> Update:
    second: BindParameter[float] = bindparam("second", type_=Double())
    left = tokens_at(second) - bindparam("count", type_=Double())
    limited = and_(budgets.c.name == bindparam("budget"), budgets.c.capacity.is_not(None))
    return update(budgets).where(limited).values(tokens=left, refilled_at=second)


def park(conn: Connection, name: str, until: datetime, limits: Limits, now: datetime) -> None:
    """Start nothing of budget `name` before `until`; an earlier park never shortens a longer one."""
    open_budgets(conn, [name], limits, now)
    later = and_(budgets.c.name == name, budgets.c.parked_until < until.timestamp())
    conn.execute(update(budgets).where(later).values(parked_until=until.timestamp()))


def next_token(conn: Connection, wanted: Iterable[tuple[str, int]], now: datetime) -> datetime | None:
    """Return when the first of `wanted` (budget, rank) may start, if that lies ahead."""
    ranks = dict(wanted)
    if not ranks:
        return None
    moments = []
    for row in rows(conn, levels(), {"named": list(ranks), "second": now.timestamp()}):
        ready = row.parked_until
        if row.capacity is not None and row.per_second > 0:
            missing = 1 + (row.reserve if ranks[row.name] >= _LOW else 0) - row.level
            ready = max(ready, now.timestamp() + missing / row.per_second) if missing > 0 else ready
        if ready > now.timestamp():
            moments.append(ready)
    return datetime.fromtimestamp(min(moments), UTC) if moments else None


@cache
def levels() -> Select[Any]:
    """Select the budgets that are `named`, each with its tokens at `second` as `level`."""
    level = tokens_at(bindparam("second", type_=Double())).label("level")
    return select(budgets, level).where(is_one_of(budgets.c.name))


def forget_full(conn: Connection, now: datetime) -> None:
    """Drop the rows of budgets that are full, not parked, and drawn from by nothing that may still run.

    A channel's is made again when it is needed; what waits or may be tried again keeps its own, for without a row
    nothing limits it. The rows are locked first: a commit under way that will draw from one is seen, or makes it anew.
    """
    b, second = budgets.c, now.timestamp()
    # a clock that ran ahead, or an older version, may have parked one for longer than anybody asks for
    conn.execute(update(budgets).where(b.parked_until > second + WAIT_MAX).values(parked_until=second + WAIT_MAX))
    full = (b.parked_until <= second) & (b.capacity.is_(None) | (tokens_at(second) >= b.capacity))
    names = list(conn.execute(select(b.name).where(full).order_by(b.name).with_for_update()).scalars())
    if names:
        drawn_from = select(effects.c.budget).where(or_(is_open(), is_failed()))
        conn.execute(budgets.delete().where(b.name.in_(names), b.name.not_in(drawn_from)))
