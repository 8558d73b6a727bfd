"""The door's hygiene: JSON of any shape becomes clean, bounded text; nothing from outside is trusted to be anything."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from bot.domain.text import clean, clean_line, cut

PAIRS_MAX: Final = 1000
"""Labels or annotations read of one alert; Prometheus alerts have about ten. Fewer are kept: alert_labels.py."""
NAME_MAX: Final = 120
LABEL_MAX: Final = 500
ANNOTATION_MAX: Final = 3000
"""Slack shows at most 3000 characters in a section; the rest is behind the alert's link."""
URL_MAX: Final = 2000
ID_MAX: Final = 100
COUNT_MAX: Final = 1_000_000
AGAIN_MAX: Final = 200
"""Characters of a text that is remembered with what it reads as: a few megabytes in all."""

# RFC 3339 as Go writes it: 0 to 9 fractional digits, `Z` or an offset.
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(Z|z|[+-]\d\d:\d\d)")
# RFC 3986's characters; anything else in a link could end it early or hide its target.
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
_FOREIGN = re.compile(r"\s*(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Unusable(Exception):
    """The body is not what this sender sends. The text says why, and goes back to the sender."""


def read_json(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in `raw`. Raises Unusable."""
    data = read_any_json(raw)
    if not isinstance(data, dict):
        raise Unusable("the body is not a JSON object")
    return data


def read_any_json(raw: bytes) -> Any:
    """Return the JSON in `raw`, be it an object or not. Raises Unusable."""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as exc:
        raise Unusable("the body is not UTF-8") from exc
    except RecursionError as exc:
        raise Unusable("the body is nested too deeply") from exc
    except ValueError as exc:
        raise Unusable(f"the body is not JSON: {cut(str(exc), 100)}") from exc


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def text(value: object, limit: int = LABEL_MAX) -> str:
    """Return `value` as one clean line of at most `limit` characters; "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # Cut first: cleaning megabytes of which 500 characters are kept would be the sender's way to keep us busy.
    raw = str(value)[: limit * 4]
    return _line_again(raw, limit) if len(raw) <= AGAIN_MAX else clean_line(raw, limit)


def words(value: object, limit: int = ANNOTATION_MAX) -> str:
    """Like `text`, with its line breaks."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    raw = str(value)[: limit * 4]
    return _words_again(raw, limit) if len(raw) <= AGAIN_MAX else clean(raw, limit)


# Labels and what a rule says of itself come again and again, with every alert of that rule.
_line_again: Final = lru_cache(maxsize=4096)(clean_line)
_words_again: Final = lru_cache(maxsize=4096)(clean)


def labels(value: object) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return a JSON object as clean names and values, and the names of those that are not as the sender has them."""
    found: dict[str, str] = {}
    changed: dict[str, None] = {}
    for n, (name, raw) in enumerate(value.items() if isinstance(value, dict) else ()):
        key = text(name, NAME_MAX)
        read = text(raw) if n < PAIRS_MAX else ""
        if name == key and raw == read:
            found[key] = read
            continue
        changed[key] = None
        # A name that only reads like another one does not take its place.
        if key and n < PAIRS_MAX and isinstance(raw, str | int | float) and (name == key or key not in found):
            found[key] = read
    return found, tuple(changed)


def annotations(value: object) -> dict[str, str]:
    """Return a JSON object as clean names and texts; odd ones are left out.

    So is a link that is not http(s), where the name says that it is a link: nothing may ever make one of it.
    """
    found: dict[str, str] = {}
    for name, raw in list(value.items())[:PAIRS_MAX] if isinstance(value, dict) else ():
        if (key := text(name, NAME_MAX)) and isinstance(raw, str | int | float):
            read = words(raw)
            if not (key.casefold().endswith(("url", "link")) and _FOREIGN.match(read)):
                found[key] = read
    return found


def web_url(value: object) -> str:
    """Return `value` if it is an http(s) URL with a host, else ""."""
    if not isinstance(value, str) or len(value) > URL_MAX:
        return ""
    url = value.strip()
    if not _URL.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
        return url if parts.hostname else ""
    except ValueError:
        return ""


def identity(value: object) -> str:
    """Return an id of the sender's, bounded: one that is too long, or holds odd characters, is replaced by its hash."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        return ""
    raw = value.strip()
    if len(raw) <= ID_MAX and raw.isascii() and raw.isprintable():
        return raw
    return f"sha256:{hashlib.sha256(raw.encode('utf-8', 'replace')).hexdigest()}"


def moment(value: object) -> datetime | None:
    """Return a timestamp in UTC; None if there is none or it is Go's zero time (year 1)."""
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 60 else None
    if match is None or match[1] < "1970":
        return None
    fraction = (match[7] or "")[:6]  # microseconds are as fine as we get
    zone = "+00:00" if match[8] in "Zz" else match[8]
    day, time = f"{match[1]}-{match[2]}-{match[3]}", f"{match[4]}:{match[5]}:{match[6]}"
    try:
        return datetime.fromisoformat(f"{day}T{time}.{fraction:0<6}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def count(value: object) -> int:
    """Return a number of things, also if it comes as text or as `5.0`; 0 for what is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return 0
    return int(min(max(value, 0), COUNT_MAX))


def get(data: object, *path: str) -> Any:
    """Return what lies at `path` in nested objects, or None."""
    for name in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(name)
    return data
