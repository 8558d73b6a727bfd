"""What a source of alerts is to the door: who may send, and what a body means."""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from bot.domain.alerts import AlertBatch

Access = Literal["granted", "denied", "closed"]
"""`closed`: no secret is configured, so nobody can be let in."""
REPEATED_MAX: Final = 4 * 1024
"""Bytes of a body of which it is remembered what it means, in case it comes again: 256 of them stay below 10 MB."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The secrets of all sources. None of them shows in `repr`."""

    alertmanager_tokens: tuple[bytes, ...] = ()
    alertmanager_basic: tuple[bytes, ...] = ()
    """`user:password`."""
    alertmanager_insecure: bool = False
    pagerduty_secrets: tuple[bytes, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        alertmanager_tokens: Iterable[str] = (),
        alertmanager_basic: Iterable[str] = (),
        alertmanager_insecure: bool = False,
        pagerduty_secrets: Iterable[str] = (),
    ) -> "Doors":
        """Return the doors with these secrets, as the settings hold them."""
        return cls(
            tuple(token.encode() for token in alertmanager_tokens),
            tuple(pair.encode() for pair in alertmanager_basic),
            alertmanager_insecure,
            tuple(secret.encode() for secret in pagerduty_secrets),
        )

    def __repr__(self) -> str:
        return "Doors(…)"


def every(headers: Mapping[str, str], name: str) -> list[str]:
    """Return the values of a header, which may stand on several lines."""
    lines: Callable[[str, Any], Iterable[str]] | None = getattr(headers, "getall", None)
    if lines is not None:
        return list(lines(name, ()))
    return [headers[name]] if name in headers else []


def header_bytes(text: str) -> bytes:
    """Return a header's bytes as they came: aiohttp hands them over as UTF-8 with escaped surrogates."""
    return text.encode("utf-8", "surrogateescape")


def decoded(credentials: bytes) -> bytes:
    """Return the pair that basic credentials hold, or nothing if they are not Base64."""
    try:
        return base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return b""


def is_one_of(given: bytes, known: Iterable[bytes]) -> bool:
    """True if `given` is among `known`; looks at all of them, so that the time tells nothing."""
    good = False
    for secret in known:
        good |= hmac.compare_digest(given, secret)
    return good


class Source(Protocol):
    """One sender of alerts."""

    name: str
    setting: str
    """The environment variable to set when the door is closed."""
    lenient: bool
    """An unusable body of an authenticated sender is taken and ignored: a refusal would make it drop its feed."""

    def access(self, raw: bytes, headers: Mapping[str, str], doors: Doors) -> Access:
        """Whether this request is let in. Compares in constant time and never raises, whatever the headers hold."""
        ...

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> AlertBatch:
        """What the body says. Raises Unusable."""
        ...

    def delivery_id(self, raw: bytes, headers: Mapping[str, str]) -> str:
        """The id under which the sender repeats this very delivery, or "" if it has none."""
        ...
