"""Socket Mode's connection, which can be closed without cutting off who is being answered."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.inbound.slack.counter import Counter
from bot.inbound.slack.errors import code_of
from bot.inbound.slack.hearing import hear, is_event
from bot.ports.stop import ANSWERED_BY
from bot.ports.waits import retry_after

log = structlog.get_logger()

ANSWERED_WITHIN: Final = 3.0
"""Seconds: Slack waits no longer for an acknowledgement."""
CLOSED_WITHIN: Final = 1.0
"""Seconds that Slack gets to say good-bye."""


class Socket(AsyncSocketModeHandler):
    """Bolt's handler, counting the envelopes that are not acknowledged yet."""

    def __init__(self, counter: Counter, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counter = counter
        self.client.issue_new_wss_url = self._address  # type: ignore[method-assign]
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, client: Any, req: Any) -> None:
        """Answer one envelope."""
        self._open += 1
        self._idle.clear()
        try:
            if not is_event(req.payload):
                await super().handle(client, req)
            elif await hear(self._counter, req.payload) is HTTPStatus.OK:
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
        except (ConnectionError, aiohttp.ClientError) as exc:
            # The link went away meanwhile. What was asked is done; unacknowledged, Slack delivers it again, and the
            # repeat gets the stored answer.
            log.warning("envelope not acknowledged", error=type(exc).__name__)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def _address(self) -> str:
        """Return where to connect. The library's own would sleep for as many years as a header asks for."""
        while True:
            try:
                answer = await self.client.web_client.apps_connections_open(app_token=self.app_token)
                return str(answer["url"])
            except SlackApiError as exc:
                if code_of(exc) != "ratelimited":
                    raise
                await asyncio.sleep(retry_after(exc.response.headers.get("Retry-After")))

    async def close_gently(self) -> None:
        """Close once everything that came is acknowledged, or after 3 s: a closed socket cannot answer any more."""
        try:
            async with asyncio.timeout(min(ANSWERED_WITHIN, self._counter.stop.left(ANSWERED_BY))):
                while self._open or not self.client.message_queue.empty():
                    await asyncio.sleep(0)  # an envelope on its way from the queue to `handle`
                    await self._idle.wait()
        except TimeoutError:
            pass  # what is still under way is finished by its owner; the asker sees Slack's time-out
        # Nothing may begin any more that could not be acknowledged: Slack gives it to the next connection.
        self.client.socket_mode_request_listeners.clear()
        try:
            async with asyncio.timeout(CLOSED_WITHIN):
                await self.close_async()  # type: ignore[no-untyped-call]  # the library's
        except TimeoutError:  # Slack does not say good-bye; the second time nobody waits for it
            await self.close_async()  # type: ignore[no-untyped-call]
