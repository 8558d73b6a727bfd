"""Fake vendors over real HTTP, written from their documentation, and what can go wrong on the way to them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.effects import AnyEffect
from bot.domain.events import AnyEvent, Recorded
from bot.domain.incident import Incident
from bot.domain.severity import Severity
from bot.ports.delivery import Job

SECRET = "s3cret-k3y-0000000000000000000000"
AT = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)


def an_incident(**changes: Any) -> Incident:
    """Return INC-42, a SEV1 of the checkout."""
    values: dict[str, Any] = {
        "number": 42,
        "seq": 3,
        "looks": 3,
        "title": "Checkout is down",
        "severity": Severity.SEV1,
        "service": "checkout",
        "declared_at": AT,
        "declared_by": "U0000001",
        "room_name": "inc-42-checkout-is-down",
    }
    return Incident(**(values | changes))


def a_job(effect: AnyEffect, event: AnyEvent, state: Incident | None = None, *, repeat: bool = False) -> Job:
    """Return a claimed effect; `repeat`: it was attempted before."""
    return Job(
        id="42.3.0",
        effect=effect,
        token="t1",
        attempt=2 if repeat else 1,
        created_at=AT,
        first_at=AT if repeat else None,
        state=state or an_incident(),
        event=Recorded(seq=3, at=AT, actor="U0000001", event=event),
    )


@dataclass
class Trouble:
    """What happens instead of the next answer. `after`: the vendor has done it, and only then it goes wrong."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    reset: bool = False
    hang: bool = False
    after: bool = False


@dataclass
class Served:
    """When a request came in and was answered, in seconds of the loop, and with which status (0: not at all)."""

    at: float
    done_at: float = 0.0
    status: int = 0


class Vendor:
    """A server that remembers its requests. `troubles` are met one a request (None: all is well).

    `latency` is in seconds: what is asked for together has then come before the first answer.
    """

    latency = 0.0

    def __init__(self) -> None:
        self.troubles: list[Trouble | None] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.served: list[Served] = []
        self._hanging = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Meet the next trouble, or do what was asked; remember when."""
        raw = await request.read()
        body = json.loads(raw) if raw else None
        served = Served(asyncio.get_running_loop().time())
        self.served.append(served)
        self.requests.append((request.method, request.path_qs, body))
        self.headers.append(dict(request.headers))
        answer = await self._meet(request, body)
        if self.latency:
            await asyncio.sleep(self.latency)
        served.done_at, served.status = asyncio.get_running_loop().time(), answer.status
        return answer

    async def _meet(self, request: web.Request, body: Any) -> web.StreamResponse:
        trouble = self.trouble_for(request.method, body)
        if trouble is None:
            return self.do(request, body)
        if trouble.after:
            self.do(request, body)
        if trouble.hang:
            await self._hanging.wait()
        if trouble.reset:
            assert request.transport
            request.transport.abort()
        return web.Response(status=trouble.status or 200, text=trouble.body, headers=trouble.headers)

    def trouble_for(self, method: str, body: Any) -> Trouble | None:
        """Return what shall go wrong with this request."""
        return self.troubles.pop(0) if self.troubles else None

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Do what was asked."""
        raise NotImplementedError

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve on loopback; yield the base address."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")
            self._hanging.set()


