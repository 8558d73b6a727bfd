"""Gaps in the record: what was said while nobody listened is read from the channel's history, and marked so.

Events come by themselves (and Slack repeats them for some minutes); this is for a longer silence. It runs at each
connection of the socket, and at the start; over HTTP, where no silence shows, also every half hour. What is on record
already is recognised by its key and stays as it is.

Of each channel it is known up to when its record is complete. That is written down only when everything since was read:
whatever fails in the midst, the next run goes back as far.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.record import Observation
from bot.inbound.slack.counter import Counter
from bot.inbound.slack.errors import FAILED, code_of, name_of
from bot.inbound.slack.events.messages import WRITTEN, rewritten, written
from bot.inbound.slack.hearing import MISSHAPEN
from bot.inbound.slack.origins import author, moment
from bot.ports.clock import Clock, utc_now
from bot.ports.refills import Refills, Unfilled
from bot.ports.store import Unavailable
from bot.ports.waits import retry_after
from bot.usecases.cases import Observe

PAGE: Final = 200  # https://docs.slack.dev/reference/methods/conversations.history recommends no more
PAGES: Final = 1000
"""Pages of one channel or thread: a history that does not end is not Slack's."""
OLD_PAGES: Final = 25
"""Pages looked at of what is complete: somebody may have answered or edited an old message meanwhile."""
LINGERS: Final = timedelta(days=1)
"""How long people go on talking in the channel of an incident that is over."""
TRIES: Final = 5
FAILURES_MAX: Final = 3
"""Channels in a row that could not be read, after which the rest waits for the next run, too."""
AGAIN_AFTER: Final = 15.0
"""Seconds after which what could not be read is tried again, doubled each time …"""
AGAIN_AT_LEAST: Final = 900.0
"""… up to these."""
TRANSIENT: Final = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable"}
)
"""Slack's own trouble. What else it says of a channel (it is gone, we are not in it) it will say again."""

log = structlog.get_logger()


