"""The door of the Web API: tokens, arguments, rate limits and weather, then the method.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.simulator import responses
from bot.simulator.control import AFTER, BEFORE, CallRecord, Control, Fault
from bot.simulator.delivery import Courier
from bot.simulator.errors import SlackError
from bot.simulator.events import granted
from bot.simulator.socket_mode import Links
from bot.simulator.store import Json
from bot.simulator.webapi.call import Call, Method
from bot.simulator.webapi.methods import METHODS
from bot.simulator.world import World

SILENCE = 120.0


class Cut(Exception):
    """The connection is torn, or the answer is not Slack's: `answer` None means torn."""

    def __init__(self, error: str, answer: web.Response | None = None) -> None:
        super().__init__(error)
        self.answer = answer


class Gate:
    """Answers `/slack/api/{method}` and `/slack/response/{token}`."""

    def __init__(self, world: World, links: Links, courier: Courier, control: Control) -> None:
        self._world = world
        self._links = links
        self._courier = courier
        self._control = control
        self.closing = asyncio.Event()

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of a method."""
        name = request.match_info["method"]
        try:
            arguments, refused = await _arguments(request), None
        except SlackError as wrong:
            arguments, refused = {}, wrong
        method = METHODS.get(name)

        def effect() -> Json:
            if refused is not None:
                raise refused
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            return self._effect(request, method, arguments)

        tier = method.tier if method else "t3"
        answer = await self._through(request, name, arguments, tier, effect)
        if isinstance(answer, web.StreamResponse):
            return answer
        headers = {"X-OAuth-Scopes": ",".join(sorted(granted(self._world)))}
        return web.json_response(answer, headers=headers)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer one use of a response URL; its calls are recorded as `response_url`."""
        try:
            body: Any = json.loads(await request.read())
        except ValueError:
            body = None
        arguments = body if isinstance(body, dict) else {}

        def effect() -> Json:
            responses.use(self._world, request.match_info["token"], body)
            return {}

        answer = await self._through(request, "response_url", arguments, "t4", effect)
        if isinstance(answer, web.StreamResponse):
            return answer
        if answer.get("ok"):
            return web.Response(text="ok")
        return web.json_response(answer, status=404 if "url" in answer["error"] else 400)

    # -- the way of every call --------------------------------------------------------------

    async def _through(
        self, request: web.Request, name: str, arguments: Mapping[str, Any], tier: str, effect: Any
    ) -> Json | web.StreamResponse:
        """Carry a call through the weather: half the latency, the effect, the other half."""
        control = self._control
        record = control.begin(name, arguments, _connection(request))
        pause = control.pause() / 2
        fault = control.fault(name)
        try:
            if control.down:
                raise Cut("down", web.Response(status=503, text="Service Unavailable"))
            await asyncio.sleep(pause)
            channel = str(arguments.get("channel", ""))
            if seconds := control.wait(name, tier, channel):
                raise Cut("ratelimited", _limited(seconds))
            if fault is not None and fault.kind not in AFTER:
                await self._misfortune(fault)
            answer = self._done(record, effect)
            await asyncio.sleep(pause)
            if fault is not None and fault.kind in AFTER:
                await self._misfortune(fault)
            return answer
        except Cut as cut:
            control.end(record, str(cut))
            if cut.answer is not None:
                return cut.answer
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        except SlackError as forced:
            control.end(record, forced.code)
            return forced.body()

    def _done(self, record: CallRecord, effect: Any) -> Json:
        error: str | None = None
        try:
            answer: Json = {"ok": True, **effect()}
        except SlackError as refused:
            error, answer = refused.code, refused.body()
        self._world.commit()
        self._courier.wake()
        self._control.end(record, error)
        return answer

    async def _misfortune(self, fault: Fault) -> None:
        if fault.kind.startswith("silence"):
            try:
                async with asyncio.timeout(SILENCE):
                    await self.closing.wait()
            except TimeoutError:
                pass
            raise Cut(fault.kind)
        if fault.kind not in BEFORE | AFTER:
            raise SlackError(fault.kind)
        if fault.kind in ("429", "ratelimited"):
            raise Cut("ratelimited", _limited(fault.retry_after, 429 if fault.kind == "429" else 200))
        if fault.kind == "malformed":
            raise Cut("malformed", web.Response(text='{"ok": tru', content_type="application/json"))
        if fault.kind in ("500", "503"):
            raise Cut(fault.kind, web.Response(status=int(fault.kind), text="Server Error"))
        raise Cut(fault.kind)

    def _effect(self, request: web.Request, method: Method, arguments: Mapping[str, Any]) -> Json:
        self._authenticate(request, method, arguments)
        method.check(arguments)
        call = Call(self._world, self._links, method, arguments)
        call.need(*method.scopes.split())
        answer = method.handler(call)
        warnings = call.warnings + _charset(request)
        if warnings:
            answer["warning"] = ",".join(warnings)
            answer.setdefault("response_metadata", {})["warnings"] = warnings
        return answer

    def _authenticate(self, request: web.Request, method: Method, arguments: Mapping[str, Any]) -> None:
        if method.caller == "anyone":
            return
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ").strip() or str(arguments.get("token") or "")
        settings = self._world.settings
        tokens = {settings.bot_token: "bot", settings.app_token: "app"}
        if not token:
            raise SlackError("not_authed")
        if token not in tokens:
            raise SlackError("invalid_auth")
        if tokens[token] != method.caller:
            raise SlackError("not_allowed_token_type")


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Return the arguments of query, form or JSON body. Raises SlackError invalid_json."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | body
    if request.method == "POST" and request.can_read_body:
        known = ("application/x-www-form-urlencoded", "multipart/form-data")
        if request.content_type not in known:
            raise SlackError("invalid_form_data")
        try:
            arguments |= dict(await request.post())
        except ValueError:
            raise SlackError("invalid_form_data") from None
    return arguments


def _charset(request: web.Request) -> list[str]:
    """https://docs.slack.dev/apis/web-api#basics : JSON wants a charset."""
    if request.content_type == "application/json" and request.charset is None:
        return ["missing_charset"]
    return []


def _limited(seconds: float, status: int = 429) -> web.Response:
    headers = {"Retry-After": str(max(1, math.ceil(seconds)))}
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=status, headers=headers)


def _connection(request: web.Request) -> str:
    """Return the identity of the app's TCP connection: address and port of its end."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return f"{peer[0]}:{peer[1]}" if peer else ""
