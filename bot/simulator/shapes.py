"""Checks from which Block Kit's shapes are built; complaints are worded as Slack words them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[Any, str, list[str]], None]


def complain(faults: list[str], at: str, what: str) -> None:
    """Add a complaint about the value at a JSON pointer."""
    faults.append(f"[ERROR] {what} [json-pointer:{at or '/'}]")


@dataclass(frozen=True)
class Shape:
    """An object's keys: those it must have and those it may have, each with its check."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)

    def __call__(self, value: Any, at: str, faults: list[str]) -> None:
        if not isinstance(value, dict):
            return complain(faults, at, "must provide an object")
        for key in self.required:
            if value.get(key) is None:
                complain(faults, at, f"missing required field: {key}")
        for key, part in value.items():
            check = self.required.get(key) or self.optional.get(key)
            if check is None and key != "type":
                complain(faults, at, f"invalid additional property: {key}")
            elif check is not None and part is not None:
                check(part, f"{at}/{key}", faults)
        return None


@dataclass(frozen=True)
class OneOf:
    """An object whose `type` picks its shape."""

    shapes: Callable[[], Mapping[str, Check]]

    def __call__(self, value: Any, at: str, faults: list[str]) -> None:
        if not isinstance(value, dict):
            return complain(faults, at, "must provide an object")
        shape = self.shapes().get(str(value.get("type")))
        if shape is None:
            return complain(faults, f"{at}/type", f"unsupported type: {value.get('type')}")
        return shape(value, at, faults)


def string(most: int, least: int = 1) -> Check:
    """Check a string's length."""

    def check(value: Any, at: str, faults: list[str]) -> None:
        if not isinstance(value, str):
            complain(faults, at, "must provide a string")
        elif len(value) > most:
            complain(faults, at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            complain(faults, at, f"must be more than {least - 1} characters")

    return check


def link(most: int) -> Check:
    """Check a web address."""

    def check(value: Any, at: str, faults: list[str]) -> None:
        string(most)(value, at, faults)
        if isinstance(value, str) and not value.startswith(("http://", "https://", "mailto:")):
            complain(faults, at, "must be a valid URL")

    return check


def text(most: int, *kinds: str) -> Check:
    """Check a text object; without kinds both mrkdwn and plain_text may stand."""
    allowed = kinds or ("mrkdwn", "plain_text")

    def check(value: Any, at: str, faults: list[str]) -> None:
        if not isinstance(value, dict):
            return complain(faults, at, "must provide an object")
        kind = value.get("type")
        if kind not in allowed:
            return complain(faults, f"{at}/type", f"must be one of: {', '.join(allowed)}")
        beside: dict[str, Check] = {"emoji": flag} if kind == "plain_text" else {"verbatim": flag}
        Shape({"text": string(most)}, beside)(value, at, faults)
        said = value.get("text")
        if isinstance(said, str) and said and not said.strip():
            complain(faults, f"{at}/text", "must be more than 0 characters")
        return None

    return check


def plain(most: int) -> Check:
    """Check a text object that must be plain_text."""
    return text(most, "plain_text")


def flag(value: Any, at: str, faults: list[str]) -> None:
    """Check a boolean."""
    if not isinstance(value, bool):
        complain(faults, at, "must provide a boolean")


def whole(most: int, least: int = 0) -> Check:
    """Check a whole number's range."""

    def check(value: Any, at: str, faults: list[str]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            complain(faults, at, "must provide an integer")
        elif not least <= value <= most:
            complain(faults, at, f"must be between {least} and {most}")

    return check


def choice(*words: str) -> Check:
    """Check a word of a fixed list."""

    def check(value: Any, at: str, faults: list[str]) -> None:
        if value not in words:
            complain(faults, at, f"must be one of: {', '.join(words)}")

    return check


def listing(each: Check, most: int, least: int = 1, *, unique: str | None = None) -> Check:
    """Check a list's length and each of its entries; `unique` names a key without doubles."""

    def check(value: Any, at: str, faults: list[str]) -> None:
        if not isinstance(value, list):
            return complain(faults, at, "must provide an array")
        if len(value) > most:
            complain(faults, at, f"no more than {most} items allowed")
        if len(value) < least:
            complain(faults, at, f"no less than {least} items allowed")
        for place, entry in enumerate(value):
            each(entry, f"{at}/{place}", faults)
        if unique is not None:
            doubles(value, unique, at, faults)
        return None

    return check


def doubles(entries: Collection[Any], key: str, at: str, faults: list[str]) -> None:
    """Complain about a key that two entries share."""
    seen: set[Any] = set()
    for place, entry in enumerate(entries):
        name = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(name, str) and name in seen:
            complain(faults, f"{at}/{place}/{key}", f"`{key}` {name} already exists")
        if isinstance(name, str):
            seen.add(name)


def anything(value: Any, at: str, faults: list[str]) -> None:
    """Check nothing."""
