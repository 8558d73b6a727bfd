"""PagerDuty's V3 events, in their documented shape."""

import json
from typing import Any

PERSON = {"id": "PLH1HK1", "type": "user_reference", "summary": "Dana Whitfield"}


def incident(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return PagerDuty's incident as an event carries it."""
    return {
        "id": f"Q{number}",
        "type": "incident",
        "status": "triggered",
        "title": "Checkout is down",
        "urgency": "high",
        "service": {"id": "P1", "summary": "checkout"},
        "created_at": "2026-11-22T11:59:00Z",
        **more,
    }


def reference(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return what other events carry."""
    return {"incident": {"id": f"Q{number}", "type": "incident_reference"}, **more}


def merged(number: int, into: int, **more: Any) -> dict[str, Any]:
    """Return the incident as the event of its merge carries it."""
    other = {"id": f"Q{into}", "type": "incident_reference", "summary": f"[#{into}] Another one"}
    reason = {"type": "merge_resolve_reason", "incident": other}
    return incident(number, status="resolved", resolve_reason=reason, **more)


def event_body(name: str, kind: str, data: Any, at: str, agent: Any = PERSON) -> bytes:
    """Return the body of one delivery; `kind` without `incident.`, `name` is the event's id."""
    event = {"id": name, "event_type": f"incident.{kind}", "agent": agent, "data": data, "occurred_at": at}
    return json.dumps({"event": event}, separators=(",", ":")).encode()
