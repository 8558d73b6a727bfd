"""What of the house's own gave up, as long as it may be tried again: nothing newer about the same came since."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from bot.domain.effects import AnyEffect, AskTriage, PostNotice, ShowTriage, read_effect
from bot.domain.notices import HOUSE
from bot.domain.questions import Question
from bot.domain.undelivered import Undelivered, about
from bot.ports.store import Loaded
from bot.storage import locks, notices, questions
from bot.storage.locks import LockClass
from bot.storage.tables import effects, is_failed


def load(conn: Connection, loaded: Loaded) -> None:
    """Lock and load them: of two people who try the same again, one does."""
    locks.take(conn, [(LockClass.HOUSE, "undelivered")])
    loaded.undelivered = {one.id: one for one in read(conn)}


def read(conn: Connection) -> list[Undelivered]:
    """Return them, oldest first."""
    failed = conn.execute(_failed()).all()
    if not failed:
        return []
    newest = {about(row.id, row.show_key): row.pos for row in conn.execute(_since(), {"first": failed[0].pos})}
    last = [(row, read_effect(row.data)) for row in failed if newest[about(row.id, row.show_key)] == row.pos]
    said = notices.read(conn, (effect.notice for _, effect in last if isinstance(effect, PostNotice)))
    ids = (effect.question for _, effect in last if isinstance(effect, AskTriage | ShowTriage))
    asked = {one.id: one for one in questions.read(conn, ids)}
    found = []
    for row, effect in last:
        question = asked.get(effect.question) if isinstance(effect, AskTriage | ShowTriage) else None
        if _can_be_said(effect, question, said):
            private = question is not None and question.private
            found.append(Undelivered(row.id, effect, row.ended_at, row.error, row.mend, private))
    return found


def _can_be_said(effect: AnyEffect, question: Question | None, said: dict[str, Any]) -> bool:
    """False where the words are forgotten, and where nobody has to be asked any more."""
    match effect:
        case PostNotice():
            return effect.notice in said
        case AskTriage():
            return question is not None and question.is_open
        case ShowTriage():
            return question is not None
        case _:
            return True


@cache
def _failed() -> Select[Any]:
    e = effects.c
    columns = (e.pos, e.id, e.show_key, e.data, e.ended_at, e.error, e.mend)
    return select(*columns).where(is_failed(), e.incident == HOUSE).order_by(e.pos)


@cache
def _since() -> Select[Any]:
    e = effects.c
    mine = select(e.pos, e.id, e.show_key).where(e.incident == HOUSE, e.pos >= bindparam("first"))
    return mine.order_by(e.pos)
