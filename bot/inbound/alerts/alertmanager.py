"""Prometheus Alertmanager's webhook, payload version 4.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config – and what 0.25 to 0.33 were seen to send.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from bot.domain.alerts import Alert, AlertBatch, Skipped
from bot.inbound.alerts import reading as r
from bot.inbound.alerts.source import REPEATED_MAX, Access, Doors, decoded, every, header_bytes, is_one_of

SOURCE = "alertmanager"
LINES_MAX: Final = 10
"""Lines of one header that are looked at."""
SUMMARIES = ("summary", "message", "title", "description")


class Alertmanager:
    """Authenticates by token (any scheme word) or basic auth; there is no signature and no delivery id."""

    name = SOURCE
    setting = "TOCSIN_ALERTMANAGER_TOKEN"
    lenient = False

    def access(self, raw: bytes, headers: Mapping[str, str], doors: Doors) -> Access:
        """Compare the Authorization header with every token and every pair, all of them, in constant time."""
        if not (doors.alertmanager_tokens or doors.alertmanager_basic):
            return "granted" if doors.alertmanager_insecure else "closed"
        good = False
        for line in every(headers, "Authorization")[:LINES_MAX]:  # `http_headers` with two values sends two
            scheme, _, credentials = line.strip().partition(" ")
            given = header_bytes(credentials.strip())
            known = is_one_of(given, doors.alertmanager_tokens)
            if scheme.lower() == "basic":
                known |= is_one_of(decoded(given), doors.alertmanager_basic)
            good |= known and bool(given)
        return "granted" if good else "denied"

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> AlertBatch:
        """Read a version 4 body. Raises Unusable if it is not JSON or has no list of alerts (a replaced payload)."""
        return _parse_again(raw) if len(raw) <= REPEATED_MAX else _parse(raw)

    def delivery_id(self, raw: bytes, headers: Mapping[str, str]) -> str:
        """None: identical bytes may be a repeat, a retry or a twin's, so states are compared instead."""
        return ""


def _parse(raw: bytes) -> AlertBatch:
    data = r.read_json(raw)
    items = data.get("alerts")
    if not isinstance(items, list):
        raise r.Unusable("there is no list `alerts`: send Alertmanager's own payload (remove `payload:`)")
    group = r.identity(data.get("groupKey"))
    alerts: list[Alert] = []
    skipped: list[Skipped] = []
    for number, item in enumerate(items, start=1):
        read = _alert(item, number, group)
        if isinstance(read, Alert):
            alerts.append(read)
        else:
            skipped.append(read)
    truncated = r.count(data.get("truncatedAlerts"))
    return AlertBatch(source=SOURCE, alerts=tuple(alerts), skipped=tuple(skipped), truncated=truncated)


# A group that fires on is sent again and again, by each of a pair, byte for byte.
_parse_again: Final = lru_cache(maxsize=256)(_parse)


def _alert(item: Any, number: int, group: str) -> Alert | Skipped:
    if not isinstance(item, dict):
        return Skipped(reason=f"alert {number} is not an object")
    fingerprint = r.identity(item.get("fingerprint"))
    if not fingerprint:
        return Skipped(reason=f"alert {number} has no fingerprint")
    status = item.get("status")
    if status not in ("firing", "resolved"):
        return Skipped(fingerprint=fingerprint, reason=f"alert {number} is neither firing nor resolved")
    labels, changed = r.labels(item.get("labels"))
    annotations = r.annotations(item.get("annotations"))
    summary = next((annotations[name] for name in SUMMARIES if annotations.get(name)), "")
    return Alert(
        source=SOURCE,
        fingerprint=fingerprint,
        status=status,
        name=labels.get("alertname") or "Unnamed alert",
        summary=r.text(summary, 300),
        labels=labels,
        inexact=changed,
        annotations=annotations,
        starts_at=r.moment(item.get("startsAt")),
        url=r.web_url(item.get("generatorURL")),
        sender_group=group,
    )
