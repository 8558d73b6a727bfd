"""Advisory locks: always in the same order, so batches of several replicas never wait for each other in a ring.

SQLite has one writer and needs none.
"""

import hashlib
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


# unnest returns the array in its order, and the function is called row by row.
_LOCK: Final = text("SELECT count(pg_advisory_xact_lock(key)) FROM unnest(CAST(:keys AS BIGINT[])) AS key")


def lock_key(kind: LockClass, name: object) -> int:
    """Return a signed 64-bit key: the class in the top byte, a hash of `name` below."""
    digest = hashlib.blake2b(repr(name).encode(), digest_size=7).digest()
    return int.from_bytes(bytes([kind]) + digest, "big")


def take(conn: Connection, wanted: Iterable[tuple[LockClass, object]]) -> None:
    """Hold these locks until the transaction ends; waits at most the lock timeout."""
    if conn.dialect.name != "postgresql":
        return
    keys = sorted({lock_key(kind, name) for kind, name in wanted})
    if keys:
        conn.execute(_LOCK, {"keys": keys})


# A transaction of ours ends within `age`; this one waits for its client, so that process is frozen or unreachable.
# No time-out of the server ends it: in the middle of an executemany it counts as active, not as idle.
# https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL (own sessions only)
_END_FROZEN: Final = text(
    "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE a.datname = current_database()"
    " AND a.usename = current_user AND a.pid <> pg_backend_pid() AND a.wait_event = 'ClientRead'"
    " AND a.xact_start < clock_timestamp() - make_interval(secs => :age)"
    " AND EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted)"
)


def end_frozen(conn: Connection, age: float) -> int:
    """End the sessions that hold locks of ours for longer than `age` seconds and wait for a client; return how many."""
    return int(conn.execute(_END_FROZEN, {"age": age}).scalar_one())
