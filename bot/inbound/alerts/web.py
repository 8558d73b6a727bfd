"""POST /webhooks/<source>: authenticate the raw bytes, parse, commit, then answer 202. Never a bare 500."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, Protocol

import pydantic_core
import structlog
from aiohttp import web

from bot.domain.alert_reports import Runbooks
from bot.domain.alerts import AlertBatch, Skipped
from bot.domain.policy import Policy
from bot.domain.refusals import Refused
from bot.domain.sender_news import SENDERS
from bot.inbound.alerts import SOURCES
from bot.inbound.alerts.alarms import Alarms
from bot.inbound.alerts.bodies import BODY_MAX, TooLarge, Unreadable, arrived, decoded, read
from bot.inbound.alerts.reading import Unusable
from bot.inbound.alerts.source import REPEATED_MAX, Doors, Source
from bot.inbound.patience import Patience, in_time
from bot.inbound.request_ids import HEADER, request_id_of
from bot.ports.observer import Observer, Unobserved
from bot.ports.store import Answer, Superseded, Unavailable
from bot.usecases.alerts import ReportBatch, joined
from bot.usecases.cases import Request
from bot.usecases.committer import Case, Submits
from bot.usecases.judging import judge_again
from bot.usecases.precedence import Precedence
from bot.usecases.sender_news import HearBatch
from bot.usecases.unusable import KeepUnusable

LARGE: Final = 64 * 1024
"""Bytes of a body that is read in a thread: everybody else would wait for it."""
IN_FLIGHT_MAX: Final = 256
"""Deliveries at once from a sender that takes a 429 as what it is: it sends again, for two days."""
ANSWER_WITHIN: Final = 3.0
"""Seconds. A silent database costs every batch its time-out, and a request waits for the batch before its own."""
log = structlog.get_logger()


class Shelf(Protocol):
    """Where the runbooks come from."""

    async def fresh(self) -> Runbooks:
        """The runbooks as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class AlertDoor:
    """What the handlers need."""

    committer: Submits
    doors: Doors
    policy: Policy
    library: Shelf
    observer: Observer = field(default_factory=Unobserved)
    installation: str = ""
    """Which Tocsin this is: what a sender opened for its pages is no alert."""
    alarms: Alarms = field(default_factory=Alarms)
    precedence: Precedence = field(default_factory=Precedence, repr=False)
    patience: Patience = field(default_factory=lambda: Patience(ANSWER_WITHIN), repr=False)
    _busy: Counter[str] = field(default_factory=Counter, repr=False)

    async def receive(self, source: Source, request: web.Request) -> web.Response:
        """Take one delivery. 202 after the commit; 401, 413, 422 or 503 with a reason."""
        return await self.answer(source, request, partial(self._report, source, request))

    async def answer(self, source: Source, request: web.Request, what: "Answering") -> web.Response:
        """Let the sender in, and answer with `what` the raw body and the request id come to; else 401, 413 or 503."""
        started, request_id = time.perf_counter(), request_id_of(request)
        self._busy[source.name] += 1
        try:
            raw = await self._let_in(source, request, request_id)
            told = raw if isinstance(raw, Told) else await what(raw, request_id)
        finally:
            self._busy[source.name] -= 1
        self.observer.received(source.name, told.outcome, time.perf_counter() - started)
        return told.response

    async def _let_in(self, source: Source, request: web.Request, request_id: str) -> "bytes | Told":
        if source.lenient and self._busy[source.name] > IN_FLIGHT_MAX:
            return error(429, "busy", "Too many deliveries at once; send it again.", request_id)
        raw = b""
        try:
            raw = arrived(request) or await in_time(read(request))
            body = decoded(raw, request.headers.get("Content-Encoding", ""))
        except web.HTTPRequestTimeout:
            if source.lenient:
                return error(503, "not_arrived", "The body did not arrive in time; send it again.", request_id)
            raise
        except web.RequestPayloadError:
            if source.lenient:  # what cannot be read cannot have been signed
                return await self._denied(source, request_id)
            return error(422, "unusable", "The body cannot be read: its encoding is broken.", request_id)
        except Unreadable as exc:
            return await self._unreadable(source, request, raw, str(exc), request_id)
        except TooLarge:
            if source.lenient:
                self.observer.oddity(source.name, "too_large")
                log.error("webhook_too_large", source=source.name, limit=BODY_MAX)
                return ignored(f"the body is larger than {BODY_MAX} bytes", request_id)
            return error(413, "too_large", f"The body is larger than {BODY_MAX} bytes; set max_alerts.", request_id)
        access = source.access(body, request.headers, self.doors)
        if access == "denied" and body is not raw:
            access = source.access(raw, request.headers, self.doors)  # signed as it was sent
        if access == "closed":
            return error(503, "not_configured", f"Nobody can be let in: {source.setting} is not set.", request_id)
        return await self._denied(source, request_id) if access == "denied" else body

    async def _unreadable(
        self, source: Source, request: web.Request, raw: bytes, reason: str, request_id: str
    ) -> "Told":
        """A sender that drops its feed over a refusal is asked again, unless it signed these very bytes."""
        log.warning("webhook_unusable", source=source.name, reason=reason, size=len(raw))
        if not source.lenient:
            return error(422, "unusable", f"The body cannot be read: {reason}.", request_id)
        if source.access(raw, request.headers, self.doors) == "granted":
            self.observer.oddity(source.name, "unusable")
            kept = await self._submit(source, KeepUnusable(source.name, reason, raw), request_id)
            return kept if isinstance(kept, Told) else ignored(reason, request_id)
        return error(503, "unreadable", f"The body cannot be read: {reason}; send it again.", request_id)

    async def _denied(self, source: Source, request_id: str) -> "Told":
        """Refuse it, and say so where it is read: a sender that is refused thrice stops sending."""
        log.error("webhook_refused", source=source.name, mend=f"compare {source.setting} with the sender's secret")
        self.observer.oddity(source.name, "signature")
        if source.lenient:
            fields = {"sender": SENDERS.get(source.name, source.name), "setting": source.setting}
            await self._sound(f"signature/{source.name}", "signature_refused", fields)
        return error(401, "unauthorized", f"The credentials do not match {source.setting}.", request_id)

    async def _sound(self, topic: str, template: str, fields: Mapping[str, str]) -> None:
        await self.alarms.sound(self.committer, self.policy.channels.house, topic, template, **fields)

    async def _report(self, source: Source, request: web.Request, raw: bytes, request_id: str) -> "Told":
        try:
            if len(raw) < LARGE:
                batch = source.parse(raw, request.headers)
            else:
                batch = await asyncio.to_thread(source.parse, raw, request.headers)
        except Unusable as exc:
            log.warning("webhook_unusable", source=source.name, reason=str(exc), size=len(raw))
            if not source.lenient:
                return error(422, "unusable", f"Not usable: {exc}.", request_id)
            self.observer.oddity(source.name, "unusable")
            kept = await self._submit(source, KeepUnusable(source.name, str(exc), raw), request_id)
            return kept if isinstance(kept, Told) else ignored(str(exc), request_id)
        return await self._commit(source, request, raw, batch, request_id)

    async def _commit(
        self, source: Source, request: web.Request, raw: bytes, batch: AlertBatch, request_id: str
    ) -> "Told":
        for skipped in batch.skipped:
            log.warning("alert_skipped", source=source.name, fingerprint=skipped.fingerprint, reason=skipped.reason)
        if batch.legacy:
            self.observer.oddity(source.name, "legacy")
            fields = {"sender": SENDERS.get(source.name, source.name), "setting": source.setting}
            await self._sound(f"legacy/{source.name}", "legacy_webhook", {**fields, "version": batch.legacy})
        if batch.unknown:
            self.observer.oddity(source.name, "unknown")
        if not batch.alerts and not batch.news and batch.skipped:
            return ignored(batch.skipped[0].reason, request_id, batch.skipped)
        asked = Request(
            actor=f"alert:{source.name}",
            command_id=source.delivery_id(raw, request.headers),
            request_id=request_id,
            surface="webhook",
        )
        runbooks = await self.library.fresh()
        if len(raw) <= REPEATED_MAX:
            report = ReportBatch(asked, batch, self.policy, runbooks, judged=judge_again(batch, self.policy))
        elif len(raw) < LARGE:
            report = ReportBatch(asked, batch, self.policy, runbooks)
        else:
            report = await asyncio.to_thread(ReportBatch, asked, batch, self.policy, runbooks)
        cases: Sequence[Case] = [HearBatch.of(report, self.installation)] if batch.news else report.parts()
        if len(cases) == 1:
            answer = await self._submit(source, cases[0], request_id)
            return answer if isinstance(answer, Told) else _answer(answer.fields, request_id)
        answers = await asyncio.gather(*(self._submit(source, case, request_id) for case in cases))
        refused = next((one for one in answers if isinstance(one, Told)), None)
        return refused or _answer(joined([one for one in answers if isinstance(one, Answer)]).fields, request_id)

    async def _submit(self, source: Source, case: Case, request_id: str) -> "Answer | Told":
        try:
            with self.precedence:
                return await self.patience.of(self.committer.submit(case))
        except TimeoutError:
            log.error("webhook_not_confirmed", source=source.name, mend="see /health/database")
            return error(503, "not_confirmed", "Not confirmed in time; send it again.", request_id)
        except Unavailable as exc:
            log.error("webhook_not_saved", source=source.name, error=str(exc))
            return error(503, "not_saved", "Not saved; send it again.", request_id)
        except (Refused, Superseded) as exc:
            # A case of alerts refuses nothing; should one ever, the sender must not drop the alert over it.
            log.error("webhook_refused_inside", source=source.name, error=str(exc))
            return error(503, "not_saved", "Not saved; send it again.", request_id)


