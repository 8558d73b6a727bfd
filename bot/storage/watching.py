"""What is watched for its absence: watchdogs, and alerts of which nobody reports anything any more."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from bot.domain.alerts import Episode
from bot.domain.watchdogs import Watch
from bot.ports.store import Changes, Keys, Loaded
from bot.storage.budgets import insert_into
from bot.storage.tables import episodes, watchdogs


def load(conn: Connection, keys: Keys, loaded: Loaded) -> None:
    """Load the watchdogs, locked until the end, and when the episodes in `keys.sights` were last seen."""
    if keys.watchdogs:
        query = select(watchdogs).where(watchdogs.c.name.in_(sorted(keys.watchdogs))).order_by(watchdogs.c.name)
        loaded.watches = {row["name"]: Watch(**row) for row in conn.execute(query.with_for_update()).mappings()}
    if keys.sights:
        seen = func.coalesce(episodes.c.seen_at, episodes.c.opened_at)
        query = select(episodes.c.id, seen).where(episodes.c.id.in_(sorted(keys.sights)))
        loaded.sights = {row[0]: row[1] for row in conn.execute(query)}


def read(conn: Connection) -> dict[str, Watch]:
    """Return what is on record about every watchdog."""
    return {row["name"]: Watch(**row) for row in conn.execute(select(watchdogs)).mappings()}


def write(conn: Connection, batch: Sequence[Changes]) -> None:
    """Write the looks at the watchdogs, then which were heard of."""
    for watch in (one for changes in batch for one in changes.watches):
        values = asdict(watch)
        row = insert_into(conn.dialect.name, watchdogs).values(**values)
        # `seen_at` has a writer of its own, which nobody who looks may set back.
        again = {name: value for name, value in values.items() if name not in ("name", "seen_at")}
        conn.execute(row.on_conflict_do_update(index_elements=["name"], set_=again))
    for name, at in sorted({name: at for changes in batch for name, at in changes.heard.items()}.items()):
        w = watchdogs.c
        query = update(watchdogs).where(w.name == name, or_(w.seen_at.is_(None), w.seen_at < at))
        conn.execute(query.values(seen_at=at))


def unseen(conn: Connection, before: datetime, sources_without: Sequence[str], limit: int) -> list[Episode]:
    """Return open episodes that nobody has reported since `before`, oldest first; none of `sources_without` repeats."""
    e = episodes.c
    seen = func.coalesce(e.seen_at, e.opened_at)  # rows of an old version have no `seen_at`
    query = select(e.data).where(e.closed_at.is_(None), seen < before, e.source.not_in(list(sources_without)))
    return [Episode.model_validate_json(data) for (data,) in conn.execute(query.order_by(seen).limit(limit))]


def forget_unopened(conn: Connection, before: datetime) -> None:
    """Forget what was only remembered for what might come late: resolves and notes of alerts that never opened.

    Not what still waits for such an alert to end.
    """
    e = episodes.c
    waits = e.data.not_like('%"absorbed":[]%')
    gone = delete(episodes).where(e.incident.is_(None), e.question.is_(None), e.closed_at < before, ~waits)
    conn.execute(gone)
