"""PagerDuty's V3 webhooks: one signed event a request.

https://developer.pagerduty.com/docs/webhooks-overview – PagerDuty drops a delivery at any 4xx and disables the feed
after three, so only a wrong signature gets one.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from bot.domain.alerts import Alert, AlertBatch, Skipped
from bot.inbound.alerts import reading as r
from bot.inbound.alerts.pagerduty_news import implied, is_about_an_incident, merged_into, news_of
from bot.inbound.alerts.source import Access, Doors, every, header_bytes

SOURCE = "pagerduty"
SIGNATURE = "X-PagerDuty-Signature"
SIGNATURES_MAX = 20
"""Signatures looked at in one header; a rotation sends two."""
UNSIGNED_MAX = 256 * 1024
"""PagerDuty sends no larger bodies; nobody unknown makes us read more JSON than that."""

State = Literal["firing", "resolved"]
_SAYS: Final[Mapping[str, State]] = {
    "incident.triggered": "firing",
    "incident.reopened": "firing",
    "incident.acknowledged": "firing",
    "incident.unacknowledged": "firing",
    "incident.escalated": "firing",
    "incident.reassigned": "firing",
    "incident.delegated": "firing",
    "incident.resolved": "resolved",
}
"""Kinds that say themselves how things stand; of the others, the incident that they carry does."""
_V2: Final = "a V2 extension's payload, unsigned and unsupported: make a V3 webhook subscription"
_ALERTNAME: Final = re.compile(r'[{,]\s*alertname="([^"\\]{1,120})"')
_STATUS: Final[Mapping[object, State]] = {"triggered": "firing", "acknowledged": "firing", "resolved": "resolved"}
_ANSWERED: Final[Mapping[str, bool]] = {
    "incident.acknowledged": True,
    "incident.triggered": False,
    "incident.reopened": False,
    "incident.unacknowledged": False,
    "incident.resolved": False,
}
"""Kinds that say themselves whether somebody answers for it; of the others, the incident that they carry does."""


class PagerDuty:
    """Authenticates by HMAC over the raw body; repeats a delivery under the same event id."""

    name = SOURCE
    setting = "TOCSIN_PAGERDUTY_WEBHOOK_SECRETS"
    lenient = True

    def access(self, raw: bytes, headers: Mapping[str, str], doors: Doors) -> Access:
        """Let in what one of the secrets signed – and V2's unsigned bodies, which `parse` reads nothing from."""
        if not doors.pagerduty_secrets:
            return "closed"
        header = ",".join(every(headers, SIGNATURE))
        if not header:
            return "granted" if _reads_as_v2(raw) else "denied"
        given = [part.strip() for part in header.split(",")[:SIGNATURES_MAX]]
        # Bytes: compare_digest raises on a str that is not ASCII, and a header may hold anything.
        digests = [header_bytes(part[3:]) for part in given if part.startswith("v1=")]
        good = False
        for secret in doors.pagerduty_secrets:
            wanted = hmac.new(secret, raw, hashlib.sha256).hexdigest().encode()
            for digest in digests:
                good |= hmac.compare_digest(wanted, digest)
        return "granted" if good else "denied"

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> AlertBatch:
        """Read one event: an alert if it carries the incident, and what else it tells. Raises Unusable."""
        body = r.read_json(raw)
        if is_v2(body):
            return _nothing(_V2, legacy="V2")
        event = body.get("event")
        if not isinstance(event, dict):
            raise r.Unusable("there is no object `event`")
        kind, data = r.text(event.get("event_type"), 80), event.get("data")
        item: Mapping[str, Any] = data if isinstance(data, dict) else {}
        news = news_of(kind, event, item)
        if news is None:
            return _nothing(f"{kind or 'an event without a type'} changes no incident here", unknown=True)
        if not news.fingerprint:
            raise r.Unusable(f"{kind} without an incident")
        if is_about_an_incident(kind):
            return AlertBatch(source=SOURCE, news=(news,))
        status = _SAYS.get(kind) or _STATUS.get(r.text(item.get("status"), 40))
        if status is None:
            return _nothing(f"{kind} without a status that I know", news.fingerprint)
        told = [news]
        if news.what != "acknowledged" and item.get("status") == "acknowledged":
            told.append(implied(event, item))
        return AlertBatch(
            source=SOURCE, alerts=(_alert(event, item, news.fingerprint, status, kind),), news=tuple(told)
        )

    def delivery_id(self, raw: bytes, headers: Mapping[str, str]) -> str:
        """The event's id, which the signature covers; the header's only where there is none, else the body itself.

        One event that comes by two subscriptions has two delivery ids, and a delivery id can be made up.
        """
        try:
            event = r.identity(r.get(r.read_json(raw), "event", "id"))
        except r.Unusable:
            event = ""
        found = event or r.identity(headers.get("X-Webhook-Id", ""))
        return f"{SOURCE}:{found or hashlib.sha256(raw).hexdigest()}"


