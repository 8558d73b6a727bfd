"""What a generic source's JSON means: expressions, compiled once, turn any body into an AlertBatch. Never raises but
Unusable: what an expression cannot make of an item costs that item alone, with the reason."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from bot.domain.alert_mapping import GenericSource
from bot.domain.alerts import Alert, AlertBatch, Skipped
from bot.domain.expressions import Expression, Failed, expression
from bot.inbound.alerts import reading as r

ITEMS_MAX: Final = 10_000
"""Alerts read of one delivery."""
SKIPS_MAX: Final = 100
"""Skipped alerts named one by one; the rest is counted."""
BUDGET: Final = 2.0
"""Seconds of processor time for the expressions of one delivery: a busy machine costs nobody an alert."""
PRESETS: Final = Path(__file__).parent / "presets"
_FIRST: Final = ("skip", "fingerprint", "status")
_THEN: Final = ("name", "summary", "severity", "url", "starts_at", "occurred_at", "group")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM: Final = 100_000_000_000
"""Numbers from here on are milliseconds: as seconds they would lie beyond the year 5138."""


@cache
def preset(name: str) -> Mapping[str, Any]:
    """Return the ready mapping of that name, as its file holds it."""
    found: dict[str, Any] = yaml.safe_load((PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def with_preset(source: GenericSource) -> GenericSource:
    """Return `source` with what its preset says beneath what it says itself, key by key."""
    if source.preset is None:
        return source
    merged = GenericSource.model_validate(preset(source.preset)).model_dump(exclude_unset=True)
    for key, value in source.model_dump(exclude_unset=True).items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return GenericSource.model_validate(merged)


class Mapper:
    """The compiled expressions of one source. Safe to share between threads."""

    def __init__(self, name: str, source: GenericSource) -> None:
        """Compile. `source` has its preset already."""
        self._source = name
        self._one: dict[str, Expression] = {
            key: expression(text)
            for key in ("items", "truncated", *_FIRST, *_THEN)
            if (text := getattr(source, key)) is not None
        }
        self._labels = {key: expression(text) for key, text in source.labels.items()}
        self._annotations = {key: expression(text) for key, text in source.annotations.items()}

    def read(self, body: Any, headers: Mapping[str, str]) -> AlertBatch:
        """Return what `body`, any JSON, says. Raises Unusable if there is no list of alerts to be had from it."""
        items = self._items(body, headers)
        alerts: list[Alert] = []
        skipped: list[Skipped] = []
        end, late = time.thread_time() + BUDGET, 0
        for number, item in enumerate(items[:ITEMS_MAX], start=1):
            if time.thread_time() > end:
                late = len(items) - number + 1
                break
            read = self._alert(number, {"item": item, "body": body, "headers": headers})
            if isinstance(read, Alert):
                alerts.append(read)
            else:
                skipped.append(read)
        if not items:
            skipped.append(Skipped(reason="there is no alert in it"))
        return AlertBatch(
            source=self._source,
            alerts=tuple(alerts),
            skipped=_counted(skipped, late, len(items) - ITEMS_MAX if not late else 0),
            truncated=self._truncated(body, headers),
        )

    def _items(self, body: Any, headers: Mapping[str, str]) -> list[Any]:
        if "items" not in self._one:
            return [body]
        try:
            found = self._one["items"].value(body=body, headers=headers)
        except Failed as exc:
            raise r.Unusable(f"`items`: {exc}") from None
        if isinstance(found, Mapping):
            return [found]
        if found is None or isinstance(found, list | tuple):
            return list(found or ())
        raise r.Unusable("`items` gives no list")

    def _truncated(self, body: Any, headers: Mapping[str, str]) -> int:
        try:
            found = self._one["truncated"].value(body=body, headers=headers) if "truncated" in self._one else 0
        except Failed:
            return 0
        return r.count(found)

    def _alert(self, number: int, names: Mapping[str, Any]) -> Alert | Skipped:
        said: dict[str, Any] = {}
        key = ""
        try:
            for key in _FIRST:
                said[key] = self._value(key, names)
            if said["skip"] or (why := _unfit(said)):
                return Skipped(fingerprint=_fingerprint(said), reason=_reason(said["skip"]) or f"alert {number} {why}")
            for key in _THEN:
                said[key] = self._value(key, names)
            key = "labels"
            labels, changed = r.labels(_pairs(self._labels, names))
            key = "annotations"
            annotations = r.annotations(_pairs(self._annotations, names))
        except Failed as exc:
            return Skipped(fingerprint=_fingerprint(said), reason=f"alert {number}, `{key}`: {exc}")
        if severity := r.text(said["severity"], 80):
            labels["severity"] = severity
        return Alert(
            source=self._source,
            fingerprint=_fingerprint(said),
            status="firing" if _status(said) == "firing" else "resolved",
            name=r.text(said["name"], 200) or "Unnamed alert",
            summary=r.text(said["summary"], 300),
            labels=labels,
            inexact=changed,
            annotations=annotations,
            url=r.web_url(said["url"]),
            starts_at=moment(said["starts_at"]),
            occurred_at=moment(said["occurred_at"]),
            sender_group=r.identity(said["group"]),
        )

    def _value(self, key: str, names: Mapping[str, Any]) -> Any:
        return self._one[key].value(**names) if key in self._one else None


def _pairs(expressions: Mapping[str, Expression], names: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values: those of `*` first, then each named one that came to something. Raises Failed."""
    found: dict[str, Any] = {}
    if "*" in expressions:
        value = expressions["*"].value(**names)
        if isinstance(value, Mapping):
            found |= value
    for name, found_by in expressions.items():
        if name != "*" and (value := found_by.value(**names)) not in (None, ""):
            found[name] = value
    return {k: str(v).lower() if isinstance(v, bool) else v for k, v in found.items()}


