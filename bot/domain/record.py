"""The record stream: what was observed in the channel. Appended, never decided, never folded."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.text import WORDS, Words

Kind = Literal[
    "message",
    "edited",
    "deleted",
    "reaction",
    "unreaction",
    "pinned",
    "unpinned",
    "joined",
    "left",
    "delivered",
    "command",
    "looked",
]


class Observation(BaseModel):
    """Something seen in an incident's channel.

    `ts` is the message it is about; `key` makes a repeat recognisable: the same key is recorded once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    v: Literal[1] = 1
    kind: Kind
    key: str
    channel: str = ""
    ts: str = ""
    thread_ts: str = ""
    user: str = ""
    name: str = ""
    """A reaction's name, or the delivery's."""
    text: Words = ""
    files: Annotated[tuple[str, ...], WORDS] = ()
    recovered: bool = False


class Entry(BaseModel):
    """An observation in its place."""

    model_config = ConfigDict(frozen=True)
    seq: int
    at: datetime
    actor: str
    observation: Observation
    request_id: str = ""
