"""Write what a batch of cases changed: one executemany a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Update, bindparam, delete, select, update

from bot.domain.events import Redacted
from bot.domain.incident import Incident, fold
from bot.ports.store import Changes
from bot.storage import audit, budgets, looks, notices, overrides, questions, snapshots, watching, write_queue
from bot.storage.budgets import BudgetOf, Limits
from bot.storage.chain import GENESIS, event_row, record_row
from bot.storage.load import Heads
from bot.storage.many import insert_many, upsert_many
from bot.storage.prepared import run
from bot.storage.queue_rows import EffectRows, TimerRows
from bot.storage.remembered import SNAPSHOTS
from bot.storage.sets import is_one_of
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
    if busy := [changes for changes in batch if not changes.only_saw]:
        _write_changes(conn, busy, heads, rules, now)
    _see_again(conn, _seeing(), [changes.seen for changes in batch])
    _see_again(conn, _seeing_groups(), [changes.seen_groups for changes in batch])
    _write_answers(conn, batch, now)


def _write_changes(conn: Connection, batch: Sequence[Changes], heads: Heads, rules: Rules, now: datetime) -> None:
    words: list[Row] = []
    _write_entries(conn, batch, heads, words)  # first: the incidents' rows say how far the record is
    _write_events(conn, batch, heads, words)
    insert_many(conn, contents, words)
    effects, timers = EffectRows(), TimerRows()
    for changes in batch:
        effects.add(changes, rules.budget_of, now)
        timers.add(changes, now)
    used = write_queue.write_effects(conn, effects, rules.budget_of)
    budgets.open_budgets(conn, used - {""}, rules.limits, now)
    write_queue.write_timers(conn, timers)
    looks.write(conn, batch)
    audit.write(conn, batch)
    _write_alerts(conn, batch)
    notices.write(conn, batch)
    overrides.write(conn, batch)
    _raise_counter(conn, sum(changes.numbers for changes in batch))
    _erase(conn, batch)


def _incident_row(state: Incident, heads: Heads) -> Row:
    seq, end = heads.known_of_record(state.number)
    ends = {"head_hash": heads.control[state.number], "record_seq": seq, "record_hash": end}
    return {"number": state.number, **snapshots.columns_of(state), **ends}


def _write_events(conn: Connection, batch: Sequence[Changes], heads: Heads, words: list[Row]) -> None:
    rows = []
    for changes in batch:
        for new in changes.events:
            row, body = event_row(new, heads.control.get(new.incident, GENESIS))
            heads.control[new.incident] = row["hash"]
            rows.append(row)
            if body:
                words.append(body)
    insert_many(conn, events, rows)
    states: dict[int, Incident] = {}
    for changes in batch:
        states.update(changes.incidents)
    changed = [_incident_row(state, heads) for _, state in sorted(states.items())]
    for row in changed:
        SNAPSHOTS.keep(row["number"], row["state"], states[row["number"]])
    upsert_many(conn, incidents, "number", changed)


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
        insert_many(conn, records, rows)
        ends = [{"incident": n, "seq": heads.record[n][0], "hash": heads.record[n][1]} for n in sorted(touched)]
        upsert_many(conn, record_heads, "incident", ends)


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
            "seen_at": episode.last_seen,
            "question": episode.question or None,
        }
        # closed ones first: their fingerprint may open again in the same batch, and only one may be open
        for episode in sorted(latest.values(), key=lambda one: one.is_open)
    ]
    upsert_many(conn, episodes, "id", rows)
    joined = {group.key: group for changes in batch for group in changes.groups}
    upsert_many(conn, groups, "key", [asdict(joined[key]) for key in sorted(joined)])
    questions.write(conn, batch)
    watching.write(conn, batch)


def _see_again(conn: Connection, statement: Update, several: Sequence[Mapping[str, datetime]]) -> None:
    """One statement for all that nothing happened to; what a batch sees, it sees at once."""
    sights = {name: at for one in several for name, at in one.items()}
    if sights:
        run(conn, statement, [{"named": list(sights), "at": max(sights.values())}])


@cache
def _seeing() -> Update:
    return update(episodes).where(is_one_of(episodes.c.id)).values(seen_at=bindparam("at"))


@cache
def _seeing_groups() -> Update:
    return update(groups).where(is_one_of(groups.c.key)).values(last_alert_at=bindparam("at"))


def _write_answers(conn: Connection, batch: Sequence[Changes], now: datetime) -> None:
    rows = [
        {"command_id": changes.command_id, "answer": changes.answer.model_dump_json(), "at": now}
        for changes in batch
        if changes.command_id
    ]
    insert_many(conn, inbox, rows)


def _raise_counter(conn: Connection, numbers: int) -> None:
    if numbers:
        run(conn, _raising(), [{"numbers": numbers}])


@cache
def _raising() -> Update:
    more = bindparam("numbers", type_=BigInteger())
    return update(counter).where(counter.c.name == "incident").values(value=counter.c.value + more)


def _erase(conn: Connection, batch: Sequence[Changes]) -> None:
    """Delete the words that a Redacted event names, and fold the snapshot anew: it held some of them."""
    refold = set()
    for changes in batch:
        for new in changes.events:
            if isinstance(new.recorded.event, Redacted):
                _erase_words(conn, new.incident, new.recorded.event)
                refold.add(new.incident)
    for number in sorted(refold):
        row = snapshots.columns_of(fold(read_events(conn, number)))
        conn.execute(update(incidents).where(incidents.c.number == bindparam("n")).values(row), {"n": number})


def _erase_words(conn: Connection, number: int, event: Redacted) -> None:
    stream = events if event.stream == "control" else records
    pointer = select(stream.c.words).where(stream.c.incident == number, stream.c.seq == event.target)
    conn.execute(delete(contents).where(contents.c.id.in_(pointer)))
