"""One JSON call to a vendor on the shared session: bounded in time and size, its failures as DeliveryError.

What goes into an error is the vendor's name, a status and our own words; never a header, an address or a body that we
sent, so no secret can come out of it (SECURITY.md).
"""

import json as jsonlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import aiohttp

from bot.domain.text import clean_line
from bot.ports import waits
from bot.ports.claim import must_hold
from bot.ports.delivery import DeliveryError

TIMEOUT: Final = 7.0
"""Seconds for one call, a little less than the runner gives the whole effect: the error is then in our words."""
ANSWER_MAX: Final = 2_000_000
"""Bytes read of an answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a vendor answered. `body` is parsed JSON, or None if it was none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def retry_after(self, now: datetime | None = None) -> float:
        """Return the seconds that `Retry-After` asks for."""
        return waits.retry_after(self.headers.get("Retry-After"), now)


class RateLimit:
    """What one vendor's budget lets leave: after a limited answer nothing, before the time that it named.

    The claim waits, too; but what was claimed already would else still go. `clock` counts seconds.
    """

    def __init__(self, vendor: str, budget: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._vendor = vendor
        self._budget = budget
        self._clock = clock
        self._until = 0.0

    def let_pass(self) -> None:
        """Raises DeliveryError, for as long as it is limited."""
        if (wait := self._until - self._clock()) > 0:
            raise self._error(wait)

    def reached(self, wait: float) -> DeliveryError:
        """Let nothing leave for `wait` seconds; return what to raise."""
        self._until = self._clock() + wait
        return self._error(wait)

    def _error(self, wait: float) -> DeliveryError:
        return DeliveryError(f"{self._vendor} limits our rate", retry_after=wait, parks=self._budget)


async def call(
    http: aiohttp.ClientSession,
    vendor: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: object = None,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 -- aiohttp keeps it, and closes the connection
) -> Reply:
    """Send one request; redirects are not followed (they would carry the secret elsewhere).

    Raises DeliveryError, transient, if there was no whole answer.
    """
    must_hold()
    try:
        async with http.request(
            method,
            url,
            headers=headers,
            json=json,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout),
        ) as response:
            raw = await read_at_most(response, ANSWER_MAX)
            return Reply(response.status, _parse(raw), response.headers)
    # `from None`: aiohttp's texts hold the address, and a traceback would print them.
    except TimeoutError:
        raise DeliveryError(f"{vendor} did not answer within {timeout:g} s") from None
    except aiohttp.ClientConnectorError as exc:
        raise DeliveryError(f"{vendor} cannot be reached ({type(exc).__name__})", untouched=True) from None
    except (aiohttp.ClientError, OSError) as exc:
        raise DeliveryError(f"{vendor} cannot be reached ({type(exc).__name__})") from None


async def read_at_most(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body, or its first part if it is absurdly long (which then is no JSON). `most` is in bytes."""
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > most:
            break
    return bytes(raw)


def _parse(raw: bytes) -> Any:
    try:
        return jsonlib.loads(raw)
    except (ValueError, RecursionError):
        return None


def refusal(vendor: str, reply: Reply, why: str, *, mend: str, secret: str = "") -> DeliveryError:
    """Return the permanent error for a refused call. `why` is the vendor's text: cut, cleaned, without our secret."""
    why = why.replace(secret, "…") if secret else why
    text = f"{vendor} refused it with {reply.status}"
    return DeliveryError(f"{text}: {clean_line(why, 200)}" if why else text, permanent=True, mend=mend)
