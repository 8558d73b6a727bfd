"""The one way to Slack's Web API: one client on one shared session, no retries of its own, every failure classified."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.outbound.calls import read_at_most
from bot.outbound.slack.budgets import budget_of_call
from bot.outbound.slack.refusals import SlackRefusal
from bot.ports.claim import must_hold
from bot.ports.delivery import DeliveryError
from bot.ports.waits import retry_after

CALL_TIMEOUT: Final = 7.0
"""Seconds for one call. A whole effect has 8 s, less than its lease of 10 s (docs/adr/0004)."""
PAGE: Final = 200
"""Entries of one page: https://docs.slack.dev/apis/web-api/pagination recommends at most 200."""
ANSWER_MAX: Final = 32_000_000
"""Bytes read of an answer: a page of history may hold 200 messages of 40,000 characters, each with its blocks."""
SLACK_API: Final = "https://slack.com/api/"

Json = dict[str, Any]
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json; charset=utf-8"
_IN_JSON: Final = frozenset({"chat.postMessage", "chat.update"})
"""Methods whose arguments go as JSON: blocks escaped for a form cost more than all the rest of a call.
https://docs.slack.dev/apis/web-api#posting_json; not every method takes it, every one takes a form."""
_SAID: Final = frozenset({"chat.postMessage", "chat.update", "chat.postEphemeral"})
_AS_WRITTEN: Final = {"parse": "none", "link_names": False}
"""Slack looks for no mention, channel or address in a message's `text`. Left out, chat.update would take `client`.
https://docs.slack.dev/reference/methods/chat.update#arg_parse; within blocks it is `verbatim` that says so."""


def web_client(token: str, session: aiohttp.ClientSession, base_url: str = SLACK_API) -> AsyncWebClient:
    """Return Slack's own client on `session`, which the caller closes.

    Without its retry handlers: they repeat posts whose answer was lost. Bolt gets the same client. With a logger that
    has a level of its own: without one the library words each call and answer for a log that nobody reads.
    """
    quiet = logging.getLogger("tocsin.slack_sdk")
    quiet.setLevel(logging.INFO)
    return AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[], logger=quiet)


class Slack:
    """Calls methods and says how they went. Keeps our own user id, which never changes.

    After a rate limit nothing of its budget leaves before its time: what was claimed already would else still go.
    `clock` counts seconds. `web` knows the token, the address, the proxy and the session; the call itself is made
    here, in a third of the processor time that the library's takes: an incident begins with a dozen calls.
    """

    def __init__(
        self, web: AsyncWebClient, *, timeout: float = CALL_TIMEOUT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._web = web
        self._timeout = timeout
        self._clock = clock
        self._parked: dict[str, float] = {}
        self._me = ""
        self._headers = {"Authorization": f"Bearer {web.token}"}

    async def call(self, method: str, **arguments: object) -> Json:
        """Call `method` and return its answer. Arguments that are None are left out.

        Raises SlackRefusal (Slack said no) or DeliveryError (Slack was not reached, or answered nonsense: it may have
        done what it was asked for, so look before you repeat).
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        if method in _SAID:
            given |= _AS_WRITTEN
        budget = budget_of_call(method, str(given.get("channel", "")))
        if (wait := self._parked.get(budget, 0.0) - self._clock()) > 0:
            raise SlackRefusal(method, "ratelimited", parks=budget, wait=wait)
        must_hold()
        try:
            async with asyncio.timeout(self._timeout):
                status, headers, raw = await self._post(method, given)
        # `from None`: aiohttp's texts may hold the address, and a traceback would print them.
        except TimeoutError:
            raise DeliveryError(f"{method}: no answer within {self._timeout:g} s") from None
        except aiohttp.ClientConnectorError as exc:
            raise DeliveryError(f"{method}: {type(exc).__name__}", untouched=True) from None
        except (aiohttp.ClientError, OSError) as exc:
            raise DeliveryError(f"{method}: {type(exc).__name__}") from None
        body = _parsed(raw)
        if status == 200 and body.get("ok") is True:
            return body
        refused = _refused(method, budget, status, headers, body)
        if refused.parks:
            self._parked[budget] = self._clock() + refused.retry_after
        raise refused

    async def _post(self, method: str, given: Mapping[str, object]) -> tuple[int, Mapping[str, str], bytes]:
        """Send one call; no redirect is followed: it would carry the token elsewhere."""
        web = self._web
        assert web.session is not None, "the house gives every client its one session"
        async with web.session.post(
            web.base_url + method,
            data=_body(method, given),
            headers={**self._headers, "Content-Type": _JSON if method in _IN_JSON else _FORM},
            proxy=web.proxy,
            ssl=web.ssl or True,
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await read_at_most(response, ANSWER_MAX)

    async def pages(self, method: str, most: int, **arguments: object) -> AsyncIterator[Json]:
        """Yield the answers of up to `most` pages."""
        cursor: str | None = None
        for _ in range(most):
            answer = await self.call(method, limit=PAGE, cursor=cursor, **arguments)
            yield answer
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    async def me(self) -> str:
        """Return our own user id, asked for once."""
        if not self._me:
            self._me = str((await self.call("auth.test"))["user_id"])
        return self._me


def _body(method: str, given: Mapping[str, object]) -> bytes:
    if method in _IN_JSON:
        return json.dumps(given, ensure_ascii=False).encode(errors="replace")
    return urlencode({name: _form(value) for name, value in given.items()}, errors="replace").encode()


def _form(value: object) -> str:
    """Return a form field; lists and objects go in them as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else str(value)


def _parsed(raw: bytes) -> Json:
    """Return the answer; empty if it is no JSON object."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _refused(method: str, budget: str, status: int, headers: Mapping[str, str], body: Json) -> DeliveryError:
    """Classify an answer that was not ok."""
    code = body.get("error")
    if status == 429:
        return SlackRefusal(method, "ratelimited", parks=budget, wait=retry_after(headers.get("Retry-After")))
    if not isinstance(code, str) or status >= 500:
        return DeliveryError(f"{method}: unreadable answer" if status < 400 else f"{method}: HTTP {status}")
    refusal = SlackRefusal(
        method, code, parks=budget, wait=retry_after(headers.get("Retry-After")), detail=_detail(code, body)
    )
    refusal.errors = errors_by_user(body)
    return refusal


def errors_by_user(body: Mapping[str, Any]) -> dict[str, str]:
    """Return user → error code from an answer of conversations.invite."""
    entries = body.get("errors")
    if not isinstance(entries, list):
        return {}
    found = [entry for entry in entries if isinstance(entry, dict) and entry.get("user")]
    return {str(entry["user"]): str(entry.get("error", "unknown")) for entry in found}


def _detail(code: str, body: Mapping[str, Any]) -> str:
    """What Slack says beside the code; never a token: Slack does not echo it."""
    if code == "missing_scope":
        return f"needs {body['needed']}" if body.get("needed") else ""
    messages = (body.get("response_metadata") or {}).get("messages") or []
    return "; ".join(str(message) for message in messages)[:300]
