"""Deliveries of several kinds, shaped and sized like real ones: Alertmanager's, and Slack's slash commands."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

OUTAGES: Final = 5
"""How many services the storm is about."""
STORM_ALERTS: Final = 10
"""Alerts in one POST of the storm."""


def _alert(service: str, fingerprint: str) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {
            "alertname": "HighErrorRate",
            "service": service,
            "env": "prod",
            "severity": "critical",
            "instance": f"10.0.0.1:{fingerprint[-4:]}",
            "job": "api",
        },
        "annotations": {
            "summary": f"Error rate of {service} is above 5 %",
            "description": "More than 5 % of all requests fail for 5 minutes.",
            "runbook_url": "https://runbooks.example.com/high-error-rate",
        },
        "startsAt": "2024-05-01T12:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
        "fingerprint": fingerprint,
    }


def _body(service: str, alerts: list[dict[str, Any]]) -> bytes:
    common = {"alertname": "HighErrorRate", "service": service}
    whole = {
        "version": "4",
        "groupKey": f'{{}}:{{service="{service}"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "tocsin",
        "groupLabels": common,
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "alerts": alerts,
    }
    return json.dumps(whole).encode()


def _same(first: int, count: int) -> Iterator[bytes]:
    """One alert that fires and fires: after the first time nothing changes."""
    body = _body("checkout", [_alert("checkout", "a" * 16)])
    return (body for _ in range(count))


def _crowd(first: int, count: int) -> Iterator[bytes]:
    """A hundred alerts of ten services, again and again."""
    made = [_body(f"svc-{n % 10}", [_alert(f"svc-{n % 10}", f"{n:016x}")]) for n in range(100)]
    return (made[n % 100] for n in range(first, first + count))


def _joining(first: int, count: int) -> Iterator[bytes]:
    """Alerts never seen before, of ten services: each joins the open incident of its service."""
    for n in range(first, first + count):
        yield _body(f"svc-{n % 10}", [_alert(f"svc-{n % 10}", f"b{n:015x}")])


def _opening(first: int, count: int) -> Iterator[bytes]:
    """Each of another service: an incident each."""
    for n in range(first, first + count):
        yield _body(f"new-{n}", [_alert(f"new-{n}", f"c{n:015x}")])


def _storm(first: int, count: int) -> Iterator[bytes]:
    """Ten new alerts a POST, all of them of five services."""
    for n in range(first, first + count):
        service = f"storm-{n % OUTAGES}"
        yield _body(service, [_alert(service, f"d{n * STORM_ALERTS + k:015x}") for k in range(STORM_ALERTS)])


def _commands(first: int, count: int) -> Iterator[bytes]:
    """Slash commands, each a declaration of its own."""
    for n in range(first, first + count):
        form = {
            "command": "/incident",
            "text": f"declare sev2 Outage number {n}",
            "user_id": "U0001",
            "channel_id": "C0001",
            "team_id": "T0001",
            "trigger_id": f"{n}.1.bench",
            "response_url": "http://127.0.0.1:1/none",
        }
        yield urlencode(form).encode()


PAYLOADS: Final[Mapping[str, Callable[[int, int], Iterator[bytes]]]] = {
    "same": _same,
    "crowd": _crowd,
    "joining": _joining,
    "opening": _opening,
    "storm": _storm,
    "commands": _commands,
}
