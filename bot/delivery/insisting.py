"""Cases that nobody else will submit: submitted again while the database is away."""

import asyncio

import structlog

from bot.ports.store import Unavailable
from bot.usecases.committer import Case, Submits

log = structlog.get_logger()


async def insist(committer: Submits, case: Case, tries: int, pause: float, not_done: str, **about: object) -> None:
    """Submit `case`; while the database is away, again, at most `tries` times with `pause` seconds between two.

    Each failure is logged as `not_done`, with what it is `about`.
    """
    for left in reversed(range(tries)):
        try:
            await committer.submit(case)
            return
        except Unavailable as exc:
            log.warning(not_done, **about, error=str(exc))
        if left:
            await asyncio.sleep(pause)
