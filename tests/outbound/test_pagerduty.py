"""What PagerDuty gets to see."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.effects import PagePager, QuietPager
from bot.domain.events import Acknowledged, PageRequested
from bot.domain.incident import Incident, Room
from bot.domain.severity import Severity
from bot.outbound.pagers.pagerduty import PagerDuty
from tests.outbound.vendors import SECRET, FakePagerDuty, a_job, an_incident


@pytest.fixture
def recorded(shared_fixtures: Path) -> dict[str, Any]:
    calls: dict[str, Any] = json.loads((shared_fixtures / "pagerduty/outgoing-calls.json").read_text())
    return calls["events_api_v2"]  # type: ignore[no-any-return]


@pytest_asyncio.fixture
async def vendor(recorded: dict[str, Any]) -> AsyncIterator[FakePagerDuty]:
    fake = FakePagerDuty(recorded)
    async with fake.running() as url:
        fake.url = url  # type: ignore[attr-defined]
        yield fake


@pytest.fixture
def adapter(http: aiohttp.ClientSession, vendor: FakePagerDuty) -> PagerDuty:
    url: str = vendor.url  # type: ignore[attr-defined]
    return PagerDuty(
        http, routing_key=SecretStr(SECRET), events_url=url, installation="acme", public_url="https://bot.example.com/"
    )


async def paged(adapter: PagerDuty, vendor: FakePagerDuty, state: Incident, target: str = "default") -> Any:
    """Page for `state`, return the event that arrived."""
    event = PageRequested(target="on-call", pagers=(target,), reason="nobody has acknowledged INC-42")
    await adapter.page(a_job(PagePager(target=target), event, state))
    return vendor.requests[-1][2]


async def test_a_page_has_every_field_of_the_recorded_call_and_no_other(
    adapter: PagerDuty, vendor: FakePagerDuty, recorded: dict[str, Any]
) -> None:
    event = await paged(adapter, vendor, an_incident(room=Room(channel="C1", name="inc-42")))
    assert set(event) <= set(recorded["trigger"])
    assert set(event["payload"]) <= set(recorded["trigger"]["payload"])
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "tocsin/acme/INC-42/default"
    assert event["payload"]["summary"] == "SEV1 INC-42: Checkout is down"
    assert event["payload"]["severity"] == "critical"
    assert event["payload"]["custom_details"]["channel"] == "#inc-42"
    assert event["payload"]["custom_details"]["reason"] == "nobody has acknowledged INC-42"
    assert event["links"] == [{"href": "https://bot.example.com/incidents/42", "text": "INC-42"}]


async def test_the_page_is_answered_as_sent(adapter: PagerDuty) -> None:
    done = await adapter.page(a_job(PagePager(target="default"), PageRequested(target="x", pagers=("default",))))
    assert done.command == c.PageSent("default", ok=True)


@pytest.mark.parametrize(
    ("severity", "word"), [("sev1", "critical"), ("sev2", "error"), ("sev3", "warning"), ("sev4", "info")]
)
async def test_severities_are_said_in_pagerdutys_words(
    adapter: PagerDuty, vendor: FakePagerDuty, severity: str, word: str
) -> None:
    event = await paged(adapter, vendor, an_incident(severity=Severity(severity)))
    assert event["payload"]["severity"] == word


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
async def test_the_alert_is_ended_under_the_key_it_was_raised_with(
    adapter: PagerDuty, vendor: FakePagerDuty, recorded: dict[str, Any], action: Any
) -> None:
    await paged(adapter, vendor, an_incident())
    done = await adapter.quiet(a_job(QuietPager(target="default", action=action), Acknowledged(took=3)))
    assert vendor.alerts == {"tocsin/acme/INC-42/default": ["trigger", action]}
    assert set(vendor.requests[-1][2]) == set(recorded[action])
    assert done.command is None


async def test_a_private_incident_tells_only_that_it_is_there(adapter: PagerDuty, vendor: FakePagerDuty) -> None:
    state = an_incident(
        private=True, title="Leak at ACME", service="payroll", room=Room(channel="C1", name="inc-42-leak")
    )
    event = await paged(adapter, vendor, state)
    assert event["payload"]["summary"] == "SEV1 Private incident INC-42"
    shown = json.dumps(event)
    for word in ("Leak", "payroll", "inc-42-leak", "nobody"):
        assert word not in shown


async def test_a_drill_says_first_that_it_is_one(adapter: PagerDuty, vendor: FakePagerDuty) -> None:
    event = await paged(adapter, vendor, an_incident(drill=True))
    assert event["payload"]["summary"].startswith("Drill: ")


async def test_a_title_that_nobody_wrote_shows_no_slack_mention(adapter: PagerDuty, vendor: FakePagerDuty) -> None:
    event = await paged(adapter, vendor, an_incident(title="SEV1 declared by <@U0000001>", title_assumed=True))
    assert event["payload"]["summary"] == "SEV1 INC-42"


async def test_hostile_and_endless_texts_fit_pagerdutys_limits(adapter: PagerDuty, vendor: FakePagerDuty) -> None:
    state = an_incident(title="x\u202e\x00\n" + "y" * 5000, service="s" * 5000)
    event = await paged(adapter, vendor, state, target="t" * 500)
    assert len(event["payload"]["summary"]) <= 1024
    assert not {"\u202e", "\x00", "\n"} & set(event["payload"]["summary"])
    assert len(event["dedup_key"]) <= 255


def test_long_targets_that_differ_only_at_the_end_keep_different_keys(adapter: PagerDuty) -> None:
    keys = {adapter.dedup_key(an_incident(), "t" * 300 + end) for end in "ab"}
    assert len(keys) == 2
