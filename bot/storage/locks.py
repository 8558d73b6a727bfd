"""Advisory locks: always in the same order, so batches of several replicas never wait for each other in a ring.

Whoever needs very many of a class takes the whole class instead: PostgreSQL has room for some thousand locks in all,
and a flood of alerts must not use them up. SQLite has one writer and needs none.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from sqlalchemy import Connection, text


class LockClass(IntEnum):
    """What is locked. Batches take the classes in this order."""

    GROUP = 1
    FINGERPRINT = 2
    DECLARER = 3
    INCIDENT = 4
    RECORD = 5
    CLAIM = 6
    ROSTER = 7
    HOUSE = 8


EACH_MAX: Final = 256
"""Locks of one class that a transaction takes one by one: as many as cases share a commit.

max_locks_per_transaction × max_connections is 6,400 as PostgreSQL comes, for all sessions together:
https://www.postgresql.org/docs/current/runtime-config-locks.html
"""
# unnest returns the arrays in their order, and the function is called row by row.
_LOCK: Final = text(
    "SELECT count(CASE WHEN shared THEN pg_advisory_xact_lock_shared(key) ELSE pg_advisory_xact_lock(key) END)"
    " FROM unnest(CAST(:keys AS BIGINT[]), CAST(:shared AS BOOLEAN[])) AS wanted(key, shared)"
)


def lock_key(kind: LockClass, name: object) -> int:
    """Return a signed 64-bit key: the class in the top byte, a hash of `name` below."""
    digest = hashlib.blake2b(repr(name).encode(), digest_size=7).digest()
    return int.from_bytes(bytes([kind]) + digest, "big")


def class_key(kind: LockClass) -> int:
    """Return the key of the whole class: shared by all who hold some of it, alone for whoever needs very many."""
    return kind << 56


def take(conn: Connection, wanted: Iterable[tuple[LockClass, object]]) -> None:
    """Hold these locks until the transaction ends; waits at most the lock timeout."""
    if conn.dialect.name != "postgresql" or only_looks(conn):
        return
    locks = plan(wanted)
    if locks:
        conn.execute(_LOCK, {"keys": list(locks), "shared": list(locks.values())})


def only_looks(conn: Connection) -> bool:
    """True on a connection that cannot write: whoever decides nothing keeps nobody waiting."""
    return bool(conn.get_execution_options().get("postgresql_readonly"))


def plan(wanted: Iterable[tuple[LockClass, object]]) -> dict[int, bool]:
    """Return what to lock, in order: key → whether others may hold it, too. Pure."""
    classes: dict[LockClass, set[int]] = defaultdict(set)
    for kind, name in wanted:
        classes[kind].add(lock_key(kind, name))
    locks: dict[int, bool] = {}
    for kind in sorted(classes):
        few = len(classes[kind]) <= EACH_MAX
        locks[class_key(kind)] = few
        locks |= dict.fromkeys(sorted(classes[kind]) if few else (), False)
    return locks


# A transaction of ours ends within `age`; this one waits for its client, so that process is frozen or unreachable.
# No time-out of the server ends it: in the middle of an executemany it counts as active, not as idle.
# Only sessions that serve (application_name, postgres.py) and hold a lock of a class above: a migration takes its time,
# and another program of the same user may lock whatever it likes. An advisory lock's key stands in classid and objid.
# https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL (own sessions only)
_END_FROZEN: Final = text(
    "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE a.datname = current_database()"
    " AND a.usename = current_user AND a.application_name = 'tocsin' AND a.pid <> pg_backend_pid()"
    " AND a.wait_event = 'ClientRead' AND a.xact_start < clock_timestamp() - make_interval(secs => :age)"
    " AND EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted"
    " AND l.objsubid = 1 AND CAST(l.classid AS BIGINT) >> 24 BETWEEN :first AND :last)"
)


def end_frozen(conn: Connection, age: float) -> int:
    """End the sessions that hold locks of ours for longer than `age` seconds and wait for a client; return how many."""
    classes = {"first": int(min(LockClass)), "last": int(max(LockClass))}
    return int(conn.execute(_END_FROZEN, {"age": age, **classes}).scalar_one())
