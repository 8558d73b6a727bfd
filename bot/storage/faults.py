"""What went wrong in the database, in the ports' two words: Conflict or Unavailable. Never with a password in it."""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.ports.store import Conflict, Unavailable

_AGAIN: Final = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_TOO_LATE: Final = frozenset({"55P03", "57014"})
"""lock_not_available, query_canceled."""
_BAD_VALUE: Final = "22"
"""Class 22, data exception: one case of the batch carries something that cannot be stored."""
_TOO_MUCH: Final = "53200"
"""out_of_memory: also said when there is no room for another lock. What a batch needs, one case alone may not."""
_MISSING_SCHEMA: Final = frozenset({"42P01", "42703"})
"""undefined_table, undefined_column."""
_REASONS: Final = {
    "53100": "the disk of the database is full",
    "53300": "the database has no free connection",
    "55P03": "a lock was not free in time",
    "57014": "the database did not answer in time",
    "57P01": "the database is stopping",
    "57P02": "the database has crashed",
    "57P03": "the database is starting or stopping",
    "25006": "the database is read-only",
    "3D000": "the database does not exist",
    "28P01": "the database refused the password",
}
OLD_SCHEMA: Final = "the database schema is not up to date: run `tocsin migrate`"


def sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's five-letter code of `error`, or an empty string."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or getattr(error, "sqlstate", None) or ""


def may_retry(error: BaseException) -> bool:
    """True if the transaction was rolled back through no fault of its own, and may be run again at once.

    Whoever lost the connection in the midst of a commit must find out first what became of it.
    """
    if not isinstance(error, DBAPIError):
        return False
    return sqlstate(error) in _AGAIN or error.connection_invalidated


def ran_out_of_time(error: BaseException) -> bool:
    """True if a lock or an answer did not come in time."""
    return sqlstate(error) in _TOO_LATE or isinstance(error, TimeoutError)


def explain(error: BaseException) -> Conflict | Unavailable:
    """Return the port's exception for `error`. The text names the reason, not the address, values or SQL."""
    code = sqlstate(error)
    if isinstance(error, UnicodeDecodeError):  # what SQLite says of its schema quotes bytes that are no text
        return Unavailable("the database file is damaged: its schema cannot be read")
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return Conflict("a constraint was hit")
    if code.startswith(_BAD_VALUE) or isinstance(error, ValueError):
        return Conflict(f"a value cannot be stored ({type(error).__name__})")
    if code == _TOO_MUCH:
        return Conflict("the database has no room for so much at once")
    if code in _MISSING_SCHEMA or "no such table" in str(getattr(error, "orig", error)):
        return Unavailable(OLD_SCHEMA)
    if code in _REASONS:
        return Unavailable(_REASONS[code])
    if isinstance(error, TimeoutError | PoolTimeout):
        return Unavailable("the database did not answer in time")
    if isinstance(error, OSError):
        return Unavailable("the database cannot be reached")
    return Unavailable(_sqlite_reason(error) or f"the database failed ({code or type(error).__name__})")


def _sqlite_reason(error: BaseException) -> str:
    """SQLite's own message is a fixed sentence (`database is locked`, `database or disk is full`): safe to repeat."""
    name = getattr(getattr(error, "orig", error), "sqlite_errorname", "")
    return f"the database failed ({name})" if name else ""


DATABASE_ERRORS: Final = (DBAPIError, sqlite3.Error, PoolTimeout, OSError, TimeoutError, UnicodeDecodeError)
"""What a database call may raise for reasons that are not ours. A wrong statement of ours comes out as it is."""