def add_routes(app: web.Application, door: AlertDoor) -> None:
    """Mount the exact path of every source (a redirect would make Alertmanager lose the body)."""
    for source in SOURCES.values():
        app.router.add_post(f"/webhooks/{source.name}", _handler(door, source))


def _handler(door: AlertDoor, source: Source) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await door.receive(source, request)

    return handle


def ignored(reason: str, request_id: str, skipped: Sequence[Skipped] = ()) -> "Told":
    """Return 202: taken, and nothing came of it."""
    results = [
        {"fingerprint": one.fingerprint, "outcome": "ignored", "incident": None, "reason": one.reason}
        for one in skipped or (Skipped(reason=reason),)
    ]
    return _answer({"outcome": "ignored", "incident": None, "reason": reason, "results": results}, request_id)


class Told(NamedTuple):
    """An answer. `outcome` is for metrics."""

    outcome: str
    response: web.Response


Answering = Callable[[bytes, str], Awaitable[Told]]
"""Raw body and request id in, answer out."""


_JSON: Final = "application/json; charset=utf-8"
_OUTCOMES: Final = {
    401: "unauthorized",
    404: "invalid",
    413: "invalid",
    422: "invalid",
    429: "busy",
    503: "unavailable",
}


def _answer(fields: Mapping[str, object], request_id: str) -> Told:
    body = pydantic_core.to_json(fields)  # several times as fast as json, and answers may be long
    response = web.Response(body=body, status=202, headers={"Content-Type": _JSON, HEADER: request_id})
    return Told(str(fields["outcome"]), response)


def error(status: int, code: str, message: str, request_id: str) -> Told:
    """Return a refusal, in words."""
    body = {"error": code, "message": message, "request_id": request_id}
    headers = {HEADER: request_id}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tocsin"'
    if status == 429:
        headers["Retry-After"] = "1"
    return Told(_OUTCOMES[status], web.json_response(body, status=status, headers=headers))
