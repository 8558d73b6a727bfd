"""Who may read the private pages: API tokens, one-time login links, and the signed cookie that both lead to."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from bot.ports.clock import Clock

COOKIE: Final = "tocsin_session"
SESSION: Final = timedelta(hours=12)
"""How long a cookie lets its bearer in."""
LINK: Final = timedelta(minutes=10)
"""How long a login link waits to be used."""
_PRIVATE = ":private"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is signed in. `private`: may see private incidents."""

    name: str
    private: bool = False


class ApiTokens:
    """The configured tokens, `name:token` or `name:token:private`. Only digests are kept; false when there are none."""

    def __init__(self, entries: Iterable[SecretStr] = ()) -> None:
        self._viewers: dict[bytes, Viewer] = {}
        for entry in entries:
            text = entry.get_secret_value().strip()
            plain = text.removesuffix(_PRIVATE)
            viewer = Viewer(plain.partition(":")[0], private=plain != text)
            self._viewers[_digest(plain)] = viewer
            if viewer.private:
                self._viewers[_digest(text)] = viewer

    def __bool__(self) -> bool:
        return bool(self._viewers)

    def viewer(self, text: str) -> Viewer | None:
        """Return whose token `text` is. A right is the configured token's, typed with `:private` or without."""
        given, found = _digest(text.strip()), None
        for digest, viewer in self._viewers.items():
            if hmac.compare_digest(given, digest):
                found = viewer
        return found


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def session_secret(tokens: Iterable[SecretStr], installation: str) -> bytes:
    """Return the key of the cookies: the same on every replica, another one as soon as a token changes.

    So removing a token signs everybody out. Without tokens it is random: sessions end with the process. Slow on
    purpose (scrypt, RFC 7914: about 50 ms): a cookie must not be a quick way to guess a token.
    """
    known = sorted(token.get_secret_value() for token in tokens)
    if not known:
        return secrets.token_bytes(32)
    material = "\n".join(known).encode("utf-8", "replace")
    return hashlib.scrypt(material, salt=f"tocsin session {installation}".encode(), n=2**14, r=8, p=1, dklen=32)


class Sessions:
    """Signs and reads the cookie (HMAC-SHA256). Nothing is stored: a session ends by its time or with its key.

    `secret` returns the key; it is asked for when somebody signs in or comes with a cookie.
    """

    def __init__(self, secret: Callable[[], bytes], clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def issue(self, viewer: Viewer) -> str:
        """Return the cookie's value for `viewer`."""
        ends = int((self._clock() + SESSION).timestamp())
        body = json.dumps({"name": viewer.name, "private": viewer.private, "ends": ends}).encode()
        return f"{_encode(body)}.{_encode(self._sign(body))}"

    def read(self, cookies: Mapping[str, str]) -> Viewer | None:
        """Return who is signed in by the request's `cookies`, or None: no cookie, forged, or over."""
        body, _, signature = cookies.get(COOKIE, "").partition(".")
        try:
            data, given = _decode(body), _decode(signature)
        except (ValueError, Base64Error):
            return None
        if not hmac.compare_digest(self._sign(data), given):
            return None
        told = json.loads(data)
        if told["ends"] <= self._clock().timestamp():
            return None
        return Viewer(told["name"], private=told["private"])

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._secret(), body, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


class LoginLinks:
    """One-time links for whoever sits at the terminal: each works once, within ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[Viewer, float]] = {}

    def create(self, name: str, *, private: bool = True) -> str:
        """Return the path of a new link, such as `/login?once=…`."""
        ticket = secrets.token_urlsafe(24)
        self._waiting[ticket] = (Viewer(name, private), (self._clock() + LINK).timestamp())
        return f"/login?once={ticket}"

    def take(self, ticket: str) -> Viewer | None:
        """Return whom `ticket` signs in, and forget it; None when it was used or is too old."""
        viewer, ends = self._waiting.pop(ticket, (None, 0.0))
        return viewer if viewer and self._clock().timestamp() < ends else None
