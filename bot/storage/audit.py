"""The audit trail: appended with what it is about, read by the operator, forgotten by age."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from bot.domain.audit import Audited
from bot.ports.store import Changes
from bot.storage.many import insert_many
from bot.storage.tables import audit


def write(conn: Connection, batch: Sequence[Changes]) -> None:
    """Append what `batch` brings."""
    rows: list[dict[str, Any]] = [asdict(one) for changes in batch for one in changes.audit]
    insert_many(conn, audit, rows)


def read(conn: Connection, limit: int, incident: int | None, denied: bool) -> list[Audited]:
    """Return the newest entries, newest first: of one incident, or only what was denied, if asked."""
    query = select(audit).order_by(audit.c.pos.desc()).limit(limit)
    if incident is not None:
        query = query.where(audit.c.incident == incident)
    if denied:
        query = query.where(audit.c.outcome == "denied")
    return [
        Audited(row.at, row.actor, row.surface, row.request_id, row.action, row.incident, row.outcome, row.reason)
        for row in conn.execute(query)
    ]


def purge(conn: Connection, before: datetime) -> None:
    """Forget what is older."""
    conn.execute(delete(audit).where(audit.c.at < before))
