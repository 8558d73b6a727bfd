"""Recorded webhooks, read from the fixtures, and small ones of our own."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from multidict import CIMultiDict

from bot.domain.alerts import Alert, Episode

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


class Recorded:
    """One recorded request."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.raw = data["body"].encode("utf-8")
        pairs = data["headers"].items() if isinstance(data["headers"], dict) else data["headers"]
        dropped = ("host", "content-length")
        self.headers: CIMultiDict[str] = CIMultiDict((k, v) for k, v in pairs if k.lower() not in dropped)
        self.note = data.get("note") or ""
        self.expected = data.get("expected") or ""
        self.step = data.get("step") or ""
        self.at = float(data.get("offset_s") or 0.0)


def scenario(source: str, name: str) -> list[Recorded]:
    """Return the requests of a recorded scenario, in order."""
    data = json.loads((FIXTURES / source / f"{name}.json").read_text(encoding="utf-8"))
    return [Recorded(item) for item in data["requests"]]


def secret_of(name: str) -> str:
    """The secret that a PagerDuty scenario was signed with."""
    data = json.loads((FIXTURES / "pagerduty" / f"{name}.json").read_text(encoding="utf-8"))
    return str(data["secret"])


def scenarios(source: str) -> list[str]:
    """The names of all recorded scenarios of a source."""
    return sorted(path.stem for path in (FIXTURES / source).glob("*.json"))


def alert(fingerprint: str = "f1", status: str = "firing", source: str = "alertmanager", **labels: str) -> Alert:
    """Return an alert with these labels; `name`, `summary` and other fields by their label names."""
    name = labels.pop("alertname", "HighLatency")
    return Alert.model_validate(
        {
            "source": source,
            "fingerprint": fingerprint,
            "status": status,
            "name": name,
            "labels": {"alertname": name, **labels},
            "sender_group": "g1",
        }
    )


def episode(incident: int, fingerprint: str = "f1", at: datetime | None = None, **labels: str) -> Episode:
    """Return an alert of Alertmanager's that fires in an incident."""
    at = at or datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
    named = {"alertname": "HighLatency", **labels}
    return Episode(
        id=f"alertmanager/{fingerprint}/000001",
        source="alertmanager",
        fingerprint=fingerprint,
        incident=incident,
        group="g1",
        name=named["alertname"],
        labels=named,
        opened_at=at,
        last_seen=at,
        why='severity="critical" → SEV1',
    )


def body(*alerts: Mapping[str, Any], **top: Any) -> bytes:
    """Return an Alertmanager body with these alerts, as Go writes it."""
    data = {
        "receiver": "tocsin",
        "status": "firing",
        "alerts": list(alerts),
        "version": "4",
        "groupKey": "{}:{}",
        **top,
    }
    return (json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def wire(fingerprint: str = "00000000000000f1", status: str = "firing", **labels: str) -> dict[str, Any]:
    """Return one alert of an Alertmanager body."""
    return {
        "status": status,
        "labels": {"alertname": "HighLatency", **labels},
        "annotations": {"summary": "p99 over 2 s"},
        "startsAt": "2026-11-22T12:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": fingerprint,
    }


def signed(raw: bytes, secret: str) -> dict[str, str]:
    """Return PagerDuty's signature header for `raw`."""
    return {"X-PagerDuty-Signature": f"v1={hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}"}
