"""The webhook doors over a real database: what a sender posts, and what is on record afterwards."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.domain.commands import Command
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.questions import question_id
from bot.domain.runbook_match import Shelf
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor, add_routes
from bot.storage.database import Database, open_database
from bot.usecases.cases import Act, Request
from bot.usecases.committer import Committer
from bot.usecases.triaging import AnswerQuestion
from tests.support.alerts import body, signed
from tests.support.doors import Client, Shelves
from tests.support.ears import Ears
from tests.support.pagerduty import PERSON, event_body

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOKEN, SECRET = "token-one", "new-secret"


class DoorHouse:
    """Senders on one side, a database on the other."""

    def __init__(self, database: Database, policy: Policy) -> None:
        self.database = database
        self.policy = policy
        self.ears = Ears()
        self.now = NOW
        self.committer = Committer(database, lambda: self.now)
        self._client: Client
        self._events = 0

    async def open(self) -> None:
        """Serve."""
        doors = Doors.of(alertmanager_tokens=[TOKEN], pagerduty_secrets=[SECRET])
        app = web.Application()
        add_routes(app, AlertDoor(self.committer, doors, self.policy, Shelves(), self.ears, "acme"))
        self._client = TestClient(TestServer(app))
        await self._client.start_server()

    async def close(self) -> None:
        """Stop serving."""
        await self._client.close()

    def after(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    async def post(self, source: str, raw: bytes, headers: Any) -> tuple[int, dict[str, Any]]:
        """Post a body; return the status and the answer."""
        async with self._client.post(f"/webhooks/{source}", data=io.BytesIO(raw), headers=headers) as answer:
            return answer.status, json.loads(await answer.text())

    async def alertmanager(self, *alerts: dict[str, Any], **top: Any) -> dict[str, Any]:
        """Post a delivery of Alertmanager's; return the answer."""
        status, told = await self.post("alertmanager", body(*alerts, **top), {"Authorization": f"Bearer {TOKEN}"})
        assert status == 202, told
        return told

    async def pagerduty(self, kind: str, data: Any, at: str, agent: Any = PERSON) -> dict[str, Any]:
        """Post a signed event of PagerDuty's that occurred `at` (12:00:07); return the answer."""
        self._events += 1
        raw = event_body(f"E{self._events}", kind, data, f"2026-11-22T{at}Z", agent)
        status, told = await self.post("pagerduty", raw, signed(raw, SECRET))
        assert status == 202, told
        return told

    async def act(self, number: int, command: Command) -> None:
        """Let a person do something to an incident."""
        await self.committer.submit(Act(Request("U0001"), number, command, self.policy))

    async def declare(self, *group: tuple[str, str]) -> None:
        """Press *Declare* under the first question about the alerts of this group."""
        question = question_id(json.dumps(["labels", *group]), 1)
        asked = AnswerQuestion(Request("U0001"), question, "declare", "C1", self.policy, Shelf())
        await self.committer.submit(asked)

    async def state(self, number: int) -> Incident:
        """Return an incident as it is on record."""
        return next(one for one in await self.database.incidents() if one.number == number)

    async def log(self, number: int) -> list[Recorded]:
        """Return its control events."""
        return list(await self.database.events(number))


@asynccontextmanager
async def door_house(url: str, policy: Policy | None = None) -> AsyncIterator[DoorHouse]:
    """Serve the doors over the database at `url`."""
    async with open_database(url) as database:
        house = DoorHouse(database, policy or Policy())
        async with house.committer:
            await house.open()
            try:
                yield house
            finally:
                await house.close()
