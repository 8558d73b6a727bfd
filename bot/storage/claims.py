"""The claim: which effects may run now, taken in one set, under one transaction.

Three statements choose and take them (cancel what the acknowledgement made idle; choose by rank, lane, Show key and
budget; take with SKIP LOCKED), then one query a table loads what their handlers need.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from bot.domain.effects import RESPONSE, AnyEffect, PostRunbook, ShowMessage, read_effect
from bot.domain.incident import Incident
from bot.ports.delivery import Job
from bot.storage import locks
from bot.storage.budgets import draw, kept_from, tokens_at
from bot.storage.columns import UtcTime, database_clock
from bot.storage.locks import LockClass
from bot.storage.streams import read_some
from bot.storage.tables import budgets, effects, incidents, is_open
from bot.storage.write_queue import WAITING, back_to_waiting

_lane: Final = effects.alias("lane_mate")
_show: Final = effects.alias("same_show")


# Each statement is built once: building one costs more than running it.
_NOW: Final = bindparam("now", type_=UtcTime())
_SECOND: Final[BindParameter[float]] = bindparam("second", type_=Double())
_LIMIT: Final = bindparam("most", type_=Integer())
_CHOSEN: Final = bindparam("chosen", type_=BigInteger(), expanding=True)
_ONES: Final = bindparam("ones", type_=BigInteger(), expanding=True)


def ripe() -> ColumnElement[bool]:
    """True for a row that may be started: waiting and due, or claimed by somebody whose lease has ended."""
    e = effects.c
    due = or_(e.not_before.is_(None), e.not_before <= _NOW)
    return or_(
        and_(e.state == WAITING, due),
        and_(e.state == "claimed", e.lease_until <= database_clock()),
    )


def unblocked() -> ColumnElement[bool]:
    """True for the first unfinished row of its lane, and for a Show that nobody else is showing."""
    e = effects.c
    ahead = or_(_lane.c.pos < e.pos, and_(_lane.c.pos != e.pos, _lane.c.state == "claimed"))
    lane_busy = exists(
        select(_lane.c.pos).where(e.lane.is_not(None), _lane.c.lane == e.lane, is_open("lane_mate"), ahead)
    )
    same = and_(
        is_open("same_show"), _show.c.incident == e.incident, _show.c.show_key == e.show_key, _show.c.pos != e.pos
    )
    # of two that could go (one left behind by a dead worker), the one left behind goes first
    shown_now = exists(select(_show.c.pos).where(e.show_key.is_not(None), same, _show.c.state == "claimed"))
    return and_(~lane_busy, ~shown_now)


def claim(conn: Connection, worker: str, limit: int, now: datetime, lease: float) -> list[Job]:
    """Take at most `limit` effects for `worker` until `lease` seconds from now by the database's clock."""
    locks.take(conn, [(LockClass.CLAIM, "claim")])  # budgets and lanes are judged as one
    conn.execute(_cancelling())
    chosen = list(conn.execute(_choosing(), {"now": now, "second": now.timestamp(), "most": limit}).scalars())
    if not chosen:
        return []
    taken = _take(conn, chosen, worker, now, lease)
    draw(conn, (row.budget for row in taken if row.budget), now)
    return _jobs(conn, taken)


@cache
def _cancelling() -> Update:
    """A call for an answer that was given meanwhile is not claimed any more.

    One asked for after the acknowledgement (a person pages another one) still goes out.
    """
    e, i = effects.c, incidents.c
    answered = exists(select(i.number).where(i.number == e.incident, or_(~i.active, i.acknowledged_at >= e.created_at)))
    idle = or_(e.state == WAITING, and_(e.state == "claimed", e.lease_until <= database_clock()))
    stop = update(effects).where(is_open(), e.cause == RESPONSE, idle, answered)
    return stop.values(state="cancelled", token=None, worker=None, lease_until=None)


@cache
def _choosing() -> Select[int]:
    """The positions of what may run, best rank first, then in order of the log."""
    e, b = effects.c, budgets.c
    turn = func.row_number().over(partition_by=e.budget, order_by=(e.rank, e.pos))
    share = case(
        (b.name.is_(None), _LIMIT),
        (b.parked_until > _SECOND, 0),
        (b.capacity.is_(None), _LIMIT),
        else_=tokens_at(_SECOND) - kept_from(e.rank),
    )
    candidates = (
        select(e.pos, e.rank, turn.label("turn"), share.label("share"))
        .select_from(effects.outerjoin(budgets, b.name == e.budget))
        # a dry budget first: its rows, perhaps thousands, need not be held against their lanes
        .where(is_open(), ripe(), share >= 1, unblocked())
        .subquery()
    )
    c = candidates.c
    return select(c.pos).where(c.turn <= c.share).order_by(c.rank, c.pos).limit(_LIMIT)


