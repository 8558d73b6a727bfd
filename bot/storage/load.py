"""Load everything a batch of cases must see: lock first, then one SELECT a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, func, select

from bot.domain.alerts import Group
from bot.ports.store import Answer, Claim, Keys, Loaded
from bot.storage import locks, notices, overrides, questions, undelivered, watching
from bot.storage.chain import GENESIS
from bot.storage.columns import UtcTime
from bot.storage.locks import LockClass
from bot.storage.prepared import rows
from bot.storage.remembered import EPISODES, SNAPSHOTS
from bot.storage.sets import are_one_of, is_one_of
from bot.storage.tables import (
    counter,
    effects,
    episodes,
    groups,
    inbox,
    incidents,
    is_armed,
    record_heads,
    records,
    timers,
)

RECENTLY: Final = timedelta(minutes=2)
"""How long a declaration counts as recent."""
_RECENT_MAX: Final = 20
"""Recent declarations looked at per declarer: nobody types more in two minutes."""


@dataclass(slots=True)
class Heads:
    """Where the chains of the loaded incidents end: incident → (seq, hash)."""

    control: dict[int, str] = field(default_factory=dict)
    record: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Of those that are locked, to append to them."""
    seen: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Of all the others: somebody may append to them meanwhile."""
    missed: dict[int, tuple[int, str]] = field(default_factory=dict)
    """What the incident's row knows of its record stream, and is not there any more: `verify` shall find it."""

    def known_of_record(self, number: int) -> tuple[int, str]:
        """Return how far the record stream of `number` is, at least."""
        return self.missed.get(number) or self.record.get(number) or self.seen.get(number) or (0, GENESIS)


def load(conn: Connection, keys: Keys, claims: Sequence[Claim], now: datetime) -> tuple[Loaded, Heads]:
    """Lock and load `keys`, and the tokens of the claimed effects. `now` bounds what is recent."""
    loaded, heads = Loaded(), Heads()
    of_questions = questions.groups_of(conn, keys.questions)
    locks.take(
        conn,
        [
            *((LockClass.GROUP, key) for key in keys.groups | keys.asked | of_questions),
            *((LockClass.FINGERPRINT, key) for key in keys.fingerprints),
            *((LockClass.DECLARER, key) for key in keys.declarers),
        ],
    )
    _load_groups(conn, keys.groups | of_questions, loaded)
    _load_episodes(conn, keys.fingerprints, loaded)
    # What they were merged with at their sender. Locked after the rest, as what a merged incident goes on in is below.
    alerts = set(keys.fingerprints)
    while related := {one for episode in loaded.episodes.values() for one in episode.relatives} - alerts:
        locks.take(conn, [(LockClass.FINGERPRINT, key) for key in related])
        _load_episodes(conn, related, loaded)
        alerts |= related
    _load_recent(conn, keys.declarers, now - RECENTLY, loaded)
    questions.load(conn, keys, loaded)
    found = {number for mine in loaded.recent.values() for number, _, _ in mine}
    found |= {group.incident for group in loaded.groups.values()}
    found |= {episode.incident for episode in loaded.episodes.values() if episode.incident is not None}
    found |= {one.incident for one in loaded.questions.values() if one.incident is not None}
    numbers = keys.incidents | found
    locks.take(
        conn,
        [
            *((LockClass.INCIDENT, number) for number in numbers),
            *((LockClass.RECORD, number) for number in keys.records),
        ],
    )
    _load_incidents(conn, numbers, loaded, heads)
    # What a merged incident's alerts go on in. Locked after the rest, so two batches may deadlock here: it is retried.
    known = set(numbers)
    while merged := {state.merged_into for state in loaded.incidents.values() if state.merged_into is not None} - known:
        locks.take(conn, [(LockClass.INCIDENT, number) for number in merged])
        _load_incidents(conn, merged, loaded, heads)
        known |= merged
    _load_timers(conn, keys.timers, loaded)
    _load_record_heads(conn, keys.records, heads)
    _load_entry_keys(conn, keys.entry_keys, loaded)
    _load_answers(conn, keys.commands, loaded)
    notices.load(conn, keys.notices, loaded)
    watching.load(conn, keys, loaded)
    _load_claims(conn, claims, loaded)
    if keys.overrides:
        overrides.load(conn, now, loaded)
    if keys.undelivered:
        undelivered.load(conn, loaded)
    if keys.opens:
        loaded.next_number = rows(conn, _last_number(locked=not locks.only_looks(conn)))[0].value + 1
    return loaded, heads


@cache
def _last_number(*, locked: bool) -> Select[Any]:
    query = select(counter.c.value).where(counter.c.name == "incident")
    return query.with_for_update() if locked else query


def _rows(conn: Connection, statement: Select[Any], keys: Iterable[Any], **more: object) -> Iterable[Any]:
    """Return the rows of `statement` for `keys`; without keys nobody asks the database."""
    named = list(keys)
    return rows(conn, statement, {"named": named, **more}) if named else ()


def _load_groups(conn: Connection, keys: frozenset[str], loaded: Loaded) -> None:
    for key, incident, last_alert_at in _rows(conn, _groups(), keys):
        loaded.groups[key] = Group(key, incident, last_alert_at)


