"""Database addresses as users write them, and as SQLAlchemy takes them."""

from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_POSTGRES: Final = ("postgresql", "postgres")


class BadAddress(ValueError):
    """TOCSIN_DATABASE_URL is none of `sqlite:///tocsin.db`, `postgresql://user@host/db`. Never repeats the address."""


def read_address(url: str) -> URL:
    """Return `url` (a `+driver` part is ignored) with the driver that we use. Raises BadAddress."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    kind = parsed.drivername.partition("+")[0] if parsed is not None else ""
    if parsed is not None and kind == "sqlite":
        return parsed.set(drivername="sqlite+pysqlite")
    if parsed is not None and kind in _POSTGRES:
        return _for_asyncpg(parsed.set(drivername="postgresql+asyncpg"))
    raise BadAddress("the database address must look like sqlite:///tocsin.db or postgresql://user@host/db")


def _for_asyncpg(url: URL) -> URL:
    """libpq calls it `sslmode`, asyncpg `ssl`; the values are the same."""
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(query=query)


def is_memory(url: URL) -> bool:
    """True for a SQLite database that lives in memory only (tests)."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
