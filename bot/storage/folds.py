"""What waited for a lane during an outage is claimed together with its first message, to be told as one.

The rows are claimed like any other, under the token of the first: leases, take-overs and results need no other rules.
Which of them a message held is in the message itself: a repeat reads it there, whatever came to wait meanwhile.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Select, Text, and_, bindparam, func, or_, select

from bot.domain.effects import AnyEffect, read_effect
from bot.domain.folding import FOLD_MOST, how_many, is_digestible, was_out_of_reach
from bot.storage.columns import UtcTime, database_clock
from bot.storage.prepared import rows
from bot.storage.sets import is_one_of
from bot.storage.tables import effects, is_open
from bot.storage.write_queue import WAITING

_LANE: Final = bindparam("of_lane", type_=Text())
_FIRST: Final = bindparam("first_of_all", type_=BigInteger())


def to_fold(
    conn: Connection, first: Any, effect: AnyEffect, now: datetime, after: timedelta
) -> dict[int, datetime | None]:
    """Return what is told with `first`, a row just taken, whose effect is `effect`: position → first attempt.

    In order, and locked. They follow `first` in its lane without a gap. One that a commit under way is changing ends
    them: it is not waited for, since that commit may wait for `first`.
    """
    if first.lane is None or not is_digestible(effect) or now - first.created_at <= after:
        return {}
    told = rows(conn, _told(), {"of_incident": first.incident, "of_lane": first.lane, "since": first.created_at})
    if not was_out_of_reach(first.created_at, now, told[0][0], after):
        return {}
    behind = rows(conn, _behind(), {"of_lane": first.lane, "first_of_all": first.pos})
    if how_many([effect, *(read_effect(row.data) for row in behind)]) == 1:
        return {}
    free = {row.pos for row in rows(conn, _free(), {"wanted": [row.pos for row in behind]})}
    unbroken = next((n for n, row in enumerate(behind) if row.pos not in free), len(behind))
    run = behind[:unbroken]
    told_with_it = how_many([effect, *(read_effect(row.data) for row in run)]) - 1
    return {row.pos: row.first_at for row in run[:told_with_it]}


@cache
def _told() -> Select[int]:
    e = effects.c
    since = bindparam("since", type_=UtcTime())
    mine = and_(e.incident == bindparam("of_incident", type_=BigInteger()), e.lane == _LANE)
    # messages, not effects: what was told as one ended as one
    return select(func.count(e.ended_at.distinct())).where(mine, e.state == "done", e.ended_at >= since)


@cache
def _behind() -> Select[int, str, datetime | None]:
    e = effects.c
    later = and_(is_open(), e.lane == _LANE, e.pos > _FIRST)
    return select(e.pos, e.data, e.first_at).where(later).order_by(e.pos).limit(FOLD_MOST)


@cache
def _free() -> Select[int]:
    e = effects.c
    ended = and_(e.state == "claimed", e.lease_until <= database_clock())
    free = select(e.pos).where(is_one_of(e.pos, "wanted"), or_(e.state == WAITING, ended))
    return free.with_for_update(skip_locked=True)
