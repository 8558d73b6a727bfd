"""Write a batch's changes of effects and timers."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
    text,
    update,
)

from bot.domain.effects import RESPONSE, read_effect
from bot.storage.budgets import BudgetOf, insert_into
from bot.storage.many import insert_many
from bot.storage.prepared import rows, run
from bot.storage.queue_rows import EffectRows, TimerRows
from bot.storage.sets import is_one_of
from bot.storage.tables import SHOWN_ONCE, effects, incidents, timers

WAITING: Final = "waiting"
# Spelt out: an IN list cannot be used with executemany.
_PENDING: Final = or_(effects.c.state == WAITING, effects.c.state == "held")
_other: Final = effects.alias("other")


def is_answered() -> ColumnElement[bool]:
    """True for a call for an answer that has been given, or that nobody needs any more.

    One asked for after the acknowledgement (a person pages another one) still goes out.
    """
    e, i = effects.c, incidents.c
    given = or_(~i.active, i.acknowledged_at >= e.created_at)
    return and_(e.cause == RESPONSE, exists(select(i.number).where(i.number == e.incident, given)))


def back_to_waiting(*, unless_answered: bool = False) -> ColumnElement[str]:
    """Return the state of an effect that shall wait again: a Show gives way to one that waits already.

    `unless_answered`: a call for an answer that was given while it was out does not wait for another try.
    """
    newer_waits = exists(
        select(_other.c.pos).where(
            _other.c.incident == effects.c.incident,
            _other.c.show_key == effects.c.show_key,
            _other.c.state == WAITING,
            _other.c.pos != effects.c.pos,
        )
    )
    pointless = or_(newer_waits, is_answered()) if unless_answered else newer_waits
    return case((pointless, "cancelled"), else_=WAITING)


def write_effects(conn: Connection, changed: EffectRows, budget_of: BudgetOf) -> set[str]:
    """Settle, retry, cancel and release what stands; then insert what is new. Return the budgets they draw from."""
    _settle(conn, changed)
    # one by one: each sees the row that the one before it sent back to waiting
    run(conn, _retrying(), [{"effect": effect, "asked_at": at} for effect, at in changed.retried])
    run(conn, _showing_again(), [{"effect": effect} for effect in changed.shown_again])
    run(conn, _cancelling(), [{"number": n, "why": cause, "ended": at} for n, cause, at in changed.cancelled])
    used = _release(conn, changed, budget_of)
    run(conn, _ranking(), [{"number": n, "new_rank": rank} for n, rank in sorted(changed.ranks.items())])
    _insert(conn, changed)
    return used | {row["budget"] for row in changed.new.values()}


def _settle(conn: Connection, changed: EffectRows) -> None:
    run(
        conn,
        _ending(),
        [
            {"effect": s.effect, "held": s.token, "outcome": s.outcome, "ended": s.at, "why": s.error, "help": s.mend}
            for s in changed.settled
            if s.outcome != "retry"
        ],
    )
    run(
        conn,
        _postponing(),
        [
            {
                "effect": s.effect,
                "held": s.token,
                "ripe": s.not_before,
                "why": s.error,
                "fresh": s.untouched,
                "counted": int(s.tried),
            }
            for s in changed.settled
            if s.outcome == "retry"
        ],
    )


# Each statement is built once: building one costs more than running it.
@cache
def _ending() -> Update:
    return _freeing({"state": bindparam("outcome"), "ended_at": bindparam("ended"), "mend": bindparam("help")})


@cache
def _postponing() -> Update:
    e = effects.c
    fresh = case((bindparam("fresh", type_=Boolean()), null()), else_=e.first_at)
    tried = e.attempt - 1 + bindparam("counted", type_=Integer())
    state = back_to_waiting(unless_answered=True)
    return _freeing({"state": state, "not_before": bindparam("ripe"), "first_at": fresh, "attempt": tried})


def _freeing(values: dict[str, Any]) -> Update:
    mine = and_(effects.c.id == bindparam("effect"), effects.c.token == bindparam("held"))
    free: dict[str, Any] = {"token": None, "worker": None, "lease_until": None, "error": bindparam("why")}
    return update(effects).where(mine, effects.c.state == "claimed").values({**values, **free})


@cache
def _retrying() -> Update:
    values: dict[str, Any] = {"state": back_to_waiting(), "attempt": 0, "not_before": None, "ended_at": None}
    values |= {"error": "", "mend": "", "created_at": bindparam("asked_at")}
    return update(effects).where(effects.c.id == bindparam("effect"), effects.c.state == "failed").values(values)


@cache
def _cancelling() -> Update:
    mine = and_(effects.c.incident == bindparam("number"), effects.c.cause == bindparam("why"))
    return update(effects).where(mine, _PENDING).values(state="cancelled", ended_at=bindparam("ended"))


@cache
def _ranking() -> Update:
    mine = and_(effects.c.incident == bindparam("number"), _PENDING)
    return update(effects).where(mine).values(rank=bindparam("new_rank"))


def _release(conn: Connection, changed: EffectRows, budget_of: BudgetOf) -> set[str]:
    """What was held for the room may go, drawing from the budget of the room that now exists."""
    if not changed.released:
        return set()
    free = [
        {"position": row.pos, "purse": budget_of(read_effect(row.data), changed.released[row.incident])}
        for row in rows(conn, _held(), {"named": sorted(changed.released)})
    ]
    run(conn, _freed(), free)
    return {one["purse"] for one in free}


@cache
def _held() -> Select[Any]:
    e = effects.c
    return select(e.pos, e.incident, e.data).where(is_one_of(e.incident), e.state == "held")


@cache
def _freed() -> Update:
    mine = update(effects).where(effects.c.pos == bindparam("position"))
    return mine.values(state=WAITING, budget=bindparam("purse"))


def _insert(conn: Connection, changed: EffectRows) -> None:
    """Insert the new rows. A Show that waits already takes over the better rank, and the newer cause: a status page
    shows the update that its cause published.

    That update also matters for the lock it takes: a claim that has not committed cannot take the waiting row and
    then show a state older than this commit.
    """
    new = list(changed.new.values())
    says = [row for row in new if row["show_key"] is None or row["state"] != WAITING]
    shows = [row for row in new if row["show_key"] is not None and row["state"] == WAITING]
    insert_many(conn, effects, says)
    run(conn, _showing(conn.dialect.name), shows)


@cache
def _showing_again() -> Update:
    """What it shows is as it is then. One that waits, or is under way, does that anyway."""
    asked, same = effects.alias("asked"), effects.alias("same")
    of_it = and_(same.c.incident == asked.c.incident, same.c.show_key == asked.c.show_key)
    newest = select(func.max(same.c.pos)).join_from(asked, same, of_it).where(asked.c.id == bindparam("effect"))
    values = {"state": back_to_waiting(), "attempt": 0, "not_before": None, "ended_at": None}
    mine = update(effects).where(effects.c.pos == newest.scalar_subquery(), effects.c.state == "done")
    return mine.values(values)


@cache
def _showing(dialect: str) -> Any:
    statement = insert_into(dialect, effects)
    rank = case((statement.excluded.rank < effects.c.rank, statement.excluded.rank), else_=effects.c.rank)
    return statement.on_conflict_do_update(
        index_elements=["incident", "show_key"],
        index_where=text(SHOWN_ONCE),
        set_={"rank": rank, "seq": statement.excluded.seq, "data": statement.excluded.data},
    )


def write_timers(conn: Connection, changed: TimerRows) -> None:
    """End what stands, then insert the new ones."""
    run(conn, _stopping(), changed.ended)
    insert_many(conn, timers, changed.new)


@cache
def _stopping() -> Update:
    mine = and_(timers.c.incident == bindparam("timer_incident"), timers.c.kind == bindparam("timer_kind"))
    columns = ("state", "ended_at", "late_by", "why")
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return update(timers).where(mine, timers.c.state == "armed").values(values)
