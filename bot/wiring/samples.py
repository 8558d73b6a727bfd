"""Our own sample alerts for the demo, in the exact shape in which Alertmanager and PagerDuty send theirs.

The workspace in the browser plays the sender and POSTs them to the real webhooks, token and signature included.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import uuid4

from bot.ports.clock import Clock, utc_now
from bot.simulator.settings import Sample

_NEVER: Final = "0001-01-01T00:00:00Z"
_FNV_OFFSET, _FNV_PRIME, _SEPARATOR = 14_695_981_039_346_656_037, 1_099_511_628_211, b"\xff"


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the 16 hex digits that Alertmanager gives an alert: FNV-1a (64 bit) over its sorted labels."""
    total = _FNV_OFFSET
    for name in sorted(labels):
        for byte in name.encode() + _SEPARATOR + labels[name].encode() + _SEPARATOR:
            total = ((total ^ byte) * _FNV_PRIME) & 0xFFFF_FFFF_FFFF_FFFF
    return f"{total:016x}"


def _go_json(body: Any) -> bytes:
    """Return JSON as Go's encoder writes it: compact, one newline, `<`, `>` and `&` escaped, the rest raw UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return f"{text}\n".encode()


def _instant(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class _AlertmanagerGroup:
    """One alert group; remembers when it began to fire, as Prometheus does."""

    clock: Clock
    alerts: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...]
    starts_at: str = ""
    last: bytes = b""

    def build(self, action: str) -> bytes:
        """Return the bytes for `fire`, `repeat` (the identical delivery once more) or `resolve`."""
        if action == "repeat" and self.last:
            return self.last
        now = _instant(self.clock())
        if action != "resolve" or not self.starts_at:
            self.starts_at = now
        status = "resolved" if action == "resolve" else "firing"
        alerts = [self._alert(labels, notes, status, now) for labels, notes in self.alerts]
        common = _common([labels for labels, _ in self.alerts])
        name = self.alerts[0][0]["alertname"]
        self.last = _go_json(
            {
                "receiver": "tocsin",
                "status": status,
                "alerts": alerts,
                "groupLabels": {"alertname": name},
                "commonLabels": common,
                "commonAnnotations": _common([notes for _, notes in self.alerts]),
                "externalURL": "http://alertmanager.example:9093",
                "version": "4",
                "groupKey": f'{{}}:{{alertname="{name}"}}',
                "truncatedAlerts": 0,
            }
        )
        return self.last

    def _alert(self, labels: Mapping[str, str], notes: Mapping[str, str], status: str, now: str) -> dict[str, Any]:
        return {
            "status": status,
            "labels": dict(sorted(labels.items())),
            "annotations": dict(sorted(notes.items())),
            "startsAt": self.starts_at,
            "endsAt": now if status == "resolved" else _NEVER,
            "generatorURL": f"http://prometheus.example:9090/graph?g0.expr={labels['alertname']}&g0.tab=1",
            "fingerprint": fingerprint(labels),
        }


def _common(sets: list[Mapping[str, str]]) -> dict[str, str]:
    first, *rest = sets
    return {k: v for k, v in sorted(first.items()) if all(other.get(k) == v for other in rest)}


@dataclass(slots=True)
class _PagerDutyIncident:
    """One PagerDuty incident, triggered and resolved; V3 webhook, one event a request."""

    clock: Clock
    title: str
    number: int = 1000
    id: str = ""
    last: bytes = field(default=b"", repr=False)

    def build(self, action: str) -> bytes:
        """Return the bytes for `fire`, `repeat` or `resolve`."""
        if action == "repeat" and self.last:
            return self.last
        now = _instant(self.clock())
        if action == "fire" or not self.id:
            self.id, self.number = f"Q{uuid4().hex[:13].upper()}", self.number + 1
        event_type = "incident.resolved" if action == "resolve" else "incident.triggered"
        status = "resolved" if action == "resolve" else "triggered"
        url = f"https://acme.pagerduty.example/incidents/{self.id}"
        service = _reference("PCHKOUT", "service", "checkout")
        body = {
            "event": {
                "id": f"01{uuid4().hex[:24].upper()}",
                "event_type": event_type,
                "resource_type": "incident",
                "occurred_at": now,
                "agent": None,
                "client": None,
                "data": {
                    "id": self.id,
                    "type": "incident",
                    "self": f"https://api.pagerduty.example/incidents/{self.id}",
                    "html_url": url,
                    "number": self.number,
                    "status": status,
                    "incident_key": f"acme-{self.number}",
                    "created_at": now,
                    "title": self.title,
                    "service": service,
                    "assignees": [_reference("PUSER01", "user", "Anna Berg")],
                    "escalation_policy": _reference("PPOLICY", "escalation_policy", "Default"),
                    "teams": [],
                    "priority": _reference("PPRIO01", "priority", "P1"),
                    "urgency": "high",
                    "conference_bridge": None,
                    "resolve_reason": None,
                },
            }
        }
        self.last = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        return self.last


def _reference(key: str, kind: str, summary: str) -> dict[str, str]:
    base = f"https://acme.pagerduty.example/{kind}s/{key}"
    return {"html_url": base, "id": key, "self": base, "summary": summary, "type": f"{kind}_reference"}


Source = Literal["alertmanager", "pagerduty"]
_ACTIONS: Final = ("fire", "repeat", "resolve")


def samples(clock: Clock = utc_now) -> tuple[Sample, ...]:
    """Return the demo's list of alerts to fire."""

    def sample(name: str, title: str, about: str, source: Source, build: Callable[[str], bytes]) -> Sample:
        return Sample(id=name, title=title, description=about, source=source, actions=_ACTIONS, build=build)

    def group(*alerts: tuple[dict[str, str], dict[str, str]]) -> Callable[[str], bytes]:
        return _AlertmanagerGroup(clock, alerts).build

    return (
        sample(
            "service-down",
            "Checkout API is down",
            "Critical, from Alertmanager: opens a SEV1 with the service-down runbook.",
            "alertmanager",
            group(
                (
                    {"alertname": "ServiceDown", "severity": "critical", "service": "checkout", "env": "production",
                     "instance": "checkout-1.example:8443", "job": "checkout"},
                    {"summary": "Checkout API does not answer",
                     "description": "No successful probe of checkout-1.example:8443 for 2 minutes."},
                )
            ),
        ),
        sample(
            "high-latency",
            "Search is slow",
            "High, from Alertmanager: opens a SEV2 with the latency runbook.",
            "alertmanager",
            group(
                (
                    {"alertname": "HighLatency", "severity": "high", "service": "search", "env": "production",
                     "instance": "search-3.example:9200", "job": "search"},
                    {"summary": "p99 latency of search over 2 s",
                     "description": "p99 is 2.7 s, the objective is 0.4 s."},
                )
            ),
        ),
        sample(
            "disk-full",
            "Disks of the database are filling up",
            "Two warnings in one delivery: one SEV3, not two.",
            "alertmanager",
            group(
                *(
                    (
                        {"alertname": "NodeFilesystemAlmostOutOfSpace", "severity": "warning", "service": "postgres",
                         "env": "production", "instance": f"db-{n}.example:9100", "mountpoint": "/var/lib/postgresql",
                         "device": "/dev/vdb1", "job": "node"},
                        {"summary": f"db-{n}: /var/lib/postgresql has less than 5 % left",
                         "description": "At this rate it is full in 3 hours."},
                    )
                    for n in (1, 2)
                )
            ),
        ),
        sample(
            "pool-exhausted",
            "Database connections are exhausted",
            "Critical, from Alertmanager: another service, another incident.",
            "alertmanager",
            group(
                (
                    {"alertname": "PostgresqlTooManyConnections", "severity": "critical", "service": "payments",
                     "env": "production", "instance": "db-1.example:5432", "datname": "payments", "job": "postgres"},
                    {"summary": "PostgreSQL has more than 95 % of its connections in use",
                     "description": "98 of 100 connections are in use; new ones are refused."},
                )
            ),
        ),
        sample(
            "pagerduty",
            "PagerDuty: payments are failing",
            "A signed V3 webhook with priority P1.",
            "pagerduty",
            _PagerDutyIncident(clock, "Payments are failing for card customers").build,
        ),
    )  # fmt: skip
