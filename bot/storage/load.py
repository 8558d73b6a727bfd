"""Load everything a batch of cases must see: lock first, then one SELECT a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, func, select, tuple_

from bot.domain.alerts import Episode, Group
from bot.domain.incident import Incident
from bot.ports.store import Answer, Claim, Keys, Loaded
from bot.storage import locks
from bot.storage.chain import GENESIS
from bot.storage.columns import UtcTime
from bot.storage.locks import LockClass
from bot.storage.tables import counter, effects, episodes, groups, inbox, incidents, record_heads, records, timers

RECENTLY: Final = timedelta(minutes=2)
"""How long a declaration counts as recent (CONTRACT, section 4)."""
_RECENT_MAX: Final = 20
"""Recent declarations looked at per declarer: nobody types more in two minutes."""
_CHUNK: Final = 5000
"""Keys per statement; both databases take about 32,000 parameters."""
_NAMED: Final[BindParameter[Any]] = bindparam("named", expanding=True)


@dataclass(slots=True)
class Heads:
    """Where the chains of the loaded incidents end: incident → (seq, hash)."""

    control: dict[int, str] = field(default_factory=dict)
    record: dict[int, tuple[int, str]] = field(default_factory=dict)


def load(conn: Connection, keys: Keys, claims: Sequence[Claim], now: datetime) -> tuple[Loaded, Heads]:
    """Lock and load `keys`, and the tokens of the claimed effects. `now` bounds what is recent."""
    loaded, heads = Loaded(), Heads()
    locks.take(
        conn,
        [
            *((LockClass.GROUP, key) for key in keys.groups),
            *((LockClass.FINGERPRINT, key) for key in keys.fingerprints),
            *((LockClass.DECLARER, key) for key in keys.declarers),
        ],
    )
    _load_groups(conn, keys.groups, loaded)
    _load_episodes(conn, keys.fingerprints, loaded)
    _load_recent(conn, keys.declarers, now - RECENTLY, loaded)
    found = {number for mine in loaded.recent.values() for number, _, _ in mine}
    found |= {group.incident for group in loaded.groups.values()}
    found |= {episode.incident for episode in loaded.episodes.values() if episode.incident is not None}
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
    merged = {state.merged_into for state in loaded.incidents.values() if state.merged_into is not None} - numbers
    if merged:
        locks.take(conn, [(LockClass.INCIDENT, number) for number in merged])
        _load_incidents(conn, merged, loaded, heads)
    _load_record_heads(conn, keys.records, heads)
    _load_entry_keys(conn, keys.entry_keys, loaded)
    _load_answers(conn, keys.commands, loaded)
    _load_claims(conn, claims, loaded)
    if keys.opens:
        loaded.next_number = conn.execute(_last_number()).scalar_one() + 1
    return loaded, heads


@cache
def _last_number() -> Select[Any]:
    return select(counter.c.value).where(counter.c.name == "incident").with_for_update()


def chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """Return `keys` in lists that fit one statement."""
    rest = iter(keys)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _load_groups(conn: Connection, keys: frozenset[str], loaded: Loaded) -> None:
    for chunk in chunks(keys):
        for row in conn.execute(_groups(), {"named": chunk}):
            loaded.groups[row.key] = Group(key=row.key, incident=row.incident, last_alert_at=row.last_alert_at)


# Each statement is built once: building one costs more than running it.
@cache
def _groups() -> Select[Any]:
    return select(groups).where(groups.c.key.in_(_NAMED))


@cache
def _newest_episodes() -> Select[Any]:
    turn = func.row_number().over(
        partition_by=(episodes.c.source, episodes.c.fingerprint),
        order_by=(episodes.c.opened_at.desc(), episodes.c.closed_at.is_(None).desc(), episodes.c.id.desc()),
    )
    mine = tuple_(episodes.c.source, episodes.c.fingerprint).in_(_NAMED)
    ranked = select(episodes.c.data, turn.label("turn")).where(mine).subquery()
    return select(ranked.c.data).where(ranked.c.turn == 1)


def _load_episodes(conn: Connection, keys: frozenset[tuple[str, str]], loaded: Loaded) -> None:
    for chunk in chunks(keys):
        for data in conn.execute(_newest_episodes(), {"named": chunk}).scalars():
            episode = Episode.model_validate_json(data)
            loaded.episodes[episode.source, episode.fingerprint] = episode


def _load_recent(conn: Connection, declarers: frozenset[str], since: datetime, loaded: Loaded) -> None:
    for chunk in chunks(declarers):
        for row in conn.execute(_recent(), {"named": chunk, "since": since}):
            loaded.recent.setdefault(row.declared_by, []).append((row.number, row.title, row.declared_at))


@cache
def _recent() -> Select[Any]:
    t = incidents.c
    turn = func.row_number().over(partition_by=t.declared_by, order_by=t.number.desc())
    mine = and_(t.declared_by.in_(_NAMED), t.declared_at > bindparam("since", type_=UtcTime()))
    ranked = select(t.declared_by, t.number, t.title, t.declared_at, turn.label("turn")).where(mine).subquery()
    return select(ranked).where(ranked.c.turn <= _RECENT_MAX).order_by(ranked.c.number)


def _load_incidents(conn: Connection, numbers: Iterable[int], loaded: Loaded, heads: Heads) -> None:
    for chunk in chunks(numbers):
        for number, head, state in conn.execute(_incidents(), {"named": chunk}):
            loaded.incidents[number] = read_state(state)
            heads.control[number] = head
        for incident, kind, due in conn.execute(_armed(), {"named": chunk}):
            loaded.timers[incident, kind] = due


@cache
def _incidents() -> Select[Any]:
    t = incidents.c
    return select(t.number, t.head_hash, t.state).where(t.number.in_(_NAMED))


@cache
def _armed() -> Select[Any]:
    t = timers.c
    return select(t.incident, t.kind, t.due).where(t.incident.in_(_NAMED), t.state == "armed")


@lru_cache(maxsize=256)
def read_state(snapshot: str) -> Incident:
    """Return the state stored as JSON. Alerts of one outage ask for the same few again and again."""
    return Incident.model_validate_json(snapshot)


def _load_record_heads(conn: Connection, numbers: frozenset[int], heads: Heads) -> None:
    heads.record = dict.fromkeys(numbers, (0, GENESIS))
    for chunk in chunks(numbers):
        for row in conn.execute(_record_heads(), {"named": chunk}):
            heads.record[row.incident] = (row.seq, row.hash)


@cache
def _record_heads() -> Select[Any]:
    return select(record_heads).where(record_heads.c.incident.in_(_NAMED))


def _load_entry_keys(conn: Connection, keys: frozenset[tuple[int, str]], loaded: Loaded) -> None:
    for chunk in chunks(keys):
        loaded.entry_keys.update((row.incident, row.key) for row in conn.execute(_entry_keys(), {"named": chunk}))


@cache
def _entry_keys() -> Select[Any]:
    t = records.c
    return select(t.incident, t.key).where(tuple_(t.incident, t.key).in_(_NAMED))


def _load_answers(conn: Connection, commands: frozenset[str], loaded: Loaded) -> None:
    for chunk in chunks(commands):
        for row in conn.execute(_answers(), {"named": chunk}):
            loaded.answers[row.command_id] = Answer.model_validate_json(row.answer)


@cache
def _answers() -> Select[Any]:
    return select(inbox).where(inbox.c.command_id.in_(_NAMED))


def _load_claims(conn: Connection, claims: Sequence[Claim], loaded: Loaded) -> None:
    """The rows stay locked: nobody can take an effect over between this look and the commit."""
    for chunk in chunks(sorted({claim.effect for claim in claims})):
        loaded.held.update((row.id, row.token) for row in conn.execute(_held(), {"named": chunk}))


@cache
def _held() -> Select[Any]:
    t = effects.c
    mine = select(t.id, t.token).where(t.id.in_(_NAMED), t.state == "claimed")
    return mine.order_by(t.pos).with_for_update()
