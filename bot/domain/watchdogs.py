"""The dead-man's switch: an alert that fires always, and what follows when it does not come any more. Pure.

Silence counts from when the setting was first seen, and not while nobody listened: after an outage of our own every
watchdog has its whole time again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from bot.domain.alerts import HOUSE_SOURCE, Alert
from bot.domain.matchers import matches
from bot.domain.routes import Watchdog

LOOK_EVERY: Final = timedelta(seconds=30)
"""How often it is looked; more often if a watchdog's time is short."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is on record about one watchdog. `since`: counted from then. `alarmed`: its silence has been reported."""

    name: str
    since: datetime
    checked_at: datetime
    seen_at: datetime | None = None
    alarmed: bool = False

    @property
    def last(self) -> datetime:
        """The moment from which silence counts."""
        return max(self.since, self.seen_at) if self.seen_at else self.since


def look_every(settings: Sequence[Watchdog]) -> timedelta:
    """Return how often to look."""
    return min([LOOK_EVERY, *(one.within / 4 for one in settings)])


def heard(alert: Alert, settings: Sequence[Watchdog]) -> str | None:
    """Return the name of the watchdog that `alert` is, if it is one. A resolved one is no sign of life."""
    if not settings:
        return None
    fields = {"source": alert.source, "alertname": alert.name, **alert.labels}
    return next((one.key for one in settings if all(matches(line, fields) for line in one.match)), None)


def looked(
    watch: Watch | None, setting: Watchdog, now: datetime, every: timedelta
) -> tuple[Watch, Literal["silent", "back", ""]]:
    """Return the watch as it is after a look at `now`, and what has changed.

    `every`: how often somebody looks. After three missed looks nobody was there to hear it.
    """
    if watch is None:
        return Watch(setting.key, since=now, checked_at=now), ""
    after = replace(watch, checked_at=max(now, watch.checked_at))
    if now - watch.checked_at > 3 * every:
        after = replace(after, since=now)
    silent = now - after.last > setting.within
    if silent and not watch.alarmed:
        return replace(after, alarmed=True), "silent"
    # One that was silent is back when it was heard again, not when we began to listen again.
    if watch.alarmed and watch.seen_at is not None and now - watch.seen_at <= setting.within:
        return replace(after, alarmed=False), "back"
    return after, ""


def is_due(watches: Mapping[str, Watch], settings: Sequence[Watchdog], now: datetime, every: timedelta) -> bool:
    """True if a look is worth a commit: something would change, or the last one is a while ago."""
    for setting in settings:
        watch = watches.get(setting.key)
        if watch is None or now - watch.checked_at >= every * 0.8 or looked(watch, setting, now, every)[1]:
            return True
    return False


def silence(watch: Watch, setting: Watchdog, *, over: bool) -> Alert:
    """Return the alert that the house reports: that it is silent, or `over`, that it came again."""
    since = watch.last.astimezone(UTC)
    never = "" if watch.seen_at else " (it was never heard of since it is watched)"
    labels = {"alertname": "WatchdogSilent", "watchdog": setting.key, "severity": setting.severity.value}
    if setting.service:
        labels["service"] = setting.service
    return Alert(
        source=HOUSE_SOURCE,
        fingerprint=f"watchdog/{setting.key}",
        status="resolved" if over else "firing",
        name="WatchdogSilent",
        summary=f"Watchdog {setting.key} has been silent since {since:%Y-%m-%d %H:%M:%S} UTC",
        labels=labels,
        annotations={
            "description": f"The alert {', '.join(setting.match)} fires always, to prove that alerts arrive. "
            f"It stopped coming{never}: until it comes again, other alerts may be missing, too. Look at Prometheus, at "
            "Alertmanager and at the way from there to Tocsin."
        },
        sender_group=f"watchdog/{setting.key}",
        because="it comes again" if over else "",
    )
