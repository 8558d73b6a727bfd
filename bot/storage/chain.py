"""The hash chain: rows of the two streams, with people's words split off, and read back again.

hash = sha256(previous hash ‖ every other column), each part preceded by its length, so that no two rows read alike.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, get_origin

import pydantic_core
from pydantic import BaseModel
from sqlalchemy import RowMapping

from bot.domain.events import Event, Recorded, read_event, words_of
from bot.domain.record import Entry, Observation
from bot.ports.store import NewEntry, NewEvent
from bot.storage.columns import to_text

ERASED: Final = "[erased]"
"""What erased words read as."""
GENESIS: Final = ""
"""The hash before an incident's first row."""
EVENT_COLUMNS: Final = (
    "incident", "seq", "at", "actor", "type", "v", "data", "words", "request_id", "command_id",
)  # fmt: skip
RECORD_COLUMNS: Final = ("incident", "seq", "at", "actor", "key", "data", "words", "request_id")
Row = Mapping[str, Any] | RowMapping


def link(previous: str, row: Row, columns: Iterable[str]) -> str:
    """Return the hash of `row`, chained to `previous`."""
    parts: list[bytes] = []
    for value in (previous, *(row[name] for name in columns)):
        part = (to_text(value) if isinstance(value, datetime) else str(value)).encode()
        parts += (len(part).to_bytes(8, "big"), part)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def content_id(salt: str, body: str) -> str:
    """Return the id of the words `body` (JSON) under `salt`."""
    return hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest()


def _split(model: BaseModel) -> tuple[str, dict[str, str] | None]:
    """Return the JSON of `model` without people's words, and the contents row that holds those."""
    words = words_of(type(model))
    if not words:
        return model.model_dump_json(), None
    body = model.model_dump_json(include=set(words))
    salt = os.urandom(16).hex()
    row = {"id": content_id(salt, body), "salt": salt, "body": body}
    return model.model_dump_json(exclude=set(words)), row


def event_row(new: NewEvent, previous: str) -> tuple[dict[str, Any], dict[str, str] | None]:
    """Return the row of an event that follows hash `previous`, and its words' row."""
    item = new.recorded
    data, words = _split(item.event)
    row = {
        "incident": new.incident,
        "seq": item.seq,
        "at": item.at,
        "actor": item.actor,
        "type": item.event.type,
        "v": item.event.v,
        "data": data,
        "words": words["id"] if words else "",
        "request_id": item.request_id,
        "command_id": new.command_id,
    }
    row["hash"] = link(previous, row, EVENT_COLUMNS)
    return row, words


def record_row(new: NewEntry, seq: int, previous: str) -> tuple[dict[str, Any], dict[str, str] | None]:
    """Return the row of an observation at `seq` that follows hash `previous`, and its words' row."""
    data, words = _split(new.entry.observation)
    row = {
        "incident": new.incident,
        "seq": seq,
        "at": new.entry.at,
        "actor": new.entry.actor,
        "key": new.entry.observation.key,
        "data": data,
        "words": words["id"] if words else "",
        "request_id": new.entry.request_id,
    }
    row["hash"] = link(previous, row, RECORD_COLUMNS)
    return row, words


def read_recorded(row: Row, body: str | None) -> Recorded:
    """Return the event in `row` with its words (`body`; None if they were erased)."""
    data = pydantic_core.from_json(row["data"])
    data |= _words(_event_kind(row["type"]), row["words"], body)
    return Recorded(
        seq=row["seq"], at=row["at"], actor=row["actor"], event=read_event(data), request_id=row["request_id"]
    )


def read_entry(row: Row, body: str | None) -> Entry:
    """Return the observation in `row` with its words (`body`; None if they were erased)."""
    data = pydantic_core.from_json(row["data"]) | _words(Observation, row["words"], body)
    return Entry(
        seq=row["seq"],
        at=row["at"],
        actor=row["actor"],
        observation=Observation.model_validate(data),
        request_id=row["request_id"],
    )


def _event_kind(name: str) -> type[Event]:
    for kind in Event.__subclasses__():
        if kind.model_fields["type"].default == name:
            return kind
    return Event


def _words(kind: type[BaseModel], reference: str, body: str | None) -> dict[str, Any]:
    if not reference:
        return {}
    if body is not None:
        words: dict[str, Any] = pydantic_core.from_json(body)
        return words
    return {name: _erased(kind.model_fields[name].annotation) for name in words_of(kind)}


def _erased(annotation: Any) -> Any:
    """Return what stands in for erased words of this type: texts say so, collections are empty."""
    if annotation is str:
        return ERASED
    return {} if get_origin(annotation) is dict else []