@cache
def _taking() -> Update:
    """Mark the chosen rows as ours, but for those that a commit under way is changing."""
    e = effects.c
    free = select(e.pos).where(e.pos.in_(_CHOSEN), ripe()).with_for_update(skip_locked=True)
    values = {
        "state": "claimed",
        "token": bindparam("held_by"),
        "worker": bindparam("holder"),
        "attempt": e.attempt + 1,
        "first_at": func.coalesce(e.first_at, _NOW),
        "lease_until": database_clock() + bindparam("lease", type_=Double()),
        "not_before": None,
    }
    return update(effects).where(e.pos.in_(free)).values(values).returning(effects)


@cache
def _first_attempts() -> Select[tuple[int, datetime | None]]:
    """When the chosen rows were first tried, as it was before this claim."""
    return select(effects.c.pos, effects.c.first_at).where(effects.c.pos.in_(_CHOSEN))


def _take(conn: Connection, chosen: list[int], worker: str, now: datetime, lease: float) -> list[Any]:
    """Take the rows `chosen`. Return them in order."""
    before = {row.pos: row.first_at for row in conn.execute(_first_attempts(), {"chosen": chosen})}
    mine = {"chosen": chosen, "now": now, "held_by": secrets.token_hex(12), "holder": worker, "lease": lease}
    rows = conn.execute(_taking(), mine).all()
    order = {pos: n for n, pos in enumerate(chosen)}
    return sorted((_Taken(row, before[row.pos]) for row in rows), key=lambda row: order[row.pos])


class _Taken:
    """A claimed row, with the time of its first attempt as it was before this claim."""

    def __init__(self, row: Any, first_at: datetime | None) -> None:
        self.row = row
        self.pos: int = row.pos
        self.budget: str = row.budget
        self.first_at = first_at
        self.effect: AnyEffect = read_effect(row.data)


def _wants_runbook(effect: AnyEffect) -> bool:
    return isinstance(effect, PostRunbook) or (isinstance(effect, ShowMessage) and effect.what == "runbook")


def _jobs(conn: Connection, taken: list[_Taken]) -> list[Job]:
    states = load_states(conn, {one.row.incident for one in taken})
    causes = [(one.row.incident, one.row.seq) for one in taken]
    books = {
        one.pos: (one.row.incident, book.seq)
        for one in taken
        if _wants_runbook(one.effect) and (book := states[one.row.incident].runbook)
    }
    events = read_some(conn, [*causes, *books.values()])
    return [
        Job(
            id=one.row.id,
            effect=one.effect,
            token=one.row.token,
            attempt=one.row.attempt,
            created_at=one.row.created_at,
            first_at=one.first_at,
            state=states[one.row.incident],
            event=events[one.row.incident, one.row.seq],
            runbook=events[books[one.pos]] if one.pos in books else None,
        )
        for one in taken
    ]


def load_states(conn: Connection, numbers: Iterable[int]) -> dict[int, Incident]:
    """Return the snapshots of these incidents."""
    ones = {"ones": sorted(set(numbers))}
    return {row.number: Incident.model_validate_json(row.state) for row in conn.execute(_states(), ones)}


@cache
def _states() -> Select[tuple[int, str]]:
    return select(incidents.c.number, incidents.c.state).where(incidents.c.number.in_(_ONES))


def holders(conn: Connection) -> list[str]:
    """Return the workers that hold effects."""
    e = effects.c
    mine = select(e.worker).where(is_open(), e.state == "claimed", e.worker.is_not(None)).distinct()
    return list(conn.execute(mine).scalars())


def release(conn: Connection, worker: str) -> None:
    """Hand back what `worker` holds. `first_at` stays: whoever takes it looks before it repeats."""
    e = effects.c
    mine = select(e.pos).where(is_open(), e.worker == worker, e.state == "claimed")
    back = {
        "state": back_to_waiting(),
        "attempt": e.attempt - 1,
        "token": None,
        "worker": None,
        "lease_until": None,
    }
    for pos in sorted(conn.execute(mine).scalars()):
        conn.execute(update(effects).where(e.pos == pos, e.worker == worker, e.state == "claimed").values(back))
