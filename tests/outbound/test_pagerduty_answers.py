"""What PagerDuty is told of its own incidents."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain.effects import AnswerSender
from bot.domain.events import Acknowledged, Resolved
from bot.domain.incident import Incident
from bot.domain.severity import Status
from bot.outbound.pagers.answering import PagerDutyAnswers
from bot.ports.delivery import DeliveryError, Job
from tests.outbound.vendors import AT, SECRET, FakePagerDutyRest, Trouble, a_job, an_incident

OVER = an_incident(status=Status.RESOLVED, resolved_at=AT)


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[FakePagerDutyRest]:
    fake = FakePagerDutyRest("Q1GR0VU2ABCDEF")
    async with fake.running() as url:
        fake.url = url  # type: ignore[attr-defined]
        yield fake


def adapter(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest, *, token: str = SECRET, sender: str = "bot@example.com"
) -> PagerDutyAnswers:
    url: str = vendor.url  # type: ignore[attr-defined]
    return PagerDutyAnswers(http, token=SecretStr(token) if token else None, sender=sender, api_url=url)


def job(
    action: Literal["acknowledge", "resolve"], state: Incident, *, repeat: bool = False, remote: str = "Q1GR0VU2ABCDEF"
) -> Job:
    event = Acknowledged(took=3) if action == "acknowledge" else Resolved()
    return a_job(AnswerSender(source="pagerduty", remote=remote, action=action), event, state, repeat=repeat)


async def test_the_call_is_the_recorded_one(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest, shared_fixtures: Path
) -> None:
    recorded: dict[str, Any] = json.loads((shared_fixtures / "pagerduty/outgoing-calls.json").read_text())["rest"]
    await adapter(http, vendor).answer(job("resolve", OVER))
    method, path, body = vendor.requests[-1]
    assert f"{method} {path}" == recorded["update"]["request"]
    assert body == recorded["update"]["body"]
    sent = vendor.headers[-1]
    assert {name: sent[name] for name in ("Accept", "Content-Type", "From")} == {
        name: recorded["headers"][name] for name in ("Accept", "Content-Type", "From")
    }


async def test_an_incident_that_pagerduty_resolved_first_is_no_failure(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest
) -> None:
    vendor.incidents["Q1GR0VU2ABCDEF"] = "resolved"
    for action in ("acknowledge", "resolve"):
        await adapter(http, vendor).answer(job(action, OVER))
    assert not vendor.changes


async def test_a_repeated_acknowledgement_does_not_start_pagerdutys_timer_anew(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest
) -> None:
    answers = adapter(http, vendor)
    await answers.answer(job("acknowledge", an_incident()))
    await answers.answer(job("acknowledge", an_incident(), repeat=True))
    assert vendor.changes == [("Q1GR0VU2ABCDEF", "acknowledged")]


async def test_what_was_reopened_meanwhile_is_not_resolved_there(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest
) -> None:
    await adapter(http, vendor).answer(job("resolve", an_incident()))
    assert not vendor.requests


@pytest.mark.parametrize(("token", "sender"), [("", "bot@example.com"), (SECRET, "")])
async def test_without_a_token_or_a_name_nothing_is_told_and_nothing_fails(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest, token: str, sender: str
) -> None:
    await adapter(http, vendor, token=token, sender=sender).answer(job("resolve", OVER))
    assert not vendor.requests


async def test_a_stranger_as_sender_is_refused_with_what_to_set(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest
) -> None:
    with pytest.raises(DeliveryError) as caught:
        await adapter(http, vendor, sender="nobody").answer(job("resolve", OVER))
    assert caught.value.permanent
    assert "PAGERDUTY_FROM" in caught.value.mend
    assert "Requester User Not Found" in str(caught.value)


async def test_an_id_is_never_more_than_a_part_of_the_path(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest
) -> None:
    with pytest.raises(DeliveryError):
        await adapter(http, vendor).answer(job("resolve", OVER, remote="../users?x=#y"))
    assert vendor.requests[-1][1] == "/incidents/..%2Fusers%3Fx=%23y"


async def test_pagerdutys_own_header_says_how_long_a_rate_limit_lasts(
    http: aiohttp.ClientSession, vendor: FakePagerDutyRest
) -> None:
    vendor.troubles = [Trouble(429, {"ratelimit-reset": "20"}, body='{"error": {"code": 2020}}')]
    with pytest.raises(DeliveryError) as caught:
        await adapter(http, vendor).answer(job("resolve", OVER))
    assert caught.value.retry_after == 20.0
