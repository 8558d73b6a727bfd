"""A conversation of the workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.simulator.store import Json

Kind = Literal["public", "private", "im", "mpim"]


@dataclass
class Channel:
    """A conversation: a channel, a private channel or a direct message."""

    id: str
    name: str
    kind: Kind
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    topic: Json = field(default_factory=dict)
    purpose: Json = field(default_factory=dict)
    is_general: bool = False
    is_archived: bool = False
    previous_names: list[str] = field(default_factory=list)
    pins: list[Json] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)
    last_read: dict[str, str] = field(default_factory=dict)

    @property
    def is_direct(self) -> bool:
        """Whether it is a direct message, with one person or several."""
        return self.kind in ("im", "mpim")


def blurb(value: str, creator: str, at: float) -> Json:
    """Return a topic or purpose in Slack's shape."""
    return {"value": value, "creator": creator, "last_set": int(at) if creator else 0}
