"""How long a caller may take to send what it announced."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiohttp import web

SENT_WITHIN: Final = 10.0
"""Seconds for a body. aiohttp waits for ever, also for the rest of a body whose encoding broke after the headers."""
T = TypeVar("T")


async def in_time(reading: Awaitable[T], patience: float = SENT_WITHIN) -> T:
    """Return what `reading` a request's body gives. Raises HTTPRequestTimeout (408) after `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            return await reading
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