def _nothing(reason: str, fingerprint: str = "", *, unknown: bool = False, legacy: str = "") -> AlertBatch:
    skipped = (Skipped(fingerprint=fingerprint, reason=reason),)
    return AlertBatch(source=SOURCE, skipped=skipped, unknown=unknown, legacy=legacy)


def is_v2(data: Mapping[str, Any]) -> bool:
    """True for a payload of the old extensions, which nobody signs: support ended in October 2022."""
    return "event" not in data and isinstance(data.get("messages"), list)


def _reads_as_v2(raw: bytes) -> bool:
    if len(raw) > UNSIGNED_MAX:
        return False
    try:
        return is_v2(r.read_json(raw))
    except r.Unusable:
        return False


def _alert(event: Mapping[str, Any], item: Mapping[str, Any], fingerprint: str, status: State, kind: str) -> Alert:
    number = r.text(item.get("number"), 20)
    title = r.text(item.get("title"), 200) or f"PagerDuty incident {number and '#'}{number or fingerprint}"
    return Alert(
        source=SOURCE,
        fingerprint=fingerprint,
        status=status,
        name=title,
        labels=_labels(item, number),
        annotations={},
        starts_at=r.moment(item.get("created_at")),
        url=r.web_url(item.get("html_url")),
        sender_group=r.identity(r.get(item, "service", "id")),
        occurred_at=r.moment(event.get("occurred_at")),
        merged_into=merged_into(item) if status == "resolved" else "",
        what=kind,
        answered=_ANSWERED.get(kind, _answers(item)),
    )


def _answers(item: Mapping[str, Any]) -> bool | None:
    """Whether somebody answers, by the incident's own status: who is assigned anew has not acknowledged yet."""
    status = r.text(item.get("status"), 40)
    return status == "acknowledged" if status in _STATUS else None


def _labels(item: Mapping[str, Any], number: str) -> dict[str, str]:
    teams = item.get("teams")
    first = teams[0] if isinstance(teams, list) and teams else None
    # Alertmanager opens its PagerDuty incidents under its group key, which names the alert: runbooks go by that.
    named = _ALERTNAME.search(r.text(item.get("incident_key"), 500))
    found = {
        "alertname": named[1] if named else "",
        "service": r.text(r.get(item, "service", "summary")) or r.text(r.get(item, "service", "id")),
        "urgency": r.text(item.get("urgency"), 40),
        "priority": r.text(r.get(item, "priority", "summary"), 80) or r.text(r.get(item, "priority", "name"), 80),
        "team": r.text(r.get(first, "summary")),
        "escalation_policy": r.text(r.get(item, "escalation_policy", "summary")),
        "incident_type": r.text(r.get(item, "incident_type", "name"), 80),
        "pagerduty": number,
    }
    return {name: value for name, value in found.items() if value}
