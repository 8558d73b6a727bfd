"""Floods of alerts on both databases: accepted and folded, in parts of which each is committed in time."""

import asyncio
import io
import json
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.domain.alerts import AlertBatch
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor, add_routes
from bot.inbound.patience import Patience
from bot.ports.store import Answer
from bot.storage.database import open_database
from bot.storage.locks import EACH_MAX, LockClass, class_key, lock_key, plan
from bot.usecases.alerts import PART_ALERTS, PART_GROUPS, ReportBatch, joined
from bot.usecases.cases import Request
from bot.usecases.committer import Committer
from tests.support.alerts import alert, body, wire
from tests.support.doors import Shelves

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LARGE = 9000
"""More alerts than the PostgreSQL of these tests has room for locks: 64 for each of its 60 connections."""


def report(*services: str, command_id: str = "") -> ReportBatch:
    """A delivery with an alert of each of these services."""
    alerts = tuple(alert(f"f{n:05}", service=one, severity="critical") for n, one in enumerate(services))
    return ReportBatch(
        Request("alert:alertmanager", command_id), AlertBatch(source="alertmanager", alerts=alerts), Policy(), Shelf()
    )


async def test_a_delivery_of_nine_thousand_alerts_is_taken_and_taken_again(database_url: str) -> None:
    """One incident, every alert on record; sent once more it changes nothing."""
    raw = body(*(wire(f"f{n:05}", severity="critical", service=f"svc-{n % 3}") for n in range(LARGE)))
    async with open_database(database_url) as database, Committer(database, lambda: NOW) as committer:
        app = web.Application()
        unhurried = Patience(30.0)  # a sender would send it again; here it is about room, not about time
        doors = Doors.of(alertmanager_insecure=True)
        add_routes(app, AlertDoor(committer, doors, Policy(), Shelves(), patience=unhurried))
        async with TestClient(TestServer(app)) as client:
            outcomes = []
            for _ in range(2):
                answer = await client.post("/webhooks/alertmanager", data=io.BytesIO(raw))
                assert answer.status == 202
                told = json.loads(await answer.text())
                assert [one["fingerprint"] for one in told["results"]] == [f"f{n:05}" for n in range(LARGE)]
                outcomes.append(told["outcome"])
        assert outcomes == ["opened", "unchanged"]
        assert [state.alerts_firing for state in await database.incidents()] == [LARGE // 3] * 3
        assert await database.verify() == []


async def test_many_large_deliveries_at_once_are_all_taken(database_url: str) -> None:
    """They would not fit into one transaction together."""
    async with open_database(database_url) as database, Committer(database, lambda: NOW) as committer:
        alerts = [alert(f"f{n:05}", service="checkout", severity="critical") for n in range(LARGE)]
        cases = [
            ReportBatch(
                Request("alert:alertmanager"),
                AlertBatch(source="alertmanager", alerts=tuple(alerts[first : first + 300])),
                Policy(),
                Shelf(),
            )
            for first in range(0, LARGE, 300)
        ]
        answers = await asyncio.gather(*(committer.submit(case) for case in cases))
        assert sorted(one.fields["outcome"] for one in answers) == [*["attached"] * (len(cases) - 1), "opened"]
        assert [state.alerts_firing for state in await database.incidents()] == [LARGE]


def test_a_delivery_is_parted_by_alerts_and_by_outages_and_loses_none() -> None:
    """In order; an ordinary one stays whole."""
    assert len(report(*["checkout"] * PART_ALERTS).parts()) == 1
    assert [len(one.batch.alerts) for one in report(*["checkout"] * (PART_ALERTS + 1)).parts()] == [PART_ALERTS, 1]
    several = report(*(f"svc-{n}" for n in range(PART_GROUPS * 2 + 1)), command_id="delivery-1")
    parts = several.parts()
    assert [len(one.batch.alerts) for one in parts] == [PART_GROUPS, PART_GROUPS, 1]
    assert tuple(one for part in parts for one in part.batch.alerts) == several.batch.alerts
    assert len({part.command_id for part in parts}) == 3, "each part is remembered as itself"
    assert [part.command_id for part in several.parts()] == [part.command_id for part in parts]


def test_the_answer_to_a_parted_delivery_is_the_strongest_with_all_results() -> None:
    def answer(outcome: str, number: int) -> Answer:
        result = {"fingerprint": f"f{number}", "outcome": outcome, "incident": f"INC-{number}", "reason": outcome}
        fields = {"outcome": outcome, "incident": f"INC-{number}", "reason": outcome, "results": [result]}
        return Answer(kind="alerts", incident=number, fields=fields)

    told = joined([answer("unchanged", 1), answer("opened", 2), answer("attached", 3)])
    assert (told.incident, told.fields["outcome"], told.fields["reason"]) == (2, "opened", "opened")
    assert [one["fingerprint"] for one in told.fields["results"]] == ["f1", "f2", "f3"]


def test_whoever_needs_very_many_locks_takes_the_class_alone() -> None:
    """A few: each for itself, and the class shared with others who take a few. In one order for everybody."""
    few = plan([(LockClass.FINGERPRINT, "b"), (LockClass.GROUP, "g"), (LockClass.FINGERPRINT, "a")])
    names = sorted(lock_key(LockClass.FINGERPRINT, name) for name in "ab")
    assert list(few.items()) == [
        (class_key(LockClass.GROUP), True),
        (lock_key(LockClass.GROUP, "g"), False),
        (class_key(LockClass.FINGERPRINT), True),
        *((name, False) for name in names),
    ]
    assert list(few) == sorted(few)
    many = plan([(LockClass.FINGERPRINT, n) for n in range(EACH_MAX + 1)])
    assert many == {class_key(LockClass.FINGERPRINT): False}
    assert plan([]) == {}
