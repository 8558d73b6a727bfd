"""The claim: which effects may run now, taken in one set, under one transaction.

Two statements choose and take them (choose by rank, lane, Show key and budget; take with SKIP LOCKED), a third one
between them cancels the calls whose answer came meanwhile. Then one query a table loads what their handlers need.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
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
    text,
    update,
)

from bot.domain.effects import (
    IN_ROOM,
    RESPONSE,
    AnyEffect,
    AskTriage,
    PostNotice,
    PostRunbook,
    ShowMessage,
    ShowTriage,
    TellUser,
    read_effect,
)
from bot.domain.folding import FOLD_AFTER
from bot.domain.incident import Incident
from bot.domain.notices import HOUSE, house, house_event
from bot.ports.delivery import Folded, Job
from bot.storage import locks, notices, questions
from bot.storage.budgets import draw, kept_from, tokens_at
from bot.storage.columns import UtcTime, database_clock
from bot.storage.folds import to_fold
from bot.storage.locks import LockClass
from bot.storage.prepared import rows
from bot.storage.remembered import SNAPSHOTS
from bot.storage.sets import is_one_of
from bot.storage.snapshots import snapshots_named
from bot.storage.streams import read_some
from bot.storage.tables import budgets, effects, incidents, is_open
from bot.storage.write_queue import WAITING, back_to_waiting, is_answered

_lane: Final = effects.alias("lane_mate")
_show: Final = effects.alias("same_show")
_room: Final = effects.alias("room_mate")
_IN_ROOM: Final = text("room_mate.kind IN ({})".format(", ".join(f"'{kind}'" for kind in sorted(IN_ROOM))))
"""Written out: the list is always the same, and bound values would be put in anew for each claim."""


# Each statement is built once: building one costs more than running it.
_NOW: Final = bindparam("now", type_=UtcTime())
_SECOND: Final[BindParameter[float]] = bindparam("second", type_=Double())
_LIMIT: Final = bindparam("most", type_=Integer())


def ripe() -> ColumnElement[bool]:
    """True for a row that may be started: waiting and due, or claimed by somebody whose lease has ended."""
    e = effects.c
    due = or_(e.not_before.is_(None), e.not_before <= _NOW)
    return or_(and_(e.state == WAITING, due), _is_left_behind())


def _is_left_behind() -> ColumnElement[bool]:
    return and_(effects.c.state == "claimed", effects.c.lease_until <= database_clock())


def unblocked() -> ColumnElement[bool]:
    """True for the first unfinished row of its lane.

    But not for a Show that somebody is showing, nor for the archive of a channel in which something older is still to
    be done, unless the incident was reopened: that waits behind it.
    """
    e = effects.c
    # one whose lease has ended runs no more: it waits for its turn like the others
    running = and_(_lane.c.state == "claimed", _lane.c.lease_until > database_clock())
    ahead = or_(_lane.c.pos < e.pos, and_(_lane.c.pos != e.pos, running))
    lane_busy = exists(select(_lane.c.pos).where(_lane.c.lane == e.lane, is_open("lane_mate"), ahead))
    same = and_(_show.c.incident == e.incident, _show.c.show_key == e.show_key, _show.c.pos != e.pos)
    # of two that could go (one left behind by a dead worker), the one left behind goes first
    shown_now = exists(select(_show.c.pos).where(same, _show.c.state == "claimed"))
    furnished = and_(is_open("room_mate"), _room.c.incident == e.incident, _IN_ROOM)
    not_yet = exists(select(_room.c.pos).where(furnished, _room.c.pos < e.pos))
    # what may be tried for a day must not keep a reopened incident from its channel
    wanted_back = exists(select(_lane.c.pos).where(_lane.c.lane == e.lane, is_open("lane_mate"), _lane.c.pos > e.pos))
    # Each is asked only where it matters, by an OR: of a bare NOT EXISTS PostgreSQL makes a join of the queue with
    # itself, and while it does not know yet how long the queue has become, that grows with the square.
    return and_(
        or_(e.lane.is_(None), ~lane_busy),
        or_(e.show_key.is_(None), ~shown_now),
        or_(e.kind != "archive_room", ~not_yet, wanted_back),
    )


def claim(
    conn: Connection, worker: str, limit: int, now: datetime, lease: float, fold_after: timedelta = FOLD_AFTER
) -> list[Job]:
    """Take at most `limit` effects for `worker` until `lease` seconds from now by the database's clock.

    What waited behind one of them for longer than `fold_after` is taken with it, if it can be told as one.
    """
    locks.take(conn, [(LockClass.CLAIM, "claim")])  # budgets and lanes are judged as one
    bound = {"now": now, "second": now.timestamp(), "most": limit}
    found = rows(conn, _choosing(), bound)
    while _cancel_answered(conn, found):  # others may go in their place
        found = rows(conn, _choosing(), bound)
    unwanted = _answered_now(conn, _calls(found))
    # with the time of its first attempt as it is before this claim
    chosen = {row.pos: row.first_at for row in found if row.pos not in unwanted}
    if not chosen:
        return []
    taken = _take(conn, chosen, worker, now, lease)
    draw(conn, (row.budget for row in taken if row.budget), now)
    for one in taken:
        if behind := to_fold(conn, one.row, one.effect, now, fold_after):
            one.folded = _take(conn, behind, worker, now, lease, one.row.token)
    return _jobs(conn, taken, now)


def _calls(found: Iterable[Any]) -> set[int]:
    """Return the positions of those that call for an answer."""
    return {row.pos for row in found if row.cause == RESPONSE}


def _cancel_answered(conn: Connection, found: Iterable[Any]) -> bool:
    """Cancel those of the chosen calls whose answer was given meanwhile; return True if there were any.

    The acknowledgement itself cancels what waits: this is for what a worker held then, and left behind.
    """
    calls = _calls(found)
    return bool(calls) and conn.execute(_cancelling(), {"named": sorted(calls)}).rowcount > 0


@cache
def _cancelling() -> Update:
    idle = or_(effects.c.state == WAITING, _is_left_behind())
    stop = update(effects).where(is_one_of(effects.c.pos), idle, is_answered())
    return stop.values(state="cancelled", token=None, worker=None, lease_until=None)


def _answered_now(conn: Connection, calls: set[int]) -> set[int]:
    """Return which of these calls for an answer are not to be claimed: it has just been given, or may be just now.

    Their incidents stay locked against changes: no call is claimed after the commit that answers it. One that is being
    changed is not waited for; its commit brings the runner back. SQLite has one writer, so nothing changes meanwhile.
    """
    if not calls or conn.dialect.name != "postgresql":
        return set()
    return calls - {row.pos for row in rows(conn, _unanswered(), {"named": sorted(calls)})}


@cache
def _unanswered() -> Select[tuple[int]]:
    e, i = effects.c, incidents.c
    open_still = and_(i.active, or_(i.acknowledged_at.is_(None), i.acknowledged_at < e.created_at))
    query = select(e.pos).join_from(effects, incidents, i.number == e.incident).where(is_one_of(e.pos), open_still)
    return query.with_for_update(read=True, skip_locked=True, of=incidents)


@cache
def _choosing() -> Select[tuple[int, datetime | None, str]]:
    """The positions of what may run, best rank first, then in order of the log."""
    e, b = effects.c, budgets.c
    turn = func.row_number().over(partition_by=e.budget, order_by=(e.rank, e.pos))
    holds = case((b.parked_until > _SECOND, 0), (b.capacity.is_(None), _LIMIT), else_=tokens_at(_SECOND))
    dry = select(b.name).where(holds < 1).correlate(None)
    share = case((b.name.is_(None), _LIMIT), else_=holds - kept_from(e.rank))
    candidates = (
        select(e.pos, e.rank, e.first_at, e.cause, turn.label("turn"), share.label("share"))
        .select_from(effects.outerjoin(budgets, b.name == e.budget))
        # dry budgets first: their rows, perhaps thousands, need not be held against anything else
        .where(e.budget.not_in(dry), is_open(), ripe(), share >= 1, unblocked())
        .subquery()
    )
    c = candidates.c
    return select(c.pos, c.first_at, c.cause).where(c.turn <= c.share).order_by(c.rank, c.pos).limit(_LIMIT)


@cache
def _taking(*, locked: bool) -> Update:
    """Mark the chosen rows as ours, but for those that a commit under way is changing (unless they are `locked`)."""
    e = effects.c
    free = select(e.pos).where(is_one_of(e.pos, "chosen"), ripe()).with_for_update(skip_locked=True)
    values = {
        "state": "claimed",
        "token": bindparam("held_by"),
        "worker": bindparam("holder"),
        "attempt": e.attempt + 1,
        "first_at": func.coalesce(e.first_at, _NOW),
        "lease_until": database_clock() + bindparam("lease", type_=Double()),
        "not_before": None,
    }
    return (
        update(effects)
        .where(is_one_of(e.pos, "chosen") if locked else e.pos.in_(free))
        .values(values)
        .returning(effects)
    )


def _take(
    conn: Connection,
    chosen: Mapping[int, datetime | None],
    worker: str,
    now: datetime,
    lease: float,
    token: str = "",
) -> list["_Taken"]:
    """Take the rows `chosen` (position → first attempt), under `token` if given, due or not. Return them in order."""
    mine: dict[str, Any] = {"chosen": list(chosen), "now": now, "holder": worker, "lease": lease}
    mine["held_by"] = token or secrets.token_hex(12)
    taken = rows(conn, _taking(locked=bool(token)), mine)
    order = {pos: n for n, pos in enumerate(chosen)}
    return sorted((_Taken(row, chosen[row.pos]) for row in taken), key=lambda row: order[row.pos])


class _Taken:
    """A claimed row, with the time of its first attempt as it was before this claim."""

    def __init__(self, row: Any, first_at: datetime | None) -> None:
        self.row = row
        self.pos: int = row.pos
        self.budget: str = row.budget
        self.first_at = first_at
        self.effect: AnyEffect = read_effect(row.data)
        self.folded: list[_Taken] = []

    @property
    def looks_back_to(self) -> datetime | None:
        """The first attempt at this one, or at what is folded into it."""
        return min((one.first_at for one in (self, *self.folded) if one.first_at), default=None)


def _wants_runbook(effect: AnyEffect) -> bool:
    packet = isinstance(effect, TellUser) and effect.template == "handoff_offered"
    return packet or isinstance(effect, PostRunbook) or (isinstance(effect, ShowMessage) and effect.what == "runbook")


def _jobs(conn: Connection, taken: list[_Taken], now: datetime) -> list[Job]:
    states = load_states(conn, {one.row.incident for one in taken})
    causes = [(each.row.incident, each.row.seq) for one in taken for each in (one, *one.folded)]
    books = {
        one.pos: (one.row.incident, book.seq)
        for one in taken
        if _wants_runbook(one.effect) and (book := states[one.row.incident].runbook)
    }
    events = read_some(conn, [*causes, *books.values()])
    states[HOUSE], events[HOUSE, 0] = house(), house_event()
    said = notices.read(conn, (one.effect.notice for one in taken if isinstance(one.effect, PostNotice)))
    asked = {
        one.id: one
        for one in questions.read(
            conn, (one.effect.question for one in taken if isinstance(one.effect, AskTriage | ShowTriage))
        )
    }
    return [
        Job(
            id=one.row.id,
            effect=one.effect,
            token=one.row.token,
            attempt=one.row.attempt,
            created_at=one.row.created_at,
            first_at=one.looks_back_to,
            state=states[one.row.incident],
            event=events[one.row.incident, one.row.seq],
            runbook=events[books[one.pos]] if one.pos in books else None,
            notice=said.get(one.effect.notice) if isinstance(one.effect, PostNotice) else None,
            question=asked.get(one.effect.question) if isinstance(one.effect, AskTriage | ShowTriage) else None,
            folded=tuple(
                Folded(each.row.id, each.effect, events[each.row.incident, each.row.seq]) for each in one.folded
            ),
            claimed_at=now,
        )
        for one in taken
    ]


def load_states(conn: Connection, numbers: Iterable[int]) -> dict[int, Incident]:
    """Return the snapshots of these incidents."""
    named = {"named": sorted(set(numbers))}
    return {row.number: SNAPSHOTS.read(row.number, row.state) for row in rows(conn, snapshots_named(), named)}


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
        "state": back_to_waiting(unless_answered=True),
        "attempt": e.attempt - 1,
        "token": None,
        "worker": None,
        "lease_until": None,
    }
    for pos in sorted(conn.execute(mine).scalars()):
        conn.execute(update(effects).where(e.pos == pos, e.worker == worker, e.state == "claimed").values(back))
