"""Write what a batch of cases changed: one executemany a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bot.domain.events import Redacted
from bot.domain.incident import Incident, fold
from bot.ports.store import Changes
from bot.storage import budgets, write_queue
from bot.storage.budgets import BudgetOf, Limits, insert_into
from bot.storage.chain import GENESIS, event_row, record_row
from bot.storage.load import Heads
from bot.storage.queue_rows import EffectRows, TimerRows
from bot.storage.streams import read_events
from bot.storage.tables import contents, counter, episodes, events, groups, inbox, incidents, record_heads, records

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the queue needs to know besides the changes."""

    budget_of: BudgetOf
    limits: Limits
    clock: Callable[[], datetime]


def write(conn: Connection, batch: Sequence[Changes], heads: Heads, rules: Rules) -> None:
    """Write `batch`, whose incidents were loaded with `heads`, in this transaction."""
    now = rules.clock()
    words: list[Row] = []
    _write_events(conn, batch, heads, words)
    _write_entries(conn, batch, heads, words)
    if words:
        conn.execute(insert(contents), words)
    effects, timers = EffectRows(), TimerRows()
    for changes in batch:
        effects.add(changes, rules.budget_of, now)
        timers.add(changes, now)
    used = write_queue.write_effects(conn, effects, rules.budget_of)
    budgets.open_budgets(conn, used - {""}, rules.limits, now)
    write_queue.write_timers(conn, timers)
    _write_alerts(conn, batch)
    _write_answers(conn, batch, now)
    _raise_counter(conn, sum(changes.numbers for changes in batch))
    _erase(conn, batch)


def incident_row(state: Incident, head: str) -> Row:
    """Return the incident's row: its snapshot, and the parts of it that queries need."""
    return {
        "number": state.number,
        "seq": state.seq,
        "head_hash": head,
        "state": state.model_dump_json(),
        "title": state.title,
        "declared_by": state.declared_by,
        "declared_at": state.declared_at,
        "severity": state.severity.value,
        "status": state.status.value,
        "active": state.is_active,
        "private": state.private,
        "drill": state.drill,
        "published": state.published is not None,
        "acknowledged_at": state.acknowledged_at,
        "channel": state.room.channel if state.room else None,
    }


def _write_events(conn: Connection, batch: Sequence[Changes], heads: Heads, words: list[Row]) -> None:
    rows = []
    for changes in batch:
        for new in changes.events:
            row, body = event_row(new, heads.control.get(new.incident, GENESIS))
            heads.control[new.incident] = row["hash"]
            rows.append(row)
            if body:
                words.append(body)
    if rows:
        conn.execute(insert(events), rows)
    states: dict[int, Incident] = {}
    for changes in batch:
        states.update(changes.incidents)
    _upsert_incidents(conn, [incident_row(state, heads.control[number]) for number, state in sorted(states.items())])


def _upsert_incidents(conn: Connection, rows: list[Row]) -> None:
    _upsert(conn, incidents, ["number"], rows)


def _upsert(conn: Connection, table: Any, key: list[str], rows: list[Row]) -> None:
    if rows:
        conn.execute(_upserting(conn.dialect.name, table, tuple(key), tuple(rows[0])), rows)


@cache
def _upserting(dialect: str, table: Any, key: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    """Return the statement, built once: building it costs more than running it."""
    statement = insert_into(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def _write_entries(conn: Connection, batch: Sequence[Changes], heads: Heads, words: list[Row]) -> None:
    rows, touched = [], set()
    for changes in batch:
        for new in changes.entries:
            seq, previous = heads.record[new.incident]
            row, body = record_row(new, seq + 1, previous)
            heads.record[new.incident] = (seq + 1, row["hash"])
            touched.add(new.incident)
            rows.append(row)
            if body:
                words.append(body)
    if rows:
        conn.execute(insert(records), rows)
        ends = [{"incident": n, "seq": heads.record[n][0], "hash": heads.record[n][1]} for n in sorted(touched)]
        _upsert(conn, record_heads, ["incident"], ends)


def _write_alerts(conn: Connection, batch: Sequence[Changes]) -> None:
    latest = {episode.id: episode for changes in batch for episode in changes.episodes}
    rows = [
        {
            "id": episode.id,
            "source": episode.source,
            "fingerprint": episode.fingerprint,
            "incident": episode.incident,
            "opened_at": episode.opened_at,
            "closed_at": episode.closed_at,
            "data": episode.model_dump_json(),
        }
        # closed ones first: their fingerprint may open again in the same batch, and only one may be open
        for episode in sorted(latest.values(), key=lambda one: one.is_open)
    ]
    _upsert(conn, episodes, ["id"], rows)
    joined = {group.key: group for changes in batch for group in changes.groups}
    _upsert(conn, groups, ["key"], [joined[key].model_dump() for key in sorted(joined)])


def _write_answers(conn: Connection, batch: Sequence[Changes], now: datetime) -> None:
    rows = [
        {"command_id": changes.command_id, "answer": changes.answer.model_dump_json(), "at": now}
        for changes in batch
        if changes.command_id
    ]
    if rows:
        conn.execute(insert(inbox), rows)


def _raise_counter(conn: Connection, numbers: int) -> None:
    if numbers:
        row = update(counter).where(counter.c.name == "incident")
        conn.execute(row.values(value=counter.c.value + numbers))


def _erase(conn: Connection, batch: Sequence[Changes]) -> None:
    """Delete the words that a Redacted event names, and fold the snapshot anew: it held some of them."""
    refold = set()
    for changes in batch:
        for new in changes.events:
            if isinstance(new.recorded.event, Redacted):
                _erase_words(conn, new.incident, new.recorded.event)
                refold.add(new.incident)
    for number in sorted(refold):
        state = fold(read_events(conn, number))
        row = incident_row(state, "")
        del row["head_hash"], row["number"]
        conn.execute(update(incidents).where(incidents.c.number == bindparam("n")).values(row), {"n": number})


def _erase_words(conn: Connection, number: int, event: Redacted) -> None:
    stream = events if event.stream == "control" else records
    pointer = select(stream.c.words).where(stream.c.incident == number, stream.c.seq == event.target)
    conn.execute(delete(contents).where(contents.c.id.in_(pointer)))
