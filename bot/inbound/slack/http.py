"""`POST /slack/events`: signed HTTP delivery. Bad signature 401, unreadable 400, and never a bare 500.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import json
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.inbound.patience import in_time
from bot.inbound.slack.counter import Counter
from bot.inbound.slack.hearing import hear, is_event

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_handler(app: AsyncApp, counter: Counter, signing_secret: str) -> Handler:
    """Return the handler. Requests older or newer than five minutes are refused as replays."""
    verifier = SignatureVerifier(signing_secret)

    async def handle(request: web.Request) -> web.StreamResponse:
        raw = await in_time(request.read())
        if not _genuine(verifier, raw, request):
            return web.json_response({"error": "not signed by Slack, or too old"}, status=401)
        try:
            body = raw.decode("utf-8")
            if request.content_type == "application/json" and is_event(said := json.loads(body)):
                return web.Response(status=await hear(counter, said))
            asked = AsyncBoltRequest(body=body, query=request.query_string, headers=dict(request.headers))
            answer = await app.async_dispatch(asked)
        except (ValueError, RecursionError) as exc:
            log.warning("unreadable slack request", error=type(exc).__name__)
            return web.json_response({"error": "unreadable body"}, status=400)
        except (TypeError, AttributeError, LookupError) as exc:
            # Bolt reads a body of another shape than Slack's without looking; our own listeners answer for themselves.
            # Slack signed it and would send it again, to no other end: it is taken, and nothing is done.
            log.warning("slack request of an unknown shape", error=type(exc).__name__, bytes=len(raw))
            return web.Response(status=200)
        if answer.status == 404:  # nothing listens: app_rate_limited, and whatever Slack may invent
            answer.status, answer.body = 200, ""
        return await to_aiohttp_response(answer)

    return handle


def _genuine(verifier: SignatureVerifier, raw: bytes, request: web.Request) -> bool:
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not timestamp.isascii() or not timestamp.isdigit() or not signature.isascii():
        return False
    try:
        return verifier.is_valid(body=raw, timestamp=timestamp, signature=signature)
    except (ValueError, TypeError, OverflowError):  # the library trusts its headers; we do not
        return False
