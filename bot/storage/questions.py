"""Questions about alerts: asked, counted up, answered once."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, select

from bot.domain.questions import Question
from bot.ports.store import Changes, Keys, Loaded
from bot.storage import locks
from bot.storage.budgets import insert_into
from bot.storage.locks import LockClass
from bot.storage.prepared import rows
from bot.storage.sets import is_one_of
from bot.storage.tables import questions


def groups_of(conn: Connection, ids: frozenset[str]) -> frozenset[str]:
    """Return the groups of these questions, which never change: who holds a group's lock holds its questions."""
    if not ids:
        return frozenset()
    return frozenset(row.group_key for row in rows(conn, _groups(), {"named": list(ids)}))


def load(conn: Connection, keys: Keys, loaded: Loaded) -> None:
    """Load the questions asked for, and those that loaded episodes point to."""
    pointed = {episode.question for episode in loaded.episodes.values() if episode.question}
    named = keys.questions | pointed
    if named:
        # An episode's question may be of a group that the case did not name: its route has changed since. Locked after
        # the rest, so two batches may deadlock here: it is retried.
        locks.take(conn, [(LockClass.GROUP, group) for group in groups_of(conn, frozenset(pointed))])
        loaded.questions.update((one.id, one) for one in read(conn, named))
    if keys.asked:
        for (data,) in rows(conn, _newest(), {"named": list(keys.asked)}):
            question = Question.model_validate_json(data)
            loaded.questions[question.id] = loaded.asked[question.group] = question


def read(conn: Connection, ids: Iterable[str]) -> list[Question]:
    """Return the questions of these ids."""
    named = sorted(set(ids))
    return [Question.model_validate_json(data) for (data,) in rows(conn, _read(), {"named": named})] if named else []


def write(conn: Connection, batch: Sequence[Changes]) -> None:
    """Write the questions of `batch`: of each its last version."""
    latest = {one.id: one for changes in batch for one in changes.questions}
    for one in latest.values():
        row = insert_into(conn.dialect.name, questions).values(
            id=one.id,
            group_key=one.group,
            opened_at=one.opened_at,
            incident=one.incident,
            data=one.model_dump_json(),
        )
        again = {"incident": one.incident, "data": one.model_dump_json()}
        conn.execute(row.on_conflict_do_update(index_elements=["id"], set_=again))


@cache
def _groups() -> Select[Any]:
    return select(questions.c.group_key).where(is_one_of(questions.c.id)).distinct()


@cache
def _read() -> Select[Any]:
    return select(questions.c.data).where(is_one_of(questions.c.id))


@cache
def _newest() -> Select[Any]:
    q = questions.c
    turn = func.row_number().over(partition_by=q.group_key, order_by=(q.opened_at.desc(), q.id.desc()))
    ranked = select(q.data, turn.label("turn")).where(is_one_of(q.group_key)).subquery()
    return select(ranked.c.data).where(ranked.c.turn == 1)
