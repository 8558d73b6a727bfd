"""PagerDuty's door: what must never be refused, what is kept, and who hears of a wrong secret."""

import asyncio
import base64
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.domain.policy import Channels, Policy
from bot.inbound.alerts import web as door_web
from bot.inbound.alerts.alarms import Alarms
from bot.inbound.alerts.bodies import BODY_MAX
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor, add_routes
from bot.ports.store import Answer
from bot.usecases.committer import Case
from tests.support.alerts import signed
from tests.support.doors import Down, Shelves
from tests.support.ears import Ears
from tests.support.ledger import Ledger

SECRET = "new-secret"
NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


class Site:
    """A door, who heard of what, and a clock."""

    def __init__(self, committer: Any = None, policy: Policy | None = None) -> None:
        self.ledger = Ledger()
        self.ears = Ears()
        self.clock = Clock()
        doors = Doors.of(pagerduty_secrets=[SECRET, "old-secret"])
        self.door = AlertDoor(
            committer or self.ledger, doors, policy or Policy(), Shelves(), self.ears, "acme", Alarms(self.clock)
        )

    async def post(self, raw: bytes, headers: Any) -> tuple[int, dict[str, Any]]:
        app = web.Application()
        add_routes(app, self.door)
        async with (
            TestClient(TestServer(app)) as client,
            client.post("/webhooks/pagerduty", data=io.BytesIO(raw), headers=headers) as answer,
        ):
            return answer.status, json.loads(await answer.text())


def event(**data: Any) -> bytes:
    body = {"id": "Q1", "type": "incident", "status": "triggered", "title": "Down", "urgency": "high", **data}
    return json.dumps({"event": {"id": "E1", "event_type": "incident.triggered", "data": body}}).encode()


async def test_the_first_wrong_signature_is_an_error_a_count_and_a_message_to_those_who_run_it() -> None:
    site = Site(policy=Policy(channels=Channels(admin="ops")))
    status, told = await site.post(event(), signed(event(), "guessed"))
    assert (status, told["error"]) == (401, "unauthorized")
    assert site.ears.of("oddity") == [("pagerduty", "signature")]
    (said,) = site.ledger.all
    (notice, _), (effect,) = said.notices[0], said.effects
    assert (notice.channel, notice.template) == ("ops", "signature_refused")
    assert notice.fields == {"sender": "PagerDuty", "setting": "TOCSIN_PAGERDUTY_WEBHOOK_SECRETS"}
    assert (effect.incident, effect.effect.kind, effect.lane) == (0, "post_notice", "channel:ops")


async def test_it_is_said_once_an_hour_also_by_another_replica() -> None:
    first = Site()
    said = first.ledger.loaded.notices

    def replica(minutes: int) -> Site:
        """One that was started so many minutes after the first alarm, and has said nothing yet."""
        other = Site()
        other.ledger.loaded = first.ledger.loaded
        other.clock.now = NOW + timedelta(minutes=minutes)
        other.ledger.now = first.ledger.now + timedelta(minutes=minutes)
        return other

    for site in (first, first, replica(0), replica(45)):  # the last: in another hour of the clock, but not an hour on
        await site.post(event(), signed(event(), "guessed"))
        assert len(said) == 1
    await replica(65).post(event(), signed(event(), "guessed"))
    assert len(said) == 2


async def test_without_a_channel_of_its_own_the_house_speaks_where_incidents_are_announced() -> None:
    site = Site()
    await site.post(event(), signed(event(), "guessed"))
    assert site.ledger.all[0].notices[0][0].channel == "incidents"
    quiet = Site(policy=Policy(channels=Channels(announce=None)))
    assert (await quiet.post(event(), signed(event(), "guessed")))[0] == 401
    assert quiet.ledger.all == []


async def test_an_alarm_that_cannot_be_saved_does_not_change_the_answer() -> None:
    assert (await Site(Down()).post(event(), signed(event(), "guessed")))[0] == 401


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"event":null}', b"\xff\xfe", b"[" * 50_000])
async def test_what_is_signed_and_means_nothing_is_taken_kept_and_counted(raw: bytes) -> None:
    site = Site()
    status, told = await site.post(raw, signed(raw, SECRET))
    assert (status, told["outcome"]) == (202, "ignored")
    assert told["reason"]
    (kept,) = site.ledger.all[0].unusable
    assert (kept.source, base64.b64decode(kept.body), kept.size) == ("pagerduty", raw, len(raw))
    assert site.ears.of("oddity") == [("pagerduty", "unusable")]


async def test_what_cannot_be_kept_is_asked_for_again() -> None:
    assert (await Site(Down()).post(b"{", signed(b"{", SECRET)))[0] == 503


async def test_an_event_of_a_kind_that_nobody_knows_is_taken_and_counted() -> None:
    site = Site()
    raw = b'{"event": {"id": "E1", "event_type": "incident.sentiment.recalculated", "data": {}}}'
    status, told = await site.post(raw, signed(raw, SECRET))
    assert (status, told["outcome"]) == (202, "ignored")
    assert "incident.sentiment.recalculated" in told["reason"]
    assert site.ears.of("oddity") == [("pagerduty", "unknown")]


async def test_what_is_larger_than_pagerduty_ever_sends_is_no_reason_for_a_four_hundred() -> None:
    site = Site()
    large = b" " * (BODY_MAX + 1)
    status, told = await site.post(large, signed(large, SECRET))
    assert (status, told["outcome"]) == (202, "ignored")


async def test_more_than_can_be_borne_at_once_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_web, "IN_FLIGHT_MAX", 2)
    arrived, go = asyncio.Semaphore(0), asyncio.Event()

    class Slow(Ledger):
        async def submit(self, case: Case) -> Answer:
            arrived.release()
            await go.wait()
            return self.run(case)

    site = Site(Slow())
    first = [asyncio.create_task(site.post(event(), signed(event(), SECRET))) for _ in range(2)]
    for _ in first:
        await arrived.acquire()
    status, told = await site.post(event(), signed(event(), SECRET))
    assert (status, told["error"]) == (429, "busy")
    go.set()
    assert [one[0] for one in await asyncio.gather(*first)] == [202, 202]
    assert (await site.post(event(), signed(event(), SECRET)))[0] == 202