class FakePagerDuty(Vendor):
    """Events API v2: alerts by dedup key. Shapes: fixtures/pagerduty/outgoing-calls.json."""

    def __init__(self, recorded: Mapping[str, Any]) -> None:
        super().__init__()
        self._answers = recorded["answers"]
        self.alerts: dict[str, list[str]] = {}

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Take an event as PagerDuty does."""
        if (request.method, request.path) != ("POST", "/v2/enqueue"):
            return web.json_response({"error": "not found"}, status=404)
        problems = self._problems(body)
        if problems:
            return web.json_response({**self._answers["400"], "errors": problems}, status=400)
        self.alerts.setdefault(body["dedup_key"], []).append(body["event_action"])
        return web.json_response({**self._answers["202"], "dedup_key": body["dedup_key"]}, status=202)

    @staticmethod
    def _problems(body: Any) -> list[str]:
        if body.get("routing_key") != SECRET:
            return [f"routing key {body.get('routing_key')} is unknown"]
        known = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
        problems = [f"{key} is not a field" for key in body if key not in known]
        if body["event_action"] == "trigger":
            payload = body.get("payload", {})
            problems += [f"{key} is missing" for key in ("summary", "source", "severity") if not payload.get(key)]
            if payload.get("severity") not in ("critical", "error", "warning", "info"):
                problems.append("severity is unknown")
            if len(payload.get("summary", "")) > 1024:
                problems.append("summary is too long")
        if len(body["dedup_key"]) > 255:
            problems.append("dedup_key is too long")
        return problems


class FakePagerDutySchedules(Vendor):
    """REST API v2, `GET /oncalls`: who is on call by which schedule. https://developer.pagerduty.com/api-reference/"""

    def __init__(self, *entries: dict[str, Any]) -> None:
        super().__init__()
        self.entries = list(entries)
        self.page = 100

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Answer as PagerDuty does, page by page."""
        if request.headers.get("Authorization") != f"Token token={SECRET}":
            return web.json_response({"error": {"message": "Unauthorized"}}, status=401)
        asked = request.query.getall("schedule_ids[]", [])
        found = [one for one in self.entries if one["schedule"]["id"] in asked]
        at = int(request.query.get("offset", "0"))
        more = at + self.page < len(found)
        return web.json_response(
            {"oncalls": found[at : at + self.page], "offset": at, "limit": self.page, "more": more}
        )


class FakePagerDutyRest(Vendor):
    """REST API v2: incidents by id. Shapes: fixtures/pagerduty/outgoing-calls.json, `rest`."""

    RANK = ("triggered", "acknowledged", "resolved")

    def __init__(self, *incidents: str) -> None:
        super().__init__()
        self.incidents = dict.fromkeys(incidents, "triggered")
        self.changes: list[tuple[str, str]] = []
        self._dropped: Trouble | None = None

    def trouble_for(self, method: str, body: Any) -> Trouble | None:
        """Drop the line twice: the first time aiohttp itself asks again, since a PUT may be repeated (RFC 9110)."""
        again, self._dropped = self._dropped, None
        trouble = again or super().trouble_for(method, body)
        if trouble and trouble.reset and not again:
            self._dropped = replace(trouble, after=False)
        return trouble

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Answer as PagerDuty does. Whoever acknowledges again starts its timer anew: that is a change."""
        head = request.headers
        if head.get("Authorization") != f"Token token={SECRET}":
            return web.json_response({"error": {"message": "unauthorized", "code": 2006}}, status=401)
        one = request.path.removeprefix("/incidents/")
        if one not in self.incidents:
            return web.json_response({"error": {"message": "Not Found", "code": 2100}}, status=404)
        if request.method == "GET":
            return web.json_response({"incident": {"id": one, "status": self.incidents[one]}})
        wish = body["incident"]
        if "@" not in head.get("From", "") or wish["type"] != "incident_reference":
            return self._invalid("Requester User Not Found")
        if self.incidents[one] == "resolved":
            return self._invalid("Incident Already Resolved")
        self.incidents[one] = wish["status"]
        self.changes.append((one, wish["status"]))
        return web.json_response({"incident": {"id": one, "status": wish["status"]}})

    @staticmethod
    def _invalid(why: str) -> web.Response:
        problem = {"message": "Invalid Input Provided", "code": 2001, "errors": [why]}
        return web.json_response({"error": problem}, status=400)


