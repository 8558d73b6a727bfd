"""Generic sources for tests: the payloads on file, a door with one configured source, and signatures."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bot.domain.alert_mapping import GenericSource
from bot.inbound.alerts.generic import Generic

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "generic"
TOKEN = "generic-token"
KEY = "generic-key"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
SECRETS = {"SOME_TOKEN": f"older, {TOKEN}", "SOME_KEY": KEY}
OWN: dict[str, Any] = {
    "items": "body.alerts",
    "fingerprint": "item.id",
    "status": "'resolved' if item.ok else 'firing'",
    "name": "item.title",
}
"""A mapping that somebody might write for a sender of their own."""


class Sent(NamedTuple):
    """One request on file."""

    raw: bytes
    headers: Mapping[str, str]


def on_file(vendor: str, name: str) -> list[Sent]:
    """Return the requests of a fixture, in order."""
    data = json.loads((FIXTURES / vendor / f"{name}.json").read_text(encoding="utf-8"))
    return [Sent(compact(one["body"]), one["headers"]) for one in data["requests"]]


def compact(body: Any) -> bytes:
    """JSON as most senders write it."""
    return json.dumps(body, separators=(",", ":")).encode()


def generic(called: str = "own", /, **settings: Any) -> Generic:
    """Return a source of that name with these settings and SECRETS; OWN's mapping unless there is a preset."""
    said = settings if "preset" in settings else {**OWN, **settings}
    return Generic(called, GenericSource.model_validate({"token_env": "SOME_TOKEN", **said}), SECRETS)


def digest(raw: bytes, key: str = KEY, algorithm: str = "sha256") -> str:
    """Return the HMAC of `raw` in hex."""
    return hmac.new(key.encode(), raw, getattr(hashlib, algorithm)).hexdigest()
