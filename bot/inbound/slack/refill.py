"""Gaps in the record: what was said while nobody listened is read from the channel's history, and marked so.

Events come by themselves (and Slack repeats them for some minutes); this is for a longer silence. It runs at each
connection of the socket, and at the start. What is on record already is recognised by its key and stays as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.incident import Incident
from bot.domain.record import Observation
from bot.inbound.slack.counter import Counter
from bot.inbound.slack.events.messages import WRITTEN, rewritten, written
from bot.inbound.slack.origins import author, moment
from bot.ports.store import Unavailable
from bot.usecases.cases import Observe

PAGE: Final = 200  # https://docs.slack.dev/reference/methods/conversations.history recommends no more
PAGES: Final = 25
"""Pages looked at per channel: 5,000 messages."""
INCIDENTS: Final = 200
TRIES: Final = 5

log = structlog.get_logger()


class Refill:
    """Reads the channels of open incidents, one after another: Slack allows about 50 pages a minute."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._running: asyncio.Task[int] | None = None

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._running is None or self._running.done():
            self._running = self._counter.tasks.start(self.run())

    async def run(self) -> int:
        """Fill every gap there is; return how many observations were missing. What fails is tried next time."""
        found = 0
        try:
            me = await self._call("auth.test", {})
            for state in await self._counter.reader.incidents(active=True, limit=INCIDENTS):
                if state.room is not None:
                    found += await self._channel(state, state.room.channel, me)
        except (SlackClientError, aiohttp.ClientError, TimeoutError, Unavailable) as exc:
            log.warning("gaps not filled", error=type(exc).__name__)
        if found:
            log.info("gaps filled", observations=found)
        return found

    async def _channel(self, state: Incident, channel: str, me: Mapping[str, Any]) -> int:
        known = {entry.observation.key for entry in await self._counter.reader.entries(state.number)}
        found = 0
        async for page in self._pages("conversations.history", channel=channel):
            mine = [m for m in page if m.get("subtype") in WRITTEN and not _is_ours(m, me)]
            missing = [seen for m in mine if (seen := _missing(m, channel, known))]
            threads = [m for m in page if _has_unknown_replies(m, channel, known)]
            for parent in threads:
                async for replies in self._pages("conversations.replies", channel=channel, ts=parent["ts"]):
                    answers = [m for m in replies if m.get("ts") != parent["ts"] and not _is_ours(m, me)]
                    missing += [seen for m in answers if (seen := _missing(m, channel, known))]
            for seen in missing:
                await self._record(state.number, seen)
            found += len(missing)
            if mine and not missing:
                break  # everything here is known, so what is older is, too
        return found

    async def _record(self, number: int, seen: Observation) -> None:
        at = moment(seen.key.rpartition(":")[2]) or moment(seen.ts)
        if at is not None:
            await self._counter.submit.submit(Observe(self._counter.request(seen.user), number, at, seen))

    async def _pages(self, method: str, **arguments: str) -> AsyncIterator[list[dict[str, Any]]]:
        cursor = ""
        for _ in range(PAGES):
            answer = await self._call(
                method, {**arguments, "limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
            )
            yield list(answer.get("messages") or ())
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _call(self, method: str, arguments: dict[str, str]) -> Mapping[str, Any]:
        """Call, waiting as Slack asks when there were too many calls. Raises SlackClientError."""
        for attempt in range(TRIES):
            try:
                answer = await self._counter.client.api_call(method, data=arguments)
                body: Mapping[str, Any] = answer.data if isinstance(answer.data, dict) else {}
                return body
            except SlackApiError as exc:
                if exc.response.get("error") != "ratelimited" or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(float(exc.response.headers.get("Retry-After", 1)))
        raise TimeoutError


def _is_ours(message: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    return message.get("user") == me.get("user_id") or bool(me.get("bot_id") and message.get("bot_id") == me["bot_id"])


def _missing(message: Mapping[str, Any], channel: str, known: set[str]) -> Observation | None:
    """Return what the record lacks of a message: the whole of it, or its last edit."""
    seen = written(message, channel, recovered=True)
    if seen.key not in known:
        return seen
    edited = message.get("edited")
    if isinstance(edited, Mapping) and author(message):
        again = rewritten(message, channel, str(edited.get("ts") or ""), recovered=True)
        return again if again.key not in known else None
    return None


def _has_unknown_replies(message: Mapping[str, Any], channel: str, known: set[str]) -> bool:
    latest = message.get("latest_reply")
    return bool(latest) and f"{channel}:{latest}" not in known
