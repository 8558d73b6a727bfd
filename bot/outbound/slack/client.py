"""The one way to Slack's Web API: one client on one shared session, no retries of its own, every failure classified."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.outbound.slack.budgets import budget_of_call
from bot.outbound.slack.refusals import LIMITED_WAIT, SlackRefusal
from bot.ports.delivery import DeliveryError

CALL_TIMEOUT: Final = 7.0
"""Seconds for one call. A whole effect has 8 s, less than its lease of 10 s (DESIGN, section 4)."""
PAGE: Final = 200
"""Entries of one page: https://docs.slack.dev/apis/web-api/pagination recommends at most 200."""
SLACK_API: Final = "https://slack.com/api/"

Json = dict[str, Any]


def web_client(token: str, session: aiohttp.ClientSession, base_url: str = SLACK_API) -> AsyncWebClient:
    """Return Slack's own client on `session`, which the caller closes.

    Without its retry handlers: they repeat posts whose answer was lost. Bolt gets the same client.
    """
    return AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])


class Slack:
    """Calls methods and says how they went. Keeps our own user id, which never changes.

    After a rate limit nothing of its budget leaves before its time: what was claimed already would else still go.
    `clock` counts seconds.
    """

    def __init__(
        self, web: AsyncWebClient, *, timeout: float = CALL_TIMEOUT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._web = web
        self._timeout = timeout
        self._clock = clock
        self._parked: dict[str, float] = {}
        self._me = ""

    async def call(self, method: str, **arguments: object) -> Json:
        """Call `method` and return its answer. Arguments that are None are left out.

        Raises SlackRefusal (Slack said no) or DeliveryError (Slack was not reached, or answered nonsense: it may have
        done what it was asked for, so look before you repeat).
        """
        data = {name: _form(value) for name, value in arguments.items() if value is not None}
        budget = budget_of_call(method, data.get("channel", ""))
        if (wait := self._parked.get(budget, 0.0) - self._clock()) > 0:
            raise SlackRefusal(method, "ratelimited", parks=budget, wait=wait)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._web.api_call(method, data=data)
        except SlackApiError as exc:
            refused = _refused(method, data, exc)
            if refused.parks:
                self._parked[budget] = self._clock() + refused.retry_after
            raise refused from exc
        except TimeoutError as exc:
            raise DeliveryError(f"{method}: no answer within {self._timeout:g} s") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise DeliveryError(f"{method}: {type(exc).__name__}") from exc
        except (SlackClientError, AttributeError, TypeError, ValueError) as exc:
            # The library stumbles so over a body that is no JSON object.
            raise DeliveryError(f"{method}: unreadable answer") from exc
        if not isinstance(answer.data, dict):
            raise DeliveryError(f"{method}: unreadable answer")
        return answer.data

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


def _form(value: object) -> str:
    """Every method takes form fields; lists and objects go in them as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else str(value)


def _refused(method: str, data: Mapping[str, str], exc: SlackApiError) -> DeliveryError:
    """Classify an answer that was not ok. `exc` carries Slack's response, or aiohttp's where the body was no JSON."""
    response = exc.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    headers = getattr(response, "headers", None) or {}
    body = getattr(response, "data", None)
    body = body if isinstance(body, dict) else {}
    parks = budget_of_call(method, data.get("channel", ""))
    code = body.get("error")
    if status == 429:
        return SlackRefusal(method, "ratelimited", parks=parks, wait=_seconds(headers.get("Retry-After")))
    if not isinstance(code, str) or status >= 500:
        return DeliveryError(f"{method}: unreadable answer" if status < 400 else f"{method}: HTTP {status}")
    refusal = SlackRefusal(
        method, code, parks=parks, wait=_seconds(headers.get("Retry-After")), detail=_detail(code, body)
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
        return f"needs {body.get('needed', 'another scope')}"
    messages = (body.get("response_metadata") or {}).get("messages") or []
    return "; ".join(str(message) for message in messages)[:300]


def _seconds(header: object) -> float:
    """Return the seconds of a Retry-After header; without a readable one, a safe guess."""
    try:
        return max(float(str(header)), 1.0)
    except ValueError:
        return LIMITED_WAIT
