"""A request's id: the sender's, if it is harmless, else a new one. In its answer, its log lines and the timeline."""

import itertools
import re
import secrets
from typing import Final

from aiohttp import web

HEADER: Final = "X-Request-Id"
REQUEST_ID: Final = web.RequestKey("request_id", str)
"""Where the id stands once it is known."""
_SANE = re.compile(r"[A-Za-z0-9._:@+/=-]{1,64}")
# To be told apart, not to be guessed: a random beginning for the process, then a count. 20 hexadecimal digits.
_ids: Final = map((secrets.token_hex(6) + "{:08x}").format, itertools.count(secrets.randbits(24)))


def request_id_of(request: web.Request) -> str:
    """Return the id of `request`, and keep it there."""
    known = request.get(REQUEST_ID)
    if known is None:
        given = request.headers.get(HEADER, "")
        known = request[REQUEST_ID] = given if given and _SANE.fullmatch(given) else next(_ids)
    return known
