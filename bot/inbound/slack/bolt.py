"""Bolt routes what Slack sends to the tables. Every listener acknowledges with its return value, after its work."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbound.slack.actions import ACTIONS, act
from bot.inbound.slack.commands import COMMANDS
from bot.inbound.slack.counter import NOT_SAVED, WENT_WRONG, Ack, Body, Counter
from bot.inbound.slack.events import EVENTS
from bot.inbound.slack.shortcuts import SHORTCUTS
from bot.inbound.slack.views import submit
from bot.ports.store import Unavailable

log = structlog.get_logger()
_ANY: Final = re.compile(r"[\s\S]*")

Listener = Callable[[dict[str, Any], AsyncAck], Awaitable[BoltResponse]]


def build_app(counter: Counter, bot_token: str) -> AsyncApp:
    """Return the app. `authorize` answers from memory: Bolt's own would ask Slack on the first request."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=bot_token)

    app = AsyncApp(
        logger=_quiet_logger(),
        name="tocsin",
        client=_client_without_token(counter.client),
        authorize=authorize,
        # The answer goes out when the listener returns: commit, then acknowledge (law 1).
        process_before_response=True,
        request_verification_enabled=False,  # done before parsing, in http.py; Socket Mode needs none
        ignoring_self_events_enabled=False,  # done by origins.py, without asking Slack who we are
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.use(_events(counter))
    for name, command in COMMANDS.items():
        app.command(name)(_listener(counter, command))
    for name, shortcut in SHORTCUTS.items():
        app.shortcut(name)(_listener(counter, shortcut))
    for name in ACTIONS:
        app.action(re.compile(rf"{name}(:[\s\S]*)?$"))(_listener(counter, act))
    # What nobody listens to any more – controls and forms of older versions – is answered in words, not by silence.
    app.action(_ANY)(_listener(counter, act))
    app.view(_ANY)(_listener(counter, submit))
    app.view_closed(_ANY)(_listener(counter, _nothing))
    app.shortcut(_ANY)(_listener(counter, _nothing))
    app.event(_ANY)(_listener(counter, _nothing))
    app.error(_explain)
    return app


def _client_without_token(client: AsyncWebClient) -> AsyncWebClient:
    """Bolt makes a client per request from this one; the token comes from `authorize`."""
    return AsyncWebClient(base_url=client.base_url, session=client.session, retry_handlers=[])


def _quiet_logger() -> logging.Logger:
    """Bolt warns of unhandled requests by printing their bodies, words of people included: errors only."""
    logger = logging.getLogger("tocsin.bolt")
    logger.setLevel(logging.ERROR)
    return logger


def _listener(counter: Counter, handler: Callable[[Counter, Body], Awaitable[Ack]]) -> Listener:
    async def listen(body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        return await ack(**await handler(counter, body))

    return listen


def _events(counter: Counter) -> Callable[..., Awaitable[BoltResponse]]:
    """Return the middleware that takes events before Bolt asks each listener in turn whether it is meant.

    Most events are the echoes of our own posts, a dozen per incident; the search cost more than the rest of the way.
    """

    async def take(body: dict[str, Any], ack: AsyncAck, next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        event = body.get("event") if body.get("type") == "event_callback" else None
        handler = EVENTS.get(str(event.get("type"))) if isinstance(event, Mapping) else None
        if handler is None:
            return await next_()
        await handler(counter, body)
        return await ack()

    return take


async def _nothing(counter: Counter, body: Body) -> Ack:
    return {}


async def _explain(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """The last net. An event that was not saved answers 503, so that Slack sends it again; a person reads words."""
    if isinstance(error, Unavailable):
        log.warning("slack event not saved", error=str(error))
    else:
        log.error("slack request failed", error=type(error).__name__, exc_info=error)
    if body.get("type") == "event_callback":
        return BoltResponse(status=503, body={"error": "not saved"})
    said = NOT_SAVED if isinstance(error, Unavailable) else WENT_WRONG
    return BoltResponse(
        status=200, body={"response_type": "ephemeral", "text": said.text} if body.get("command") else ""
    )