class FakeStatuspage(Vendor):
    """API v1: one page's components and incidents with their updates. Shapes: https://developer.statuspage.io/"""

    STATUSES = ("investigating", "identified", "monitoring", "resolved")
    HEALTH = ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance")

    def __init__(self) -> None:
        super().__init__()
        self.components = {"c1": {"id": "c1", "name": "Checkout"}, "c2": {"id": "c2", "name": "Search"}}
        self.incidents: dict[str, dict[str, Any]] = {}

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Answer as Statuspage does."""
        if request.headers.get("Authorization") != f"OAuth {SECRET}":
            return web.json_response({"error": "Could not authenticate"}, status=401)
        path = request.path.removeprefix("/v1/pages/p1")
        last = path.rpartition("/")[2]
        match request.method, path:
            case "GET", "/components":
                first = (int(request.query.get("page", 1)) - 1) * int(request.query.get("per_page", 100))
                listed = list(self.components.values())[first : first + int(request.query.get("per_page", 100))]
                return web.json_response(listed)
            case "GET", "/incidents/unresolved":
                return web.json_response([one for one in self.incidents.values() if one["status"] != "resolved"])
            case "GET", "/incidents":
                return web.json_response(list(reversed(self.incidents.values())))
            case "GET", _ if last in self.incidents:
                return web.json_response(self.incidents[last])
            case "POST", "/incidents":
                new = f"r{len(self.incidents) + 1}"
                made = {"id": new, "shortlink": f"https://stspg.io/{new}", "incident_updates": [], "metadata": {}}
                return self._change(made, body["incident"], 201)
            case "PATCH", _ if last in self.incidents:
                return self._change(self.incidents[last], body["incident"], 200)
        return web.json_response({"error": "Record not found"}, status=404)

    def _change(self, incident: dict[str, Any], wish: dict[str, Any], status: int) -> web.Response:
        problems = []
        if not 0 < len(wish["name"]) <= 255:
            problems.append("Name is too long (maximum is 255 characters)")
        if wish["status"] not in self.STATUSES:
            problems.append(f"{wish['status']} is not a valid status")
        problems += [f"no component {one}" for one in wish["component_ids"] if one not in self.components]
        problems += [f"no status {one}" for one in wish["components"].values() if one not in self.HEALTH]
        problems += ["metadata must hold objects" for one in wish["metadata"].values() if not isinstance(one, dict)]
        if problems:
            return web.json_response({"error": problems}, status=422)
        incident |= {key: wish[key] for key in ("name", "status", "metadata")}
        incident["components"] = wish["components"]
        incident["incident_updates"].insert(0, {"status": wish["status"], "body": wish["body"]})
        self.incidents[incident["id"]] = incident
        return web.json_response(incident, status=status)


class FakeAlertmanager(Vendor):
    """API v2: silences. Shapes: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml."""

    def __init__(self) -> None:
        super().__init__()
        self.silences: dict[str, dict[str, Any]] = {}

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Answer as Alertmanager does behind a proxy that asks for a token."""
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return web.json_response({"message": "who are you?"}, status=401)
        path = request.path.removeprefix("/api/v2")
        last = path.rpartition("/")[2]
        match request.method, path:
            case "POST", "/silences":
                return self._place(body)
            case "GET", "/silences":
                return web.json_response([one for one in self.silences.values() if self._passes(one, request)])
            case "GET", _ if last in self.silences:
                return web.json_response(self.silences[last])
            case "DELETE", _ if last in self.silences:
                self.silences[last]["status"]["state"] = "expired"
                return web.Response(status=200)
        return web.Response(status=404)

    def _place(self, body: Any) -> web.Response:
        matchers = body["matchers"]
        if not matchers or not all(set(one) == {"name", "value", "isRegex", "isEqual"} for one in matchers):
            return web.json_response("at least one matcher is needed", status=400)
        if not all(body.get(key) for key in ("startsAt", "endsAt", "createdBy", "comment")):
            return web.json_response({"code": 602, "message": "a field is required"}, status=422)
        new = f"s{len(self.silences) + 1}"
        self.silences[new] = {**body, "id": new, "status": {"state": "active"}, "updatedAt": body["startsAt"]}
        return web.json_response({"silenceID": new})

    @staticmethod
    def _passes(silence: Mapping[str, Any], request: web.Request) -> bool:
        """A filter asks for silences with that very matcher."""
        wanted = request.query.getall("filter", [])
        has = {f'{one["name"]}="{one["value"]}"' for one in silence["matchers"]}
        return all(one in has for one in wanted)