def _fingerprint(said: Mapping[str, Any]) -> str:
    return r.identity(said.get("fingerprint"))


def _status(said: Mapping[str, Any]) -> str:
    return r.text(said.get("status"), 40).lower()


def _unfit(said: Mapping[str, Any]) -> str:
    """What is wrong with the two things that no alert can be without."""
    if not _fingerprint(said):
        return "has no fingerprint"
    return "" if _status(said) in ("firing", "resolved") else "is neither firing nor resolved"


def _reason(skip: Any) -> str:
    return (r.text(skip, 160) or "`skip` says that it is no alert") if skip else ""


def _counted(skipped: list[Skipped], late: int, beyond: int) -> tuple[Skipped, ...]:
    found = skipped[:SKIPS_MAX]
    if more := len(skipped) - len(found):
        found.append(Skipped(reason=f"{more} more that could not be used"))
    if late:
        found.append(Skipped(reason=f"{late} left unread: the expressions took longer than {BUDGET:g} s"))
    if beyond > 0:
        found.append(Skipped(reason=f"{beyond} left unread: more than {ITEMS_MAX} in one delivery"))
    return tuple(found)


def moment(value: object) -> datetime | None:
    """Return a time in UTC: RFC 3339, the same without a colon in its offset or without one at all (taken as UTC), or
    seconds or milliseconds since 1970. None for anything else."""
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal() and len(value) < 25:
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # What is no number compares as False; a number beyond any year cannot be divided.
        if not 0 < value < _MILLISECONDS_FROM * 1000:
            return None
        return _EPOCH + timedelta(seconds=value / 1000 if value >= _MILLISECONDS_FROM else value)
    if not isinstance(value, str) or len(value) > 60:
        return None
    text = value.strip()
    if len(text) > 5 and text[-5] in "+-" and text[-4:].isdecimal():
        text = f"{text[:-2]}:{text[-2:]}"
    elif text[-1:] not in ("Z", "z") and not (len(text) > 6 and text[-6] in "+-" and text[-3] == ":"):
        text += "Z"
    return r.moment(text)
