"""The trace of an incident from what was recorded, in the shape of `tocsin explain`: every decision and its reason."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from bot.domain import events as e
from bot.domain.alerts import Episode
from bot.domain.incident import Incident
from bot.domain.moments import rfc3339
from bot.ports.reader import DeliveryRow

Data: TypeAlias = dict[str, Any]
ALERTS_SHOWN: Final = 20
"""Alerts that are traced one by one; the rest are counted."""
CALLS_SHOWN: Final = 20


def trace(
    state: Incident, events: Sequence[e.Recorded], episodes: Sequence[Episode], deliveries: Iterable[DeliveryRow]
) -> Data:
    """Return why this incident is as it is. JSON-safe; keys as `usecases.explaining.explain` has them, and more."""
    declared = next((item for item in events if isinstance(item.event, e.Declared)), None)
    first = declared.event if declared and isinstance(declared.event, e.Declared) else None
    by_alert = declared is not None and declared.actor.startswith("alert:")
    reason = (first.severity_reason if first else "") or ("" if by_alert else "declared by a person")
    return {
        "outcome": "opened",
        "incident": state.key,
        "reason": reason,
        "declared_by": state.declared_by,
        "declared_at": rfc3339(state.declared_at),
        "previous": f"INC-{state.previous}" if state.previous else None,
        "truncated": 0,
        "alerts": [_alert(one) for one in _worst_first(episodes)[:ALERTS_SHOWN]],
        "alerts_left": max(len(episodes) - ALERTS_SHOWN, 0),
        "skipped": [],
        "opens": [_opened(state, events, deliveries)],
        "called": _calls(state, events),
        "changes": _changes(events),
    }


def _worst_first(episodes: Sequence[Episode]) -> list[Episode]:
    return sorted(episodes, key=lambda one: (not one.is_open, one.severity.rank if one.severity else 9, one.opened_at))


def _alert(one: Episode) -> Data:
    return {
        "fingerprint": one.fingerprint,
        "name": one.name,
        "status": "firing" if one.is_open else "resolved",
        "reason": one.why,
        "route": one.route,
        "severity": one.severity.value if one.severity else None,
        "incident": f"INC-{one.incident}" if one.incident else None,
        "opened_at": rfc3339(one.opened_at),
        "last_seen": rfc3339(one.last_seen),
        "closed_at": rfc3339(one.closed_at) if one.closed_at else None,
    }


def _opened(state: Incident, events: Sequence[e.Recorded], deliveries: Iterable[DeliveryRow]) -> Data:
    attached = [item.event for item in events if isinstance(item.event, e.RunbookAttached)]
    done = Counter((row.kind, row.state) for row in deliveries)
    return {
        "key": state.key,
        "title": state.title,
        "severity": state.severity.value,
        "severity_assumed": state.severity_assumed,
        "severity_reason": state.severity_reason,
        "channel": state.room.name if state.room else state.room_name,
        "service": state.service,
        "private": state.private,
        "when_alerts_end": state.when_alerts_end,
        "quiet_seconds": state.quiet,
        "runbook": attached[-1].name if attached else None,
        "runbook_reason": attached[-1].reason if attached else "",
        "invited": list(state.people),
        "paged": sorted(state.reached),
        "effects": [kind for kind, _ in done],
        "deliveries": [{"kind": kind, "state": how, "count": count} for (kind, how), count in done.items()],
        "respond_by": rfc3339(state.respond_by) if state.respond_by else None,
    }


def _calls(state: Incident, events: Sequence[e.Recorded]) -> list[Data]:
    """Who was called, when, and why: by whom it was asked, or by which clock."""
    made = []
    for item in events:
        if isinstance(item.event, e.PageRequested):
            whom = [*item.event.users, *item.event.usergroups, *item.event.pagers]
            how = {one: state.reached[one] for one in whom if one in state.reached}
            reason = item.event.reason or f"on call for {item.event.target}"
            made.append({"at": rfc3339(item.at), "by": item.actor, "users": whom, "how": how, "reason": reason})
    return made[-CALLS_SHOWN:]


def _changes(events: Sequence[e.Recorded]) -> list[Data]:
    """What was decided since, with its reason: severity, status that a machine set, reopening."""
    made = []
    for item in events:
        match item.event:
            case e.SeverityChanged() as ev:
                what, reason = ev.course, ev.reason
            case e.Reopened() as ev:
                what, reason = "reopened", ev.reason
            case e.ResponseOverdue() as ev:
                what, reason = f"escalation {ev.level}", "nobody acknowledged within the response time"
            case e.Cancelled() as ev:
                what, reason = "cancelled", ev.reason
            case e.Silenced() as ev:
                what, reason = f"silenced {ev.name} at Alertmanager", f"until {rfc3339(ev.until)}"
            case _:
                continue
        made.append({"at": rfc3339(item.at), "by": item.actor, "what": what, "reason": reason})
    return made[-CALLS_SHOWN:]
