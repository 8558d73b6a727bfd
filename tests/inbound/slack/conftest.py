"""Slack's door over HTTP, on an in-memory store, with a Slack that only notes what it is asked."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.policy import Policy
from bot.inbound.slack import SlackDoor, Tasks, build_slack, web_client
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from tests.support.desks import Office, open_office
from tests.support.ears import Ears

SECRET = "a-signing-secret-of-the-tests"
ROOM = "C0INCIDENT1"
ALICE, BOB = "U0ALICE0001", "U0BOB000002"


@dataclass
class FakeSlack:
    """Notes Web API calls and what arrives at response URLs. `errors` maps a method to the error it answers."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any] | web.Response]] = field(
        default_factory=dict
    )
    """Method → what it answers, or who finds the answer to the arguments."""
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/respond", self._respond)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else dict(await request.post())
        self.calls.append((method, body))
        self.called.set()
        if method in self.errors:
            return web.json_response({"ok": False, "error": self.errors[method]})
        answer = self.answers.get(method, {})
        found = answer(body) if callable(answer) else answer
        return found if isinstance(found, web.Response) else web.json_response({"ok": True, **found})

    async def _respond(self, request: web.Request) -> web.Response:
        self.told.append(await request.json())
        return web.Response(text="ok")

    def view(self) -> dict[str, Any]:
        """The last form that was opened or replaced."""
        return next(body["view"] for method, body in reversed(self.calls) if method.startswith("views."))


@dataclass
class Workspace:
    """A person's Slack: what they type and click arrives signed at the door."""

    office: Office
    slack: FakeSlack
    door: SlackDoor
    tasks: Tasks
    http: aiohttp.ClientSession
    url: str
    response_url: str
    ears: Ears
    triggers: int = 0

    async def post(self, body: str | bytes, kind: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Deliver `body` signed now; `headers` replace any of ours. Waits for what goes on after the answer."""
        raw = body.encode() if isinstance(body, str) else body
        stamp = str(int(time.time()))
        signature = "v0=" + hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        signed = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        async with self.http.post(self.url, data=raw, headers={**signed, **(headers or {})}) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json" and text
            return answer.status, json.loads(text) if is_json else text

    async def settle(self) -> None:
        """Wait until everything that goes on after an answer is done."""
        await self.tasks.finish()

    async def type(self, text: str, *, user: str = ALICE, channel: str = ROOM, trigger: str = "") -> str:
        """Type `/incident text`. Returns the words of the answer."""
        form = {
            "command": "/incident", "text": text, "user_id": user, "channel_id": channel, "team_id": "T1",
            "trigger_id": trigger or self._trigger(), "response_url": self.response_url,
        }  # fmt: skip
        status, answer = await self.post(urlencode(form), "application/x-www-form-urlencoded")
        assert status == 200
        return str(answer["text"]) if isinstance(answer, dict) else str(answer)

    async def click(
        self, action_id: str, value: str = "", *, user: str = ALICE, view: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """Use a control on a message in the incident's channel, or in a `view`; wait for what is said about it."""
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value, **more}
        message = {
            "channel": {"id": ROOM}, "container": {"type": "message", "channel_id": ROOM},
            "response_url": self.response_url,
        }  # fmt: skip
        place = {"container": {"type": "view", "view_id": "V1"}, "view": view | {"id": "V1"}} if view else message
        payload = {
            "type": "block_actions", "user": {"id": user}, "team": {"id": "T1"}, "trigger_id": self._trigger(),
            "actions": [action], **place,
        }  # fmt: skip
        status, answer = await self.interact(payload)
        assert (status, answer) == (200, "")
        await self.settle()

    async def choose(self, action_id: str, value: str) -> None:
        """Choose from a menu."""
        await self.click(action_id, type="static_select", selected_option={"value": value})

    async def submit(self, callback_id: str, values: dict[str, Any], incident: int | None = None, **about: Any) -> Any:
        """Submit a form, of which `about` says more. Returns the answer: empty when it closes."""
        view = {
            "id": f"V{self._trigger()}", "hash": "h1", "type": "modal", "callback_id": callback_id, "blocks": [],
            "private_metadata": json.dumps({"incident": incident, "channel": ROOM} if incident else {}),
            "state": {"values": {name: {"v": _element(value)} for name, value in values.items()}}, **about,
        }  # fmt: skip
        payload = {"type": "view_submission", "user": {"id": ALICE}, "team": {"id": "T1"}, "view": view}
        status, answer = await self.interact(payload)
        assert status == 200
        return answer

    async def interact(self, payload: dict[str, Any]) -> tuple[int, Any]:
        return await self.post(urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded")

    async def event(self, event: dict[str, Any], event_id: str = "") -> int:
        """Deliver an event. Returns the status."""
        body = {
            "type": "event_callback", "team_id": "T1", "api_app_id": "A0FIXTURE1", "event": event,
            "event_id": event_id or f"Ev{self._trigger()}",
            "authorizations": [{"team_id": "T1", "user_id": "U0INCBOT001", "is_bot": True}],
        }  # fmt: skip
        status, _ = await self.post(json.dumps(body), "application/json")
        return status

    def _trigger(self) -> str:
        self.triggers += 1
        return f"T{self.triggers}"


def _element(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"type": "checkboxes", "selected_options": [{"value": one} for one in value]}
    return {"type": "plain_text_input", "value": value}


def buttons(view: dict[str, Any]) -> dict[str, str]:
    """Action id → value of the buttons in a window or a message."""
    found = [x for block in view["blocks"] for x in [*block.get("elements", ()), block.get("accessory") or {}]]
    return {one["action_id"]: one["value"] for one in found if one.get("type") == "button"}


@pytest.fixture
def policy() -> Policy | None:
    """The policy of the office; None: two services and nothing else."""
    return None


@pytest.fixture
async def workspace(slack: FakeSlack, policy: Policy | None) -> AsyncIterator[Workspace]:
    """INC-1 is open, in C0INCIDENT1, declared by Alice."""
    texts = Texts(Path(__file__).resolve().parents[3] / "templates")
    async with open_office(policy) as office, aiohttp.ClientSession() as http, TestServer(slack.app()) as vendor:
        tasks, ears = Tasks(), Ears()
        door = build_slack(
            bot_token="xoxb-of-the-tests",
            signing_secret=SECRET,
            client=web_client("xoxb-of-the-tests", http, str(vendor.make_url("/api/"))),
            http=http,
            desk=office.desk,
            reader=office.reader,
            refills=office.reader,
            committer=office.committer,
            texts=texts,
            renderer=Renderer(Surroundings(texts, office.policy, Links("http://tocsin.test"))),
            tasks=tasks,
            patience=0.2,
            observer=ears,
        )
        app = web.Application()
        assert door.http_handler is not None
        app.router.add_post("/slack/events", door.http_handler)
        async with door, TestServer(app) as server:
            url, respond = str(server.make_url("/slack/events")), str(vendor.make_url("/respond"))
            await office.incident(ROOM)
            yield Workspace(office, slack, door, tasks, http, url, respond, ears)


@pytest.fixture
def slack() -> FakeSlack:
    return FakeSlack()
