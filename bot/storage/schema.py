"""The schema's version: bring it up or down, and say whether it is today's. Runs Alembic on our own drivers."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.assets import asset_dir
from bot.storage import sqlite
from bot.storage.address import read_address
from bot.storage.backend import T
from bot.storage.faults import DATABASE_ERRORS, explain

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "head"
_LOCK: Final = 0x746F6373696E  # "tocsin": one replica migrates, the others wait and find it done


def migrate(url: str, to: str = HEAD) -> None:
    """Bring the schema at `url` to revision `to` (`head`, `base`, a revision), up or down, in one transaction.

    Blocks; call it in a thread of its own when an event loop runs. Raises Unavailable, BadAddress, or ValueError for
    a revision that there is not.
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
        try:
            known = [one.revision for one in script.iterate_revisions(HEAD, "base")]
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
    """True if the schema at `url` is the one that this version needs. Raises Unavailable."""
    return current(url) == newest()


def newest() -> str | None:
    """Return the revision that this version needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(asset_dir("migrations")).replace("%", "%%"))
    return config


def _revision(conn: Connection) -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(conn).get_current_revision()


def _run(url: str, work: Callable[[Connection], T]) -> T:
    address = read_address(url)
    try:
        if address.get_backend_name() == "sqlite":
            engine = sqlite.engine(address, "BEGIN IMMEDIATE", ("busy_timeout = 2000",), poolclass=NullPool)
            with engine.begin() as conn:
                return work(conn)

        async def connect() -> T:
            engine = create_async_engine(address, hide_parameters=True, poolclass=NullPool)
            async with engine.begin() as conn:
                return await conn.run_sync(work)

        return asyncio.run(connect())
    except DATABASE_ERRORS as error:
        raise explain(error) from None
