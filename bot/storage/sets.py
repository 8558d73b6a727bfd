"""Conditions over a set of keys in one bound value: the statement's text is the same for one key and for a thousand.

An expanding IN list is another statement for each length, which both drivers would have to prepare anew.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Many(TypeDecorator[Any]):
    """A list as one value: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(self.item()) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" or value is None else json.dumps(value)


class _Pairs(TypeDecorator[Any]):
    """A list of pairs of texts as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> str:
        return json.dumps(value)


class _Condition(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> "_Condition":
        """Stand as it is among other conditions: on SQLite `(x IN …) = 1`, as it would be else, uses no index."""
        return self


class _IsOneOf(_Condition):
    inherit_cache = True


class _AreOneOf(_Condition):
    inherit_cache = True


def is_one_of(column: ColumnElement[Any], name: str = "named") -> ColumnElement[bool]:
    """Return the condition that `column` (texts or whole numbers) is in the list bound to `name`."""
    return _IsOneOf(column, bindparam(name, type_=_Many(_kind(column))))


def are_one_of(first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that two columns (texts or whole numbers) are in the list of pairs bound to `named`."""
    return _AreOneOf(first, second, bindparam("named", type_=_Pairs()))


def _kind(column: ColumnElement[Any]) -> type[TypeEngine[Any]]:
    return BigInteger if column.type.python_type is int else Text


@compiles(_IsOneOf, "sqlite")
def _sqlite_one(element: _IsOneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, named = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({named}))"  # noqa: S608  # names and binds of ours


@compiles(_IsOneOf, "postgresql")
def _postgres_one(element: _IsOneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, named = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({named})"


@compiles(_AreOneOf, "sqlite")
def _sqlite_pair(element: _AreOneOf, compiler: SQLCompiler, **kw: Any) -> str:
    first, second, named = (compiler.process(clause, **kw) for clause in element.clauses)
    pairs = f"SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({named})"  # noqa: S608
    return f"({first}, {second}) IN ({pairs})"


@compiles(_AreOneOf, "postgresql")
def _postgres_pair(element: _AreOneOf, compiler: SQLCompiler, **kw: Any) -> str:
    first, second, named = (compiler.process(clause, **kw) for clause in element.clauses)
    one, other = ("BIGINT" if _kind(column) is BigInteger else "TEXT" for column in list(element.clauses)[:2])
    parts = f"CAST(pair ->> 0 AS {one}), CAST(pair ->> 1 AS {other})"
    pairs = f"SELECT {parts} FROM json_array_elements(CAST({named} AS json)) AS pair"  # noqa: S608
    return f"({first}, {second}) IN ({pairs})"
