"""Snapshots, and those that an older version wrote: it knew fewer fields than follow from the same events today.

A snapshot is a cache of the fold. One that lacks fields is read with their defaults, and would go on with them. So in a
database with snapshots of another shape an incident is folded anew before it changes, and within the hour the others.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Select, bindparam, select, update

from bot.domain.incident import Incident, fold
from bot.ports.store import Conflict, Unavailable
from bot.storage import locks
from bot.storage.backend import Backend
from bot.storage.locks import LockClass
from bot.storage.sets import is_one_of
from bot.storage.stored import verbatim
from bot.storage.streams import read_events
from bot.storage.tables import incidents, installation

AT_ONCE: Final = 10
"""Incidents folded in one transaction: others wait for it."""


@cache
def snapshots_named() -> Select[tuple[int, str]]:
    """Return what reads the snapshots of the incidents in `named`. Built once: that costs more than running it."""
    return select(incidents.c.number, incidents.c.state).where(is_one_of(incidents.c.number))


def columns_of(state: Incident) -> dict[str, Any]:
    """Return what an incident's row says of its state: the snapshot, and beside it what queries need."""
    return {
        "seq": state.seq,
        "state": state.model_dump_json(),
        "title": state.title,
        "declared_by": state.declared_by,
        "declared_at": state.declared_at,
        "severity": state.severity.value,
        "status": state.status.value,
        "active": state.is_active,
        "private": state.private,
        "drill": state.drill,
        "published": state.published is not None,
        "acknowledged_at": state.acknowledged_at,
        "channel": state.room.channel if state.room else None,
    }


def is_snapshot(text: str, state: Incident) -> bool:
    """True if `text` is the snapshot of `state`, or means the same though it lacks fields.

    What it says stands as we write it, byte for byte; what it does not say is so by default.
    """
    if text == state.model_dump_json():
        return True
    try:
        return says_nothing_else(text, state) and Incident.model_validate_json(text) == state
    except ValueError:
        return False


def says_nothing_else(text: str, state: Incident) -> bool:
    """True if `text` is the snapshot of `state`, but for keys that it lacks. Raises ValueError if it is no JSON."""
    return to_json(_cut(from_json(state.model_dump_json()), from_json(text))) == text.encode()


def _cut(whole: Any, said: Any) -> Any:
    """Return what `whole` says under the keys of `said`, in their order."""
    if isinstance(whole, dict) and isinstance(said, dict):
        return {key: _cut(whole[key], value) for key, value in said.items() if key in whole}
    if isinstance(whole, list) and isinstance(said, list) and len(whole) == len(said):
        return list(map(_cut, whole, said))
    return whole


@cache
def shape() -> str:
    """Return a digest of the fields that snapshots have today, those of their parts included."""
    names: list[str] = []
    parts: list[type[BaseModel]] = [Incident]
    for part in parts:
        names.append(part.__name__)
        for name, field in part.model_fields.items():
            names.append(name)
            parts += [one for one in _models(field.annotation) if one not in parts]
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:16]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in getattr(annotation, "__args__", ()):
        yield from _models(one)


class Renewal:
    """What an open database still has to do about its snapshots: as a rule nothing."""

    def __init__(self, backend: Backend, shape_there: str | None) -> None:
        self._backend = backend
        self._done = shape_there == shape()

    async def begin(self) -> None:
        """Remember today's shape where there are no snapshots yet."""
        if not self._done and not await self._backend.read(_numbers):
            await self.finish()

    def before_a_change(self, conn: Connection, states: dict[int, Incident]) -> None:
        """Put right what was loaded, before anything is decided on it."""
        if not self._done:
            states.update(_renew(conn, sorted(states)))

    async def finish(self) -> None:
        """Fold anew what lacks fields, and remember that nothing does. Whoever cannot leaves it to the next one."""
        if self._done:
            return
        with suppress(Conflict, Unavailable):
            numbers = await self._backend.read(_numbers)
            for at in range(0, len(numbers), AT_ONCE):
                some = numbers[at : at + AT_ONCE]
                await self._backend.write(partial(_renew, numbers=some), announce=False)
            await self._backend.write(_note_shape, announce=False)
            self._done = True


def _numbers(conn: Connection) -> list[int]:
    return list(conn.execute(select(incidents.c.number).order_by(incidents.c.number)).scalars())


def _renew(conn: Connection, numbers: list[int]) -> dict[int, Incident]:
    """Fold those incidents anew whose snapshots lack fields, and return them. `verify` finds what else is wrong."""
    locks.take(conn, ((LockClass.INCIDENT, number) for number in numbers))
    rows = select(incidents.c.number, incidents.c.state).where(is_one_of(incidents.c.number))
    renewed = {}
    with verbatim(conn):
        for number, text in conn.execute(rows, {"named": numbers}).all():
            if (state := _folded(conn, number, text)) is not None:
                mine = update(incidents).where(incidents.c.number == bindparam("n"))
                conn.execute(mine.values(columns_of(state)), {"n": number})
                renewed[number] = state
    return renewed


def _folded(conn: Connection, number: int, text: str) -> Incident | None:
    try:
        if Incident.model_validate_json(text).model_dump_json() == text:
            return None
        state = fold(read_events(conn, number))
        return state if says_nothing_else(text, state) else None
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def _note_shape(conn: Connection) -> None:
    conn.execute(update(installation).values(snapshots=shape()))
