"""The body of a delivery: read in time and within bounds, as it came and as it is meant."""

import zlib
from typing import Final

from aiohttp import web

BODY_MAX: Final = 8 * 1024 * 1024
"""Bytes of one delivery. Alertmanager has no limit of its own; 5 MB must pass (docs/alerts.md)."""
_ZLIB_OR_GZIP: Final = 32 + zlib.MAX_WBITS
_GZIP: Final = b"\x1f\x8b"
_JSON_STARTS: Final = (b"{", b"[", b" ", b"\n", b"\t", b"\r", b'"')


class TooLarge(Exception):
    """More than BODY_MAX bytes, as it came or as it is meant."""


class Unreadable(Exception):
    """The body says that it is encoded in a way that nobody here knows, or it is not. The text says which."""


def arrived(request: web.Request) -> bytes:
    """Return the raw bytes if they came with the headers, as those of nearly every delivery do; else take nothing."""
    return request.content.read_nowait() if request.content.is_eof() else b""


async def read(request: web.Request) -> bytes:
    """Return the raw bytes, whatever `client_max_size` the application has for its other paths. Raises TooLarge."""
    if (request.content_length or 0) > BODY_MAX:
        raise TooLarge
    found = bytearray()
    async for chunk in request.content.iter_any():
        found += chunk
        if len(found) > BODY_MAX:
            raise TooLarge
    return bytes(found)


def decoded(raw: bytes, encoding: str) -> bytes:
    """Return what `raw` means in the request's Content-Encoding. Raises Unreadable or TooLarge.

    The server leaves encodings to us: it would refuse one that it does not know with a 400, before anybody is asked.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return raw
    if name in ("gzip", "x-gzip"):
        return _inflated(raw, _ZLIB_OR_GZIP) if raw.startswith(_GZIP) else _plain(raw, name)
    if name == "deflate":
        return raw if raw.startswith(_JSON_STARTS) else _inflated(raw, zlib.MAX_WBITS)
    raise Unreadable(f"its encoding {name[:20]!r} is not known here: send it without")


def _plain(raw: bytes, name: str) -> bytes:
    """Return a body that a server in between has decoded already."""
    if not raw.startswith(_JSON_STARTS):
        raise Unreadable(f"its encoding {name} is broken")
    return raw


def _inflated(raw: bytes, bits: int) -> bytes:
    inflater = zlib.decompressobj(bits)
    try:
        found = inflater.decompress(raw, BODY_MAX + 1)
    except zlib.error:
        raise Unreadable("its encoding is broken") from None
    if len(found) > BODY_MAX:
        raise TooLarge
    if not inflater.eof:
        raise Unreadable("its encoding ends too early")
    return found