class Refill:
    """Reads the channels of incidents, one after another: Slack allows about 50 pages a minute."""

    def __init__(self, counter: Counter, book: Refills, clock: Clock = utc_now) -> None:
        self._counter = counter
        self._book = book
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._wanted = False
        self._found = 0
        """Observations that were missing, in the present run."""

    def start(self) -> None:
        """Begin. While it is under way it begins once more afterwards: there was another silence."""
        self._wanted = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._until_complete(), name="refill")

    async def stop(self) -> None:
        """End at once: what is not filled yet is filled at the next start."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _until_complete(self) -> None:
        pause = AGAIN_AFTER
        while self._wanted:
            self._wanted = False
            try:
                _, complete = await self.run()
            except Exception:
                # A mistake of ours, met in one channel: the others are tried again, and the log says where.
                log.exception("looking for gaps failed")
                complete = False
            if not complete:
                await asyncio.sleep(pause)
                pause, self._wanted = min(pause * 2, AGAIN_AT_LEAST), True

    async def run(self) -> tuple[int, bool]:
        """Fill every gap there is; return how many observations were missing, and whether all could be looked for."""
        self._found, failures, complete = 0, 0, True
        try:
            me = await self._call("auth.test", {})
            for gap in await self._book.unfilled(self._clock() - LINGERS):
                try:
                    await self._channel(gap, me)
                    failures = 0
                except FAILED as exc:
                    complete &= _is_final(exc)
                    failures += not _is_final(exc)
                    log.warning("gap not filled", incident=gap.state.number, error=name_of(exc))
                    if failures == FAILURES_MAX:
                        break
        except (*FAILED, Unavailable) as exc:
            complete = _is_final(exc)
            log.warning("gaps not filled", error=name_of(exc))
        if self._found:
            log.info("gaps filled", observations=self._found)
        return self._found, complete

    async def _channel(self, gap: Unfilled, me: Mapping[str, Any]) -> None:
        """Read a channel back to where its record is complete, and on for what people did to older messages."""
        assert gap.state.room is not None, "only what has a channel can have a gap"
        number, channel, since = gap.state.number, gap.state.room.channel, gap.complete_to
        known = _Known(channel, [entry.observation for entry in await self._counter.reader.entries(number)])
        old, newest = 0, since
        async for page in self._pages("conversations.history", channel=channel):
            moments = [at for message in page if (at := moment(message.get("ts")))]
            newest = max([*moments, *([newest] if newest else [])], default=None)
            await self._record(number, await self._missing(page, known, since, me), known)
            old += bool(since and moments and min(moments) <= since)
            if old == OLD_PAGES:
                break
        if newest is not None:
            await self._book.filled(number, newest, gap.state.seq)

    async def _missing(
        self, page: list[Mapping[str, Any]], known: "_Known", since: datetime | None, me: Mapping[str, Any]
    ) -> list[Observation]:
        """Return what the record lacks of a page of history, and of the threads that begin there."""
        found = _lacking(page, known, me)
        for parent in page:
            if known.may_lack_replies(parent, since):
                ts = str(parent["ts"])
                async for replies in self._pages("conversations.replies", channel=known.channel, ts=ts):
                    found += _lacking([message for message in replies if message.get("ts") != ts], known, me)
        return found

    async def _record(self, number: int, missing: list[Observation], known: "_Known") -> None:
        """Record it in one go, oldest first."""
        dated = {seen.key: (at, seen) for seen in missing if (at := _moment_of(seen))}
        cases = [
            Observe(self._counter.request(seen.user, "", "event"), number, at, seen)
            for at, seen in sorted(dated.values(), key=lambda one: one[0])
        ]
        await asyncio.gather(*(self._counter.submit.submit(case) for case in cases))
        known.keys.update(dated)
        self._found += len(cases)

    async def _pages(self, method: str, **arguments: str) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Yield the messages of every page. Raises SlackClientError if it does not come to the end."""
        cursor = ""
        for _ in range(PAGES):
            answer = await self._call(
                method, {**arguments, "limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
            )
            yield [message for message in answer.get("messages") or () if isinstance(message, Mapping)]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        raise SlackClientError(f"{method} has no end")

    async def _call(self, method: str, arguments: dict[str, str]) -> Mapping[str, Any]:
        """Call, waiting as Slack asks when there were too many calls. Raises SlackClientError."""
        for attempt in range(TRIES):
            try:
                answer = await self._counter.client.api_call(method, data=arguments)
                body: Mapping[str, Any] = answer.data if isinstance(answer.data, dict) else {}
                return body
            except SlackApiError as exc:
                if code_of(exc) != "ratelimited" or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(retry_after(exc.response.headers.get("Retry-After")))
        raise TimeoutError


class _Known:
    """What is on record of a channel."""

    def __init__(self, channel: str, seen: list[Observation]) -> None:
        self.channel = channel
        self.keys = {one.key for one in seen}
        gone = {one.ts for one in seen if one.kind == "deleted"}
        self._replies: defaultdict[str, set[str]] = defaultdict(set)
        for one in seen:
            if one.thread_ts and one.ts not in gone:
                self._replies[one.thread_ts].add(one.ts)

    def may_lack_replies(self, parent: Mapping[str, Any], since: datetime | None) -> bool:
        """True if somebody may have answered `parent` unheard: it has a newer answer, and more than are on record."""
        latest = moment(parent.get("latest_reply"))
        if latest is None or (since is not None and latest <= since):
            return False
        count = parent.get("reply_count")
        heard = len(self._replies[str(parent.get("ts"))])
        return (
            not isinstance(count, int) or heard < count or f"{self.channel}:{parent['latest_reply']}" not in self.keys
        )


def _lacking(messages: list[Mapping[str, Any]], known: _Known, me: Mapping[str, Any]) -> list[Observation]:
    return [seen for one in messages if not _is_ours(one, me) and (seen := _new(one, known))]


def _new(message: Mapping[str, Any], known: _Known) -> Observation | None:
    """Return what the record lacks of a message: the whole of it, or its last edit."""
    if message.get("subtype") not in WRITTEN:
        return None
    try:
        seen = written(message, known.channel, recovered=True)
        if seen.key not in known.keys:
            return seen
        edited = message.get("edited")
        if isinstance(edited, Mapping) and author(message):
            again = rewritten(message, known.channel, str(edited.get("ts") or ""), recovered=True)
            return again if again.key not in known.keys else None
    except MISSHAPEN as exc:  # one message of another shape than Slack's must not hide the others
        log.error("message of an unknown shape", error=type(exc).__name__)
    return None


def _is_ours(message: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    return message.get("user") == me.get("user_id") or bool(me.get("bot_id") and message.get("bot_id") == me["bot_id"])


def _moment_of(seen: Observation) -> datetime | None:
    """When it was written, or edited."""
    return moment(seen.key.rpartition(":")[2]) or moment(seen.ts)


def _is_final(error: Exception) -> bool:
    """True if asking again would bring the same answer."""
    return code_of(error) not in {"", *TRANSIENT}
