"""Questions: alerts about which people are asked first – Declare or Dismiss – before there is an incident. Pure.

One question per group and window: further alerts of the group count up on the same message.
"""

import hashlib
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.alerts import Alert
from bot.domain.severity import Severity

SHOWN: Final = 8
"""Alerts named in a question, the newest; the rest are counted."""
ASKED_MAX: Final = 5
"""Owners who are asked one by one about a private one."""


class Named(BaseModel):
    """One alert of a question, as it is shown and handed on. The texts are hostile."""

    model_config = ConfigDict(frozen=True)
    source: str
    fingerprint: str
    name: str
    summary: str = ""
    url: str = ""
    runbook_url: str = ""
    dashboard_url: str = ""
    why: str = ""
    where: str = ""
    inexact: tuple[str, ...] = ()


class Place(BaseModel):
    """Where a question stands, and which version of it."""

    model_config = ConfigDict(frozen=True)
    channel: str
    ts: str
    shown: int


class Question(BaseModel):
    """What people are asked about a group of alerts, and what came of it."""

    model_config = ConfigDict(frozen=True)
    id: str
    group: str
    words: str
    """The group in words."""
    version: int = 1
    state: Literal["open", "declared", "dismissed", "over"] = "open"
    opened_at: datetime
    last_alert_at: datetime
    firing: int
    total: int
    severity: Severity
    """Of the worst alert so far; it never falls."""
    assumed: bool = False
    reason: str
    worst: Alert
    service: str | None
    private: bool
    labels: dict[str, str]
    """What all alerts share."""
    alerts: tuple[Named, ...]
    previous: int | None = None
    to: tuple[str, ...]
    """Where it is asked: channels by name, people by id."""
    places: dict[str, Place] = {}
    """Of `to`, where it stands already."""
    by: str = ""
    """Who decided."""
    decided_at: datetime | None = None
    incident: int | None = None

    @property
    def is_open(self) -> bool:
        """True while it waits for an answer."""
        return self.state == "open"


def question_id(group: str, ordinal: int) -> str:
    """Return the id of the group's `ordinal`th question; it tells nothing of the group."""
    return f"{hashlib.sha256(group.encode()).hexdigest()[:20]}.{ordinal}"


def next_id(group: str, last: Question | None) -> str:
    """Return the id of the question after `last`."""
    return question_id(group, int(last.id.rpartition(".")[2]) + 1 if last else 1)
