"""Load everything a batch of cases must see: lock first, then one SELECT a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, select, tuple_

from bot.domain.alerts import Episode, Group
from bot.domain.incident import Incident
from bot.ports.store import Answer, Claim, Keys, Loaded
from bot.storage import locks
from bot.storage.chain import GENESIS
from bot.storage.locks import LockClass
from bot.storage.tables import counter, effects, episodes, groups, inbox, incidents, record_heads, records, timers

RECENTLY: Final = timedelta(minutes=2)
"""How long a declaration counts as recent (CONTRACT, section 4)."""
_RECENT_MAX: Final = 20
"""Recent declarations looked at per declarer: nobody types more in two minutes."""
_CHUNK: Final = 5000
"""Keys per statement; both databases take about 32,000 parameters."""


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
        last = select(counter.c.value).where(counter.c.name == "incident").with_for_update()
        loaded.next_number = conn.execute(last).scalar_one() + 1
    return loaded, heads


def chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """Return `keys` in lists that fit one statement."""
    rest = iter(keys)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _load_groups(conn: Connection, keys: frozenset[str], loaded: Loaded) -> None:
    for chunk in chunks(keys):
        for row in conn.execute(select(groups).where(groups.c.key.in_(chunk))):
            loaded.groups[row.key] = Group(key=row.key, incident=row.incident, last_alert_at=row.last_alert_at)


def _newest_episodes(chunk: list[tuple[str, str]]) -> Select[Any]:
    turn = func.row_number().over(
        partition_by=(episodes.c.source, episodes.c.fingerprint),
        order_by=(episodes.c.opened_at.desc(), episodes.c.closed_at.is_(None).desc(), episodes.c.id.desc()),
    )
    mine = tuple_(episodes.c.source, episodes.c.fingerprint).in_(chunk)
    ranked = select(episodes.c.data, turn.label("turn")).where(mine).subquery()
    return select(ranked.c.data).where(ranked.c.turn == 1)


def _load_episodes(conn: Connection, keys: frozenset[tuple[str, str]], loaded: Loaded) -> None:
    for chunk in chunks(keys):
        for data in conn.execute(_newest_episodes(chunk)).scalars():
            episode = Episode.model_validate_json(data)
            loaded.episodes[episode.source, episode.fingerprint] = episode


def _load_recent(conn: Connection, declarers: frozenset[str], since: datetime, loaded: Loaded) -> None:
    t = incidents.c
    for chunk in chunks(declarers):
        turn = func.row_number().over(partition_by=t.declared_by, order_by=t.number.desc())
        mine = and_(t.declared_by.in_(chunk), t.declared_at > since)
        ranked = select(t.declared_by, t.number, t.title, t.declared_at, turn.label("turn")).where(mine).subquery()
        query = select(ranked).where(ranked.c.turn <= _RECENT_MAX).order_by(ranked.c.number)
        for row in conn.execute(query):
            loaded.recent.setdefault(row.declared_by, []).append((row.number, row.title, row.declared_at))


def _load_incidents(conn: Connection, numbers: Iterable[int], loaded: Loaded, heads: Heads) -> None:
    t = incidents.c
    for chunk in chunks(numbers):
        for row in conn.execute(select(t.number, t.head_hash, t.state).where(t.number.in_(chunk))):
            loaded.incidents[row.number] = Incident.model_validate_json(row.state)
            heads.control[row.number] = row.head_hash
        armed = select(timers).where(timers.c.incident.in_(chunk), timers.c.state == "armed")
        for row in conn.execute(armed):
            loaded.timers[row.incident, row.kind] = row.due


def _load_record_heads(conn: Connection, numbers: frozenset[int], heads: Heads) -> None:
    heads.record = dict.fromkeys(numbers, (0, GENESIS))
    for chunk in chunks(numbers):
        for row in conn.execute(select(record_heads).where(record_heads.c.incident.in_(chunk))):
            heads.record[row.incident] = (row.seq, row.hash)


def _load_entry_keys(conn: Connection, keys: frozenset[tuple[int, str]], loaded: Loaded) -> None:
    t = records.c
    for chunk in chunks(keys):
        known = select(t.incident, t.key).where(tuple_(t.incident, t.key).in_(chunk))
        loaded.entry_keys.update((row.incident, row.key) for row in conn.execute(known))


def _load_answers(conn: Connection, commands: frozenset[str], loaded: Loaded) -> None:
    for chunk in chunks(commands):
        for row in conn.execute(select(inbox).where(inbox.c.command_id.in_(chunk))):
            loaded.answers[row.command_id] = Answer.model_validate_json(row.answer)


def _load_claims(conn: Connection, claims: Sequence[Claim], loaded: Loaded) -> None:
    """The rows stay locked: nobody can take an effect over between this look and the commit."""
    t = effects.c
    for chunk in chunks(sorted({claim.effect for claim in claims})):
        held = select(t.id, t.token).where(t.id.in_(chunk), t.state == "claimed").order_by(t.pos).with_for_update()
        loaded.held.update((row.id, row.token) for row in conn.execute(held))
