"""Alerts: one firing of one alert is an episode; a group ties the alerts of one outage to one incident."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.severity import Severity


class Alert(BaseModel):
    """One alert of a delivery, in our own shape, whoever sent it. All texts are hostile and already cut."""

    model_config = ConfigDict(frozen=True)
    source: str
    fingerprint: str
    status: Literal["firing", "resolved"]
    name: str
    summary: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    url: str = ""
    """Where the alert comes from (generatorURL, html_url); only http(s), else empty."""
    sender_group: str = ""
    """The sender's own grouping (Alertmanager's groupKey, PagerDuty's service)."""
    occurred_at: datetime | None = None
    """The sender's time of this change of state, from a sender whose deliveries may arrive out of order."""
    merged_into: str = ""
    """With `resolved`: the fingerprint that goes on in this one's place. Such a resolve is not a fix."""
    what: str = ""
    """The sender's word for what happened (`incident.escalated`), if it tells more than the status."""


class Skipped(BaseModel):
    """A part of a delivery that could not be used, and why."""

    model_config = ConfigDict(frozen=True)
    fingerprint: str = ""
    reason: str


class AlertBatch(BaseModel):
    """One delivery."""

    model_config = ConfigDict(frozen=True)
    source: str
    alerts: tuple[Alert, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    truncated: int = 0


class Episode(BaseModel):
    """One firing of one alert: opened by the first firing seen after a resolve, closed by the resolve."""

    model_config = ConfigDict(frozen=True)
    id: str
    source: str
    fingerprint: str
    incident: int | None
    group: str
    name: str
    severity: Severity | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    url: str = ""
    starts_at: datetime | None = None
    opened_at: datetime
    last_seen: datetime
    closed_at: datetime | None = None
    changed_at: datetime | None = None
    """The sender's time of the last change of state, where it tells: an older one arriving late undoes nothing."""
    why: str = ""
    """Route, severity and their reasons, in words."""

    @property
    def is_open(self) -> bool:
        """True while it fires."""
        return self.closed_at is None


class Group(BaseModel):
    """The alerts of one outage: the newest incident they joined, and when the last of them was seen."""

    model_config = ConfigDict(frozen=True)
    key: str
    incident: int
    last_alert_at: datetime
