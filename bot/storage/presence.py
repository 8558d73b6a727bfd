"""Who delivers from a SQLite file: each holds a lock on a file beside it. Who gets that lock alone is the only one.

A container that is restarted cannot tell from process numbers that its predecessor is gone; by this it can. On
PostgreSQL a replica may be anywhere, so there nobody is known to be gone, and leases end by themselves.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from bot.ports.store import Unavailable

SUFFIX: Final = "-workers"
"""Added to the database's name. The file stays empty, and stays: who removed it would take others' locks away."""
log = structlog.get_logger()


@asynccontextmanager
async def attending(
    database: Path | None, holders: Callable[[], Awaitable[Iterable[str]]]
) -> AsyncIterator[frozenset[str]]:
    """Be one of those who deliver from `database`. Yields those of the present `holders` of effects who are gone.

    They are asked for while the lock is ours alone: whoever comes next claims nothing before it has its share.
    """
    door = _open(database) if database is not None else None
    if door is None:
        yield frozenset()
        return
    try:
        gone = frozenset(await _known(holders)) if _lock(door, fcntl.LOCK_EX | fcntl.LOCK_NB) else frozenset()
        await asyncio.to_thread(_lock, door, fcntl.LOCK_SH)
        yield gone
    finally:
        os.close(door)


def _open(database: Path) -> int | None:
    try:
        return os.open(database.with_name(database.name + SUFFIX), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        log.warning("cannot tell who else delivers", error=exc.strerror)
        return None


def _lock(door: int, how: int) -> bool:
    """Take the lock, or turn the one that we hold into another: flock(2). False if we cannot have it."""
    try:
        fcntl.flock(door, how)
    except OSError:  # somebody else holds it, or this file system knows no locks
        return False
    return True


async def _known(holders: Callable[[], Awaitable[Iterable[str]]]) -> Iterable[str]:
    try:
        return await holders()
    except Unavailable:
        return ()
