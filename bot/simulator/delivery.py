"""How the app is reached: envelopes over Socket Mode, or signed HTTP; and events' retries.

https://docs.slack.dev/authentication/verifying-requests-from-slack
https://docs.slack.dev/apis/events-api/#retries
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlencode

import aiohttp

from bot.simulator.socket_mode import LinkLost, Links
from bot.simulator.store import Json
from bot.simulator.world import World

Kind = Literal["slash_commands", "interactive", "events_api"]
# An app that was away is not flooded with all it missed.
AT_ONCE = 50
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


class Unreachable(Exception):
    """The app did not take a delivery; `reason` is Slack's word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def shown(self) -> str:
        """Slack's word for it to a person."""
        return "operation_timeout" if self.reason == "http_timeout" else "dispatch_failed"


class Courier:
    """Brings deliveries to the app, and events again and again as Slack does."""

    def __init__(self, world: World, links: Links, http: aiohttp.ClientSession) -> None:
        self._world = world
        self._links = links
        self._http = http
        self._wake = asyncio.Event()
        self._due: dict[str, float] = {}
        self._under_way: set[str] = set()
        self.paused: Callable[[], bool] = lambda: False

    # -- one delivery -----------------------------------------------------------------------

    @property
    def reachable(self) -> bool:
        """Whether there is any way to the app now."""
        return not self.paused() and bool(self._links.connected or self._url("interactive"))

    async def interact(self, kind: Kind, payload: Json, *, answers: bool = True) -> Json:
        """Deliver a command or an interaction and return what the app acknowledged with.

        Raises Unreachable when the app is away, refuses, or is silent for three seconds.
        """
        if not self.reachable:
            raise Unreachable("connection_failed")
        if self._links.connected:
            return await self._by_link(kind, payload, answers=answers)
        return await self._by_http(kind, payload, {})

    async def _by_link(self, kind: Kind, payload: Json, *, answers: bool, **more: object) -> Json:
        try:
            return await self._links.send(kind, payload, answers=answers, **more)
        except TimeoutError:
            raise Unreachable("http_timeout") from None
        except LinkLost:
            raise Unreachable("connection_failed") from None

    async def _by_http(self, kind: Kind, payload: Json, headers: dict[str, str]) -> Json:
        body, content_type = self._encoded(kind, payload)
        stamp = str(int(self._world.now()))
        secret = self._world.settings.signing_secret.encode()
        base = b"v0:" + stamp.encode() + b":" + body
        signature = "v0=" + hmac.new(secret, base, hashlib.sha256).hexdigest()
        sent = {"Content-Type": content_type, "User-Agent": AGENT, "Accept": "*/*"}
        sent |= {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, **headers}
        limit = aiohttp.ClientTimeout(total=self._world.settings.pace.acknowledge_within)
        url = self._url(kind) or ""
        try:
            async with self._http.post(url, data=body, headers=sent, timeout=limit) as answer:
                text = await answer.text()
        except TimeoutError:
            raise Unreachable("http_timeout") from None
        except (aiohttp.ClientError, UnicodeDecodeError):
            raise Unreachable("connection_failed") from None
        if answer.status != 200:
            raise Unreachable("http_error")
        return _answer(text)

    def _encoded(self, kind: Kind, payload: Json) -> tuple[bytes, str]:
        if kind == "events_api":
            return json.dumps(payload).encode(), "application/json"
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"

    def _url(self, kind: Kind) -> str | None:
        settings = self._world.settings
        if kind == "events_api":
            return settings.event_url or settings.request_url
        return settings.request_url

    # -- events -----------------------------------------------------------------------------

    def wake(self) -> None:
        """Look at the queue again: something was committed, or a connection came."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver events until cancelled; each one waits only for itself."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_links())
            while True:
                self._wake.clear()
                now = asyncio.get_running_loop().time()
                waiting = [key for key in self._world.deliveries if key not in self._under_way]
                later = [self._due[key] for key in waiting if self._due.get(key, 0) > now]
                if self.reachable:
                    ready = [key for key in waiting if self._due.get(key, 0) <= now]
                    ready.sort(key=lambda k: self._world.deliveries[k]["order"])
                    for key in ready[: AT_ONCE - len(self._under_way)]:
                        self._under_way.add(key)
                        group.create_task(self._deliver(key))
                try:
                    async with asyncio.timeout(min(later) - now if later else None):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def _watch_links(self) -> None:
        while True:
            await self._links.wait()
            self._wake.set()

    async def _deliver(self, key: str) -> None:
        delivery = self._world.deliveries[key]
        try:
            if not self.reachable:
                return  # the last connection went while this waited its turn: no attempt lost
            await self._hand_over(delivery)
        except Unreachable as failure:
            self._try_later(key, delivery, failure.reason)
        else:
            self._settle(key)
        finally:
            self._under_way.discard(key)
            self._wake.set()

    async def _hand_over(self, delivery: Json) -> None:
        attempt, reason, payload = delivery["attempt"], delivery["reason"], delivery["payload"]
        if self._links.connected:
            more = {"retry_attempt": attempt, "retry_reason": reason.removeprefix("http_")}
            await self._by_link("events_api", payload, answers=False, **more)
            return
        headers: dict[str, str] = {}
        if attempt:
            headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        await self._by_http("events_api", payload, headers)

    def _try_later(self, key: str, delivery: Json, reason: str) -> None:
        pauses = self._world.settings.pace.retry_after
        if delivery["attempt"] >= len(pauses):
            self._settle(key)
            return
        loop = asyncio.get_running_loop()
        self._due[key] = loop.time() + pauses[delivery["attempt"]]
        delivery["attempt"] += 1
        delivery["reason"] = reason
        self._world.store.put("delivery", key, delivery)
        self._world.commit()

    def _settle(self, key: str) -> None:
        del self._world.deliveries[key]
        self._due.pop(key, None)
        self._world.store.drop("delivery", key)
        self._world.commit()


def _answer(text: str) -> Json:
    """Return an HTTP acknowledgement as Socket Mode would carry it."""
    if not text.strip():
        return {}
    try:
        said = json.loads(text)
    except ValueError:
        return {"text": text}
    return said if isinstance(said, dict) else {"text": text}
