"""Which records may have gaps, and up to when the others are complete."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from bot.domain.incident import Incident
from bot.ports.refills import Unfilled
from bot.storage.budgets import insert_into
from bot.storage.columns import UtcTime
from bot.storage.tables import events, incidents, refills


def unfilled(conn: Connection, since: datetime) -> list[Unfilled]:
    """Return what `Refills.unfilled` promises."""
    found = [
        Unfilled(Incident.model_validate_json(row.state), row.complete_to)
        for row in conn.execute(_unfilled(), {"since": since})
    ]
    return sorted(found, key=lambda one: (one.state.severity.rank, -one.state.number))


@cache
def _unfilled() -> Select[Any]:
    i, r = incidents.c, refills.c
    last = events.alias("last")
    known = incidents.join(last, and_(last.c.incident == i.number, last.c.seq == i.seq))
    known = known.outerjoin(refills, r.incident == i.number)
    changed = or_(r.seq < i.seq, last.c.at >= bindparam("since", type_=UtcTime()))
    return select(i.state, r.complete_to).select_from(known).where(i.channel.is_not(None), or_(i.active, changed))


def fill(conn: Connection, number: int, complete_to: datetime, seq: int) -> None:
    """Write down that the record of incident `number` is complete up to then; what is known of later stays."""
    conn.execute(_filling(conn.dialect.name), {"incident": number, "complete_to": complete_to, "seq": seq})


@cache
def _filling(dialect: str) -> Any:
    row = insert_into(dialect, refills)
    new = row.excluded
    further = refills.c.complete_to <= new.complete_to
    return row.on_conflict_do_update(
        index_elements=["incident"], set_={"complete_to": new.complete_to, "seq": new.seq}, where=further
    )
