"""POST /webhooks/<source>: authenticate the raw bytes, parse, commit, then answer 202. Never a bare 500."""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, ParamSpec, Protocol, TypeVar

import pydantic_core
import structlog
from aiohttp import web

from bot.domain.alert_reports import Runbooks
from bot.domain.alerts import AlertBatch
from bot.domain.policy import Policy
from bot.domain.refusals import Refused
from bot.inbound.alerts import SOURCES
from bot.inbound.alerts.reading import Unusable
from bot.inbound.alerts.source import Doors, Source
from bot.inbound.patience import in_time
from bot.ports.observer import Observer, Unobserved
from bot.ports.store import Answer, Superseded, Unavailable
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.committer import Case

BODY_MAX: Final = 8 * 1024 * 1024
"""Bytes of one delivery. Alertmanager has no limit of its own; 5 MB must pass (INTEGRATIONS, section 1)."""
LARGE: Final = 64 * 1024
ANSWER_WITHIN: Final = 3.0
"""Seconds. A silent database costs every batch its time-out, and a request waits for the batch before its own."""
P = ParamSpec("P")
T = TypeVar("T")
REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")
log = structlog.get_logger()


class Submit(Protocol):
    """The committer, as this door uses it."""

    async def submit(self, case: Case) -> Answer: ...


class Shelf(Protocol):
    """Where the runbooks come from."""

    async def fresh(self) -> Runbooks:
        """The runbooks as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class AlertDoor:
    """What the handlers need."""

    committer: Submit
    doors: Doors
    policy: Policy
    library: Shelf
    observer: Observer = field(default_factory=Unobserved)

    async def receive(self, source: Source, request: web.Request) -> web.Response:
        """Take one delivery. 202 after the commit; 401, 413, 422 or 503 with a reason."""
        started = time.perf_counter()
        told = await self._receive(source, request, _request_id(request))
        self.observer.received(source.name, told.outcome, time.perf_counter() - started)
        return told.response

    async def _receive(self, source: Source, request: web.Request, request_id: str) -> "_Told":
        try:
            raw = await in_time(_body(request))
        except web.RequestPayloadError:
            return _error(422, "unusable", "The body cannot be read: its encoding is broken.", request_id)
        except _TooLarge:
            return _error(413, "too_large", f"The body is larger than {BODY_MAX} bytes; set max_alerts.", request_id)
        access = source.access(raw, request.headers, self.doors)
        if access == "closed":
            return _error(503, "not_configured", f"Nobody can be let in: {source.setting} is not set.", request_id)
        if access == "denied":
            log.error("webhook_refused", source=source.name, mend=f"compare {source.setting} with the sender's secret")
            return _error(401, "unauthorized", f"The credentials do not match {source.setting}.", request_id)
        try:
            batch = await _off_loop(len(raw), source.parse, raw, request.headers)
        except Unusable as exc:
            log.warning("webhook_unusable", source=source.name, reason=str(exc), size=len(raw))
            if not source.lenient:
                return _error(422, "unusable", f"Not usable: {exc}.", request_id)
            return _answer(_ignored(str(exc)), request_id)
        return await self._commit(source, request, raw, batch, request_id)

    async def _commit(
        self, source: Source, request: web.Request, raw: bytes, batch: AlertBatch, request_id: str
    ) -> "_Told":
        for skipped in batch.skipped:
            log.warning("alert_skipped", source=source.name, fingerprint=skipped.fingerprint, reason=skipped.reason)
        if not batch.alerts and batch.skipped:
            return _answer(_ignored(batch.skipped[0].reason, batch.skipped[0].fingerprint), request_id)
        asked = Request(
            actor=f"alert:{source.name}",
            command_id=source.delivery_id(raw, request.headers),
            request_id=request_id,
            surface="webhook",
        )
        runbooks = await self.library.fresh()
        case = await _off_loop(len(raw), ReportBatch, asked, batch, self.policy, runbooks)
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await self.committer.submit(case)
        except TimeoutError:
            log.error("webhook_not_confirmed", source=source.name, mend="see /health/database")
            return _error(503, "not_confirmed", "Not confirmed in time; send it again.", request_id)
        except Unavailable as exc:
            log.error("webhook_not_saved", source=source.name, error=str(exc))
            return _error(503, "not_saved", "Not saved; send it again.", request_id)
        except (Refused, Superseded) as exc:
            # A case of alerts refuses nothing; should one ever, the sender must not drop the alert over it.
            log.error("webhook_refused_inside", source=source.name, error=str(exc))
            return _error(503, "not_saved", "Not saved; send it again.", request_id)
        return _answer(answer.fields, request_id)


def add_routes(app: web.Application, door: AlertDoor) -> None:
    """Mount the exact path of every source (a redirect would make Alertmanager lose the body)."""
    for source in SOURCES.values():
        app.router.add_post(f"/webhooks/{source.name}", _handler(door, source))


def _handler(door: AlertDoor, source: Source) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await door.receive(source, request)

    return handle


async def _off_loop(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work`, in a thread if the body is so large that everybody else would wait for it."""
    return work(*args, **kwargs) if size < LARGE else await asyncio.to_thread(work, *args, **kwargs)


class _TooLarge(Exception):
    pass


async def _body(request: web.Request) -> bytes:
    """The raw bytes, whatever `client_max_size` the application has for its other paths."""
    if (request.content_length or 0) > BODY_MAX:
        raise _TooLarge
    read = bytearray()
    async for chunk in request.content.iter_any():
        read += chunk
        if len(read) > BODY_MAX:
            raise _TooLarge
    return bytes(read)


def _request_id(request: web.Request) -> str:
    known = request.get("request_id")
    given = known if isinstance(known, str) else request.headers.get(REQUEST_ID, "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(10)


def _ignored(reason: str, fingerprint: str = "") -> dict[str, object]:
    result = {"fingerprint": fingerprint, "outcome": "ignored", "incident": None, "reason": reason}
    return {"outcome": "ignored", "incident": None, "reason": reason, "results": [result]}


class _Told(NamedTuple):
    """`outcome` is for metrics."""

    outcome: str
    response: web.Response


_OUTCOMES: Final = {401: "unauthorized", 413: "invalid", 422: "invalid", 503: "unavailable"}


def _answer(fields: Mapping[str, object], request_id: str) -> _Told:
    body = pydantic_core.to_json(fields)  # several times as fast as json, and answers may be long
    response = web.Response(
        body=body, status=202, headers={REQUEST_ID: request_id}, content_type="application/json", charset="utf-8"
    )
    return _Told(str(fields["outcome"]), response)


def _error(status: int, code: str, message: str, request_id: str) -> _Told:
    body = {"error": code, "message": message, "request_id": request_id}
    headers = {REQUEST_ID: request_id}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tocsin"'
    return _Told(_OUTCOMES[status], web.json_response(body, status=status, headers=headers))
