"""The schema's version: bring it up or down, and say whether it is today's. Runs Alembic on our own drivers."""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, NullPool, inspect, text

from bot.assets import asset_dir
from bot.storage import sqlite
from bot.storage.address import read_address
from bot.storage.backend import T
from bot.storage.faults import DATABASE_ERRORS, explain

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "head"
NEWEST: Final = "0013"
"""The last revision in `migrations/`. Written here so that a start need not load Alembic; a test compares the two.

Revisions are four digits and rise, so an older version can tell a newer schema from a strange one.
"""
_LOCK: Final = 0x746F6373696E  # "tocsin": one replica migrates, the others wait and find it done


def migrate(url: str, to: str = HEAD) -> None:
    """Bring the schema at `url` to revision `to` (`head`, `base`, a revision), up or down, in one transaction.

    `head` leaves a newer version's schema as it is. Blocks; call it in a thread of its own when an event loop runs.
    Raises Unavailable, BadAddress, or ValueError for a revision that there is not, or a schema we do not know.
    """
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    def run(conn: Connection) -> None:
        config = _config()
        config.attributes["connection"] = conn
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        now = _revision(conn)
        script = ScriptDirectory.from_config(config)
        known = [one.revision for one in script.iterate_revisions(HEAD, "base")]
        if now is not None and now not in known:
            if to == HEAD and _serves(now):
                return
            raise ValueError(f"the schema is at {now}, which this version does not know: use the version that made it")
        try:
            target = script.as_revision_number(to)
            goal = target[0] if isinstance(target, tuple) else target
            downwards = now is not None and (goal is None or known.index(goal) > known.index(now))
            (command.downgrade if downwards else command.upgrade)(config, to)
        except (CommandError, ValueError):
            raise ValueError(f"there is no schema revision {to!r}") from None

    _run(url, run)


def current(url: str) -> str | None:
    """Return the revision of the schema at `url`; None for an empty database. Raises Unavailable."""
    return _run(url, _revision)


def is_current(url: str) -> bool:
    """True if this version runs on the schema at `url`: it is ours, or a newer version's. Raises Unavailable.

    A newer schema serves the old code, too, so that an old replica may restart during a rolling upgrade.
    """
    return _serves(current(url))


def _serves(revision: str | None) -> bool:
    return revision is not None and re.fullmatch("[0-9]{4}", revision) is not None and revision >= NEWEST


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(asset_dir("migrations")).replace("%", "%%"))
    return config


def _revision(conn: Connection) -> str | None:
    """Return what Alembic noted in its own table."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _run(url: str, work: Callable[[Connection], T]) -> T:
    address = read_address(url)
    try:
        if address.get_backend_name() == "sqlite":
            engine = sqlite.engine(address, "BEGIN IMMEDIATE", ("busy_timeout = 2000",), poolclass=NullPool)
            with engine.begin() as conn:
                return work(conn)

        from sqlalchemy.ext.asyncio import create_async_engine  # SQLite's users need not load it

        async def connect() -> T:
            engine = create_async_engine(address, hide_parameters=True, poolclass=NullPool)
            async with engine.begin() as conn:
                return await conn.run_sync(work)

        return asyncio.run(connect())
    except DATABASE_ERRORS as error:
        raise explain(error) from None
