"""What a window keeps while it is open: which incident it is about, and where it was opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.inbound.slack.quotes import place_of


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the form kept while somebody filled it in; `warned`: they were shown what looks the same."""

    number: int | None = None
    channel: str = ""
    warned: bool = False
    place: str = ""


def remembered(view: Mapping[str, Any]) -> Remembered:
    """Return what the form remembered; junk is nothing."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
    except (ValueError, TypeError):
        return Remembered()
    if not isinstance(kept, dict):
        return Remembered()
    number = kept.get("incident")
    return Remembered(
        number if isinstance(number, int) else None,
        str(kept.get("channel") or ""),
        kept.get("warned") is True,
        place_of(str(kept.get("place") or "")),
    )
