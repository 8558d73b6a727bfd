"""Notices and unusable deliveries: what is kept beside the incidents, for a while."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)

from bot.domain.notices import HOUSE, Notice
from bot.ports.store import Changes, Loaded
from bot.storage.budgets import insert_into
from bot.storage.prepared import rows
from bot.storage.sets import is_one_of
from bot.storage.tables import effects, is_open, notices, unusable


def load(conn: Connection, keys: Iterable[str], loaded: Loaded) -> None:
    """Load which of `keys` were used, and when."""
    named = sorted(keys)
    if named:
        for row in rows(conn, _used(), {"named": named}):
            loaded.notices[row.key] = row.created_at


@cache
def _used() -> Select[Any]:
    return select(notices.c.key, notices.c.created_at).where(is_one_of(notices.c.key))


def write(conn: Connection, batch: Sequence[Changes]) -> None:
    """Write the notices and the unusable deliveries of `batch`."""
    new = [
        {"key": notice.key, "data": notice.model_dump_json(), "created_at": at}
        for changes in batch
        for notice, at in changes.notices
    ]
    if new:
        conn.execute(insert(notices), new)
    for changes in batch:
        for kept in changes.unusable:
            row = insert_into(conn.dialect.name, unusable).values(
                id=kept.id,
                source=kept.source,
                reason=kept.reason,
                size=kept.size,
                body=kept.body,
                times=1,
                first_at=kept.at,
                last_at=kept.at,
            )
            again = {"times": unusable.c.times + 1, "last_at": kept.at, "reason": kept.reason}
            conn.execute(row.on_conflict_do_update(index_elements=["id"], set_=again))


def read(conn: Connection, keys: Iterable[str]) -> dict[str, Notice]:
    """Return the notices under `keys`."""
    named = sorted(set(keys))
    if not named:
        return {}
    return {row.key: Notice.model_validate_json(row.data) for row in rows(conn, _read(), {"named": named})}


@cache
def _read() -> Select[Any]:
    return select(notices.c.key, notices.c.data).where(is_one_of(notices.c.key))


def count_unusable(conn: Connection) -> dict[str, int]:
    """Return how many unusable deliveries are kept, by source; a repeated one counts as often as it came."""
    query = select(unusable.c.source, func.sum(unusable.c.times)).group_by(unusable.c.source)
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def purge(conn: Connection, notices_before: datetime, unusable_before: datetime) -> None:
    """Forget notices whose delivery has ended, with their rows in the queue, and unusable deliveries."""
    conn.execute(delete(unusable).where(unusable.c.last_at < unusable_before))
    conn.execute(_forget_effects(), {"before": notices_before})
    # Their words go by age: one that still waits after so long is not worth keeping, but its row is in the way.
    waits = exists(
        select(effects.c.pos).where(
            is_open(), effects.c.incident == HOUSE, effects.c.id == literal("notice:") + notices.c.key
        )
    )
    conn.execute(delete(notices).where(notices.c.created_at < notices_before, ~waits))


@cache
def _forget_effects() -> Delete:
    ended = effects.c.ended_at < bindparam("before", type_=effects.c.ended_at.type)
    return delete(effects).where(effects.c.incident == HOUSE, ended)
