"""Alerts: one firing of one alert is an episode; a group ties the alerts of one outage to one incident."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.sender_news import News
from bot.domain.severity import Severity

HOUSE_SOURCE: Final = "tocsin"
"""The source of what the house itself reports, such as a watchdog that fell silent."""
INEXACT_SHOWN: Final = 3
"""Labels named where it is said that an alert cannot be silenced."""
ABSORBED_MAX: Final = 200
"""Alerts that were merged into one and end with it."""
EARLY_MAX: Final = 20
"""Pieces of news kept of an alert that has not been seen yet."""
EARLY_KEPT: Final = timedelta(hours=48)
"""For so long a sender repeats a delivery: what belongs before may come as late as that."""


class Alert(BaseModel):
    """One alert of a delivery, in our own shape, whoever sent it. All texts are hostile and already cut."""

    model_config = ConfigDict(frozen=True)
    source: str
    fingerprint: str
    status: Literal["firing", "resolved"]
    name: str
    summary: str = ""
    labels: dict[str, str] = {}
    inexact: tuple[str, ...] = ()
    """Labels that do not stand here as the sender has them: cleaned, cut, or left out. None of them can be matched."""
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    url: str = ""
    """Where the alert comes from (generatorURL, html_url); only http(s), else empty."""
    sender_group: str = ""
    """The sender's own grouping (Alertmanager's groupKey, PagerDuty's service)."""
    occurred_at: datetime | None = None
    """The sender's time of this change of state, from a sender whose deliveries may arrive out of order."""
    merged_into: str = ""
    """With `resolved`: the fingerprint that goes on in this one's place. Such a resolve is not a fix."""
    because: str = ""
    """With `resolved`: why it counts as such, if the sender did not say so itself."""
    what: str = ""
    """The sender's word for what happened (`incident.escalated`), if it tells more than the status."""
    answered: bool | None = None
    """Whether somebody answers for it at the sender, as of `occurred_at`; None: the sender does not say."""


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
    news: tuple[News, ...] = ()
    """What the sender tells besides its alerts' state."""
    legacy: str = ""
    """The sender speaks this old version, which is not listened to."""
    unknown: bool = False
    """It is of a kind that nobody here knows: new kinds may come at any time."""


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
    inexact: tuple[str, ...] = ()
    """The first few of the alert's."""
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
    route: str = ""
    """Which route decided, or that none matched."""
    question: str = ""
    """The question in which people are asked what to do about it. Where that leads counts if `incident` is None."""
    answered_at: datetime | None = None
    """The sender's time of the last word that somebody answers for it…"""
    unanswered_at: datetime | None = None
    """…and of the last that nobody does. An acknowledgement from before that says nothing any more."""
    merged_into: str = ""
    """The sender merged it into this one of its own, which goes on. It is over when that is: a merge is no fix."""
    absorbed: tuple[str, ...] = ()
    """Those that were merged into this one, straight or by way of another."""
    awaited: bool = False
    """It has not been seen yet: the row only keeps what was told of it before."""
    early: tuple[News, ...] = ()
    """News that came before its incident is known: heard when it is."""

    @property
    def is_open(self) -> bool:
        """True while it fires."""
        return self.closed_at is None

    @property
    def relatives(self) -> Iterator[tuple[str, str]]:
        """The alerts that this one is merged with, by source and fingerprint."""
        for one in (self.merged_into, *self.absorbed):
            if one:
                yield self.source, one

    def after(self, alert: Alert) -> "Episode":
        """Return it with what `alert` says of who answers. Events may come in any order: the latest word counts."""
        if alert.answered is None or alert.occurred_at is None:
            return self
        name = "answered_at" if alert.answered else "unanswered_at"
        known: datetime | None = getattr(self, name)
        if known is not None and alert.occurred_at <= known:
            return self
        return self.model_copy(update={name: alert.occurred_at})


@dataclass(frozen=True, slots=True)
class Group:
    """The alerts of one outage: the newest incident they joined, and when the last of them was seen."""

    key: str
    incident: int
    last_alert_at: datetime


def awaited(source: str, fingerprint: str, now: datetime) -> Episode:
    """Return the row of an alert that has not been seen yet. Closed from the start: it does not fire."""
    return Episode(
        id=f"{source}/{fingerprint}/{1:06}",
        source=source,
        fingerprint=fingerprint,
        incident=None,
        group="",
        name="",
        opened_at=now,
        last_seen=now,
        closed_at=now,
        awaited=True,
        why="not seen yet",
    )
