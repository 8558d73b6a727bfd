"""The reader's queries. Each is one or two SELECTs on a connection that cannot write."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from bot.domain.alerts import Episode
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.ports.reader import DeliveryRow, Stats, TimerRow
from bot.storage import notices, streams
from bot.storage.prepared import rows
from bot.storage.snapshots import snapshots_named
from bot.storage.tables import (
    effects,
    episodes,
    incidents,
    is_armed,
    is_failed,
    is_open,
    is_owing,
    questions,
    timers,
)

PUBLISHED_MAX: Final = 50
"""Incidents on the public page and in its feeds."""


def incident(conn: Connection, number: int) -> Incident | None:
    """Return the snapshot of incident `number`."""
    found = rows(conn, _snapshot(), {"n": number})
    return Incident.model_validate_json(found[0].state) if found else None


def incident_of_channel(conn: Connection, channel: str) -> int | None:
    """Return the number of the incident whose room is `channel`."""
    return next((row.number for row in rows(conn, _of_channel(), {"channel": channel})), None)


# These two are asked for with every event of Slack's: built once, since building one costs more than running it.
@cache
def _snapshot() -> Select[Any]:
    return select(incidents.c.state).where(incidents.c.number == bindparam("n"))


@cache
def _of_channel() -> Select[Any]:
    return select(incidents.c.number).where(incidents.c.channel == bindparam("channel"))


def list_incidents(conn: Connection, active: bool, limit: int, before: int | None) -> list[Incident]:
    """Return snapshots, newest first; only those with a number below `before`, if given."""
    query = select(incidents.c.state).order_by(incidents.c.number.desc()).limit(limit)
    if active:
        query = query.where(incidents.c.active)
    if before is not None:
        query = query.where(incidents.c.number < before)
    return [Incident.model_validate_json(state) for state in conn.execute(query).scalars()]


def unfinished(conn: Connection, known: Mapping[int, Incident]) -> dict[int, Incident]:
    """Return all that is open, and all that is over and may owe something, newest first.

    What of it is `known`, and is as it was, is not read again: there may be thousands, and they are asked for while
    people declare. Whatever changes an incident, erasing words as well, gives it another sequence.
    """
    seqs = {row.number: row.seq for query in _unfinished(conn.dialect.name) for row in rows(conn, query)}
    kept = {number: known[number] for number, seq in seqs.items() if number in known and known[number].seq == seq}
    wanted = {"named": [number for number in seqs if number not in kept]}
    read = {row.number: row.state for row in rows(conn, snapshots_named(), wanted)} if wanted["named"] else {}
    found = kept | {number: Incident.model_validate_json(state) for number, state in read.items()}
    return dict(sorted(found.items(), reverse=True))


@cache
def _unfinished(dialect: str) -> tuple[Select[Any], Select[Any]]:
    """What is open, and what is over and may owe something: two queries, since each has an index of its own."""
    query = select(incidents.c.number, incidents.c.seq)
    return query.where(incidents.c.active), query.where(is_owing(dialect))


def list_timers(conn: Connection, number: int) -> list[TimerRow]:
    """Return the timers of incident `number`, in the order in which they were set."""
    query = select(timers).where(timers.c.incident == number).order_by(timers.c.pos)
    return [
        TimerRow(row.incident, row.kind, row.due, row.state, row.ended_at, row.late_by, row.why)
        for row in conn.execute(query)
    ]


def list_episodes(conn: Connection, number: int) -> list[Episode]:
    """Return the alerts of incident `number` and of those merged into it, oldest first."""
    e = episodes.c
    state = incident(conn, number)
    mine = [number, *(state.absorbed if state else ())]
    asked = select(questions.c.id).where(questions.c.incident.in_(mine))
    of_questions = and_(e.incident.is_(None), e.question.in_(asked))
    query = select(e.data, e.seen_at).where(or_(e.incident.in_(mine), of_questions)).order_by(e.opened_at, e.id)
    found = []
    for row in conn.execute(query):
        episode = Episode.model_validate_json(row.data)
        last_seen = max(episode.last_seen, row.seen_at or episode.last_seen)
        found.append(episode.model_copy(update={"last_seen": last_seen}))
    return found


def list_deliveries(conn: Connection, number: int) -> list[DeliveryRow]:
    """Return the effects of incident `number` in order of the log."""
    e = effects.c
    query = (
        select(e.id, e.incident, e.kind, e.state, e.attempt, e.created_at, e.not_before, e.error)
        .where(e.incident == number)
        .order_by(e.pos)
    )
    return [DeliveryRow(**row) for row in conn.execute(query).mappings()]


def list_published(conn: Connection) -> list[tuple[Incident, list[Recorded]]]:
    """Return the last incidents that the public knows about, newest first, with their public updates."""
    i = incidents.c
    known = select(i.number, i.state).where(i.published, ~i.private, ~i.drill)
    query = known.order_by(i.number.desc()).limit(PUBLISHED_MAX)
    states = {row.number: Incident.model_validate_json(row.state) for row in conn.execute(query)}
    updates = streams.read_published(conn, list(states))
    return [(state, updates[number]) for number, state in states.items()]


def stats(conn: Connection) -> Stats:
    """Return the counts for health and metrics."""
    i, e = incidents.c, effects.c
    severities = select(i.severity, func.count()).where(i.active, ~i.private, ~i.drill).group_by(i.severity)
    pending = select(func.count(), func.min(e.created_at)).where(is_open(), e.state != "held")
    waiting, oldest = conn.execute(pending).one()
    return Stats(
        open_by_severity={row[0]: row[1] for row in conn.execute(severities)},
        waiting=waiting,
        failed=conn.execute(select(func.count()).select_from(effects).where(is_failed())).scalar_one(),
        oldest_waiting_at=oldest,
        unusable=notices.count_unusable(conn),
        armed_timers=conn.execute(select(func.count()).select_from(timers).where(is_armed())).scalar_one(),
    )