# Each statement is built once: building one costs more than running it.
@cache
def _groups() -> Select[Any]:
    g = groups.c
    return select(g.key, g.incident, g.last_alert_at).where(is_one_of(g.key))


@cache
def _newest_episodes() -> Select[Any]:
    turn = func.row_number().over(
        partition_by=(episodes.c.source, episodes.c.fingerprint),
        order_by=(episodes.c.opened_at.desc(), episodes.c.closed_at.is_(None).desc(), episodes.c.id.desc()),
    )
    mine = are_one_of(episodes.c.source, episodes.c.fingerprint)
    columns = (episodes.c.source, episodes.c.fingerprint, episodes.c.data)
    ranked = select(*columns, turn.label("turn")).where(mine).subquery()
    return select(ranked.c.source, ranked.c.fingerprint, ranked.c.data).where(ranked.c.turn == 1)


def _load_episodes(conn: Connection, keys: Iterable[tuple[str, str]], loaded: Loaded) -> None:
    for source, fingerprint, data in _rows(conn, _newest_episodes(), keys):
        loaded.episodes[source, fingerprint] = EPISODES.read((source, fingerprint), data)


def _load_recent(conn: Connection, declarers: frozenset[str], since: datetime, loaded: Loaded) -> None:
    for row in _rows(conn, _recent(), declarers, since=since):
        loaded.recent.setdefault(row.declared_by, []).append((row.number, row.title, row.declared_at))


@cache
def _recent() -> Select[Any]:
    t = incidents.c
    turn = func.row_number().over(partition_by=t.declared_by, order_by=t.number.desc())
    mine = and_(is_one_of(t.declared_by), t.declared_at > bindparam("since", type_=UtcTime()))
    ranked = select(t.declared_by, t.number, t.title, t.declared_at, turn.label("turn")).where(mine).subquery()
    return select(ranked).where(ranked.c.turn <= _RECENT_MAX).order_by(ranked.c.number)


def _load_incidents(conn: Connection, numbers: Iterable[int], loaded: Loaded, heads: Heads) -> None:
    for row in _rows(conn, _incidents(), numbers):
        loaded.incidents[row.number] = SNAPSHOTS.read(row.number, row.state)
        heads.control[row.number] = row.head_hash
        if row.record_seq and not row.stands:
            heads.missed[row.number] = (row.record_seq, row.record_hash)
        elif row.seq is not None:
            heads.seen[row.number] = (row.seq, row.hash)


def _load_timers(conn: Connection, numbers: Iterable[int], loaded: Loaded) -> None:
    for incident, kind, due in _rows(conn, _armed(), numbers):
        loaded.timers[incident, kind] = due


@cache
def _incidents() -> Select[Any]:
    t, h, r = incidents.c, record_heads.c, records.c
    known = and_(r.incident == t.number, r.seq == t.record_seq, r.seq <= h.seq)
    joined = incidents.outerjoin(record_heads, h.incident == t.number).outerjoin(records, known)
    stands = (r.hash == t.record_hash).label("stands")
    columns = (t.number, t.head_hash, t.state, t.record_seq, t.record_hash, h.seq, h.hash, stands)
    return select(*columns).select_from(joined).where(is_one_of(t.number))


@cache
def _armed() -> Select[Any]:
    t = timers.c
    return select(t.incident, t.kind, t.due).where(is_one_of(t.incident), is_armed())


def _load_record_heads(conn: Connection, numbers: frozenset[int], heads: Heads) -> None:
    heads.record = dict.fromkeys(numbers, (0, GENESIS))
    for row in _rows(conn, _record_heads(), numbers):
        heads.record[row.incident] = (row.seq, row.hash)


@cache
def _record_heads() -> Select[Any]:
    return select(record_heads).where(is_one_of(record_heads.c.incident))


def _load_entry_keys(conn: Connection, keys: frozenset[tuple[int, str]], loaded: Loaded) -> None:
    loaded.entry_keys.update((number, key) for number, key in _rows(conn, _entry_keys(), keys))


@cache
def _entry_keys() -> Select[Any]:
    t = records.c
    return select(t.incident, t.key).where(are_one_of(t.incident, t.key))


def _load_answers(conn: Connection, commands: frozenset[str], loaded: Loaded) -> None:
    for row in _rows(conn, _answers(), commands):
        loaded.answers[row.command_id] = Answer.model_validate_json(row.answer)


@cache
def _answers() -> Select[Any]:
    return select(inbox).where(is_one_of(inbox.c.command_id))


def _load_claims(conn: Connection, claims: Sequence[Claim], loaded: Loaded) -> None:
    """The rows stay locked: nobody can take an effect over between this look and the commit."""
    loaded.held.update((row.id, row.token) for row in _rows(conn, _held(), sorted({one.effect for one in claims})))


@cache
def _held() -> Select[Any]:
    t = effects.c
    mine = select(t.id, t.token).where(is_one_of(t.id), t.state == "claimed")
    return mine.order_by(t.pos).with_for_update()
