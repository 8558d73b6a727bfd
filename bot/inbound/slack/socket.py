"""Socket Mode's connection, which can be closed without cutting off who is being answered."""

import asyncio
from typing import Any, Final

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

log = structlog.get_logger()

ANSWERED_WITHIN: Final = 3.0
"""Seconds: Slack waits no longer for an acknowledgement."""


class Socket(AsyncSocketModeHandler):
    """Bolt's handler, counting the envelopes that are not acknowledged yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, client: Any, req: Any) -> None:
        """Answer one envelope."""
        self._open += 1
        self._idle.clear()
        try:
            await super().handle(client, req)
        except (ConnectionError, aiohttp.ClientError) as exc:
            # The link went away meanwhile. What was asked is done; unacknowledged, Slack delivers it again, and the
            # repeat gets the stored answer.
            log.warning("envelope not acknowledged", error=type(exc).__name__)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def close_gently(self) -> None:
        """Close once everything that came is acknowledged, or after 3 s: a closed socket cannot answer any more."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                while self._open or not self.client.message_queue.empty():
                    await asyncio.sleep(0)  # an envelope on its way from the queue to `handle`
                    await self._idle.wait()
        except TimeoutError:
            pass  # what is still under way is finished by its owner; the asker sees Slack's time-out
        # Nothing may begin any more that could not be acknowledged: Slack gives it to the next connection.
        self.client.socket_mode_request_listeners.clear()
        await self.close_async()  # type: ignore[no-untyped-call]  # the library's
