"""Bolt routes what people ask to the tables. Every listener acknowledges with its return value, after its work.

What happened in the workspace does not come here (hearing.py).
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbound.slack.actions import ACTIONS, act
from bot.inbound.slack.commands import COMMANDS
from bot.inbound.slack.counter import STOPPING, WENT_WRONG, Ack, Body, Counter, not_saved
from bot.inbound.slack.origins import asker, part
from bot.inbound.slack.shortcuts import SHORTCUTS
from bot.inbound.slack.views import submit
from bot.ports.store import Unavailable
from bot.render.slack import windows

log = structlog.get_logger()
_ANY: Final = re.compile(r"[\s\S]*")

NOBODY: Final = "Nothing was done: Slack did not say who you are. Try again; if that stays so, tell your admin."
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
        # The answer goes out when the listener returns: commit, then acknowledge.
        process_before_response=True,
        request_verification_enabled=False,  # done before parsing, in http.py; Socket Mode needs none
        ignoring_self_events_enabled=False,  # done by origins.py, without asking Slack who we are
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
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
        if not asker(body):
            # nothing is done in nobody's name
            log.warning("slack request names nobody", type=str(body.get("type") or "slash command")[:40])
            return await ack(**_refusal(body, NOBODY))
        if counter.stop.told:
            return await _turn_away(counter, body, ack)
        return await ack(**await handler(counter, body))

    return listen


def _refusal(body: Body, words: str) -> Ack:
    """Return the acknowledgement that says why nothing was done, as far as one can say anything."""
    if body.get("command"):
        return {"response_type": "ephemeral", "text": words}
    if body.get("type") == "view_submission":
        return {"response_action": "update", "view": windows.note("Tocsin", words)}
    return {}


async def _turn_away(counter: Counter, body: Body, ack: AsyncAck) -> BoltResponse:
    """Do nothing, and say so: in the acknowledgement, else over the response URL, else by Slack's own warning sign.

    A submitted form stays as it was filled in, with the words at its first field.
    """
    fields = list(part(part(body, "view"), "state").get("values") or ())
    if body.get("type") == "view_submission" and fields:
        return await ack(response_action="errors", errors={fields[0]: STOPPING.text})
    if said := _refusal(body, STOPPING.text):
        return await ack(**said)
    if body.get("type") == "view_closed":
        return await ack()
    if url := str(body.get("response_url") or ""):
        counter.tasks.start(counter.respond(url, STOPPING))
        return await ack()
    return BoltResponse(status=503)


async def _nothing(counter: Counter, body: Body) -> Ack:
    return {}


async def _explain(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """The last net: a person reads words."""
    if isinstance(error, Unavailable):
        log.warning("slack request not saved", error=str(error))
    else:
        log.error("slack request failed", error=type(error).__name__, exc_info=error)
    said = not_saved(error) if isinstance(error, Unavailable) else WENT_WRONG
    return BoltResponse(
        status=200, body={"response_type": "ephemeral", "text": said.text} if body.get("command") else ""
    )
