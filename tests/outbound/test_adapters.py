"""One suite for every adapter: what goes wrong on the way to a vendor, and that a repeat does no harm."""

import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain.effects import AnswerSender, PagePager, ShowStatusPage, SilenceAlert
from bot.domain.events import PageRequested, PublicPublished, Resolved, SilenceRequested, Silencing
from bot.domain.incident.state import Silence
from bot.domain.severity import Status
from bot.outbound.alertmanagers.alertmanager import Alertmanager
from bot.outbound.pagers.answering import PagerDutyAnswers
from bot.outbound.pagers.pagerduty import PagerDuty
from bot.outbound.statuspages.statuspage import Statuspage
from bot.ports.delivery import DeliveryError, Handler, Job
from tests.outbound.vendors import (
    AT,
    SECRET,
    FakeAlertmanager,
    FakePagerDuty,
    FakePagerDutyRest,
    FakeStatuspage,
    Trouble,
    Vendor,
    a_job,
    an_incident,
)


@dataclass
class Case:
    """One adapter, its vendor, a job for it, and how often the job's deed was done over there."""

    deliver: Handler
    vendor: Vendor
    job: Callable[[bool], Job]
    deeds: Callable[[], int]
    budget: str
    writes_at: int
    """How many requests come before the one that changes something, on a first attempt."""


def _page(repeat: bool = False) -> Job:
    return a_job(PagePager(target="default"), PageRequested(target="on-call", pagers=("default",)), repeat=repeat)


def _publish(repeat: bool = False) -> Job:
    update = PublicPublished(version=1, title="Problem", text="Looking.", status=Status.INVESTIGATING)
    return a_job(ShowStatusPage(provider="statuspage"), update, repeat=repeat)


@asynccontextmanager
async def pagerduty(http: aiohttp.ClientSession, fixtures: Path) -> AsyncIterator[Case]:
    vendor = FakePagerDuty(json.loads((fixtures / "pagerduty/outgoing-calls.json").read_text())["events_api_v2"])
    async with vendor.running() as url:
        adapter = PagerDuty(
            http, routing_key=SecretStr(SECRET), events_url=url, installation="t", public_url=url, timeout=0.2
        )
        yield Case(adapter.page, vendor, _page, lambda: len(vendor.alerts), "pagerduty", 0)


def _resolve(repeat: bool = False) -> Job:
    state = an_incident(status=Status.RESOLVED, resolved_at=AT, remotes=("pagerduty:Q1",))
    return a_job(AnswerSender(source="pagerduty", remote="Q1", action="resolve"), Resolved(), state, repeat=repeat)


@asynccontextmanager
async def pagerduty_rest(http: aiohttp.ClientSession, fixtures: Path) -> AsyncIterator[Case]:
    vendor = FakePagerDutyRest("Q1")
    async with vendor.running() as url:
        adapter = PagerDutyAnswers(http, token=SecretStr(SECRET), sender="bot@example.com", api_url=url, timeout=0.2)
        yield Case(adapter.answer, vendor, _resolve, lambda: len(vendor.changes), "pagerduty.rest", 0)


@asynccontextmanager
async def statuspage(http: aiohttp.ClientSession, fixtures: Path) -> AsyncIterator[Case]:
    vendor = FakeStatuspage()
    async with vendor.running() as url:
        adapter = Statuspage(
            http, api_key=SecretStr(SECRET), page_id="p1", api_url=f"{url}/v1", installation="t", timeout=0.2
        )

        def updates() -> int:
            return sum(len(one["incident_updates"]) for one in vendor.incidents.values())

        yield Case(adapter.show, vendor, _publish, updates, "statuspage", 2)


def _silence(repeat: bool = False) -> Job:
    until = AT + timedelta(hours=1)
    asked = SilenceRequested(until=until, silences=(Silencing(name="HighLatency", matchers={"env": "prod"}),))
    state = an_incident(silences={"3.0": Silence(name="HighLatency", until=until)})
    return a_job(SilenceAlert(number=0), asked, state, repeat=repeat)


@asynccontextmanager
async def alertmanager(http: aiohttp.ClientSession, fixtures: Path) -> AsyncIterator[Case]:
    vendor = FakeAlertmanager()
    async with vendor.running() as url:
        adapter = Alertmanager(http, url=url, token=SecretStr(SECRET), installation="t", timeout=0.2, clock=lambda: AT)
        yield Case(adapter.silence, vendor, _silence, lambda: len(vendor.silences), "alertmanager", 0)


ADAPTERS = {
    "pagerduty": pagerduty,
    "pagerduty-rest": pagerduty_rest,
    "statuspage": statuspage,
    "alertmanager": alertmanager,
}


@pytest_asyncio.fixture(params=ADAPTERS)
async def case(
    request: pytest.FixtureRequest, http: aiohttp.ClientSession, shared_fixtures: Path
) -> AsyncIterator[Case]:
    async with ADAPTERS[request.param](http, shared_fixtures) as made:
        yield made


async def fails(case: Case, trouble: Trouble, *, at: int | None = None) -> DeliveryError:
    """Deliver with `trouble` at request number `at` (that which changes something), return the error."""
    case.vendor.troubles = [None] * (case.writes_at if at is None else at) + [trouble]
    with pytest.raises(DeliveryError) as caught:
        await case.deliver(case.job(False))
    return caught.value


EVERYTHING = {
    "hang": Trouble(hang=True),
    "reset": Trouble(reset=True),
    "reset after it was done": Trouble(reset=True, after=True),
    "500": Trouble(500, body="<html>oops</html>"),
    "502 after it was done": Trouble(502, after=True),
    "429": Trouble(429, {"Retry-After": "7"}),
    "400 that repeats what we sent": Trouble(400, body=json.dumps({"errors": [f"{SECRET}!"], "error": f"{SECRET}!"})),
    "401": Trouble(401, body=SECRET),
    "302": Trouble(302, {"Location": "http://127.0.0.1:1/"}),
    "no JSON, though it should be": Trouble(200, body="<html>a captive portal</html>"),
}


@pytest.mark.parametrize("name", EVERYTHING)
async def test_the_secret_is_in_no_error_trace_or_log(case: Case, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = await fails(case, EVERYTHING[name])
    shown = "".join(traceback.format_exception(error)) + caplog.text + repr(case.deliver) + error.mend
    assert SECRET not in shown


@pytest.mark.parametrize("name", ["hang", "reset", "reset after it was done", "500", "502 after it was done"])
async def test_an_outage_is_transient_and_the_repeat_does_it_exactly_once(case: Case, name: str) -> None:
    error = await fails(case, EVERYTHING[name])
    assert not error.permanent
    assert not error.parks
    await case.deliver(case.job(True))
    assert case.deeds() == 1


async def test_doing_it_again_after_it_was_done_changes_nothing(case: Case) -> None:
    await case.deliver(case.job(False))
    await case.deliver(case.job(True))
    assert case.deeds() == 1


async def test_a_rate_limit_says_how_long_and_what_to_park(case: Case) -> None:
    error = await fails(case, EVERYTHING["429"])
    assert (error.permanent, error.retry_after, error.parks) == (False, 7.0, case.budget)


async def test_after_a_rate_limit_nothing_leaves_before_its_time_though_it_was_claimed_before(case: Case) -> None:
    await fails(case, EVERYTHING["429"])
    asked = len(case.vendor.requests)
    for repeat in (False, True):
        with pytest.raises(DeliveryError) as caught:
            await case.deliver(case.job(repeat))
        assert 5 < caught.value.retry_after <= 7
        assert caught.value.parks == case.budget
    assert len(case.vendor.requests) == asked


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("", 1, 60), ("soon", 1, 60), ("-5", 1, 60), ("99999999", 1, 900), ("²", 1, 60), ("0", 1, 1)],
)
async def test_a_rate_limit_without_a_sane_time_still_waits_sanely(
    case: Case, header: str, least: float, most: float
) -> None:
    error = await fails(case, Trouble(429, {"Retry-After": header}))
    assert least <= error.retry_after <= most


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_a_refusal_ends_at_once_and_says_what_to_mend(case: Case, status: int) -> None:
    error = await fails(case, Trouble(status, body='{"message": "no", "error": "no"}'))
    assert error.permanent
    assert error.mend
    assert case.deeds() == 0


@pytest.mark.parametrize("body", ["", "null", "[]", '"x"', "{}", "\ufffd", "[" * 100_000, "7"])
async def test_a_malformed_answer_never_crashes_it(case: Case, body: str) -> None:
    for status in (200, 201, 400, 500):
        case.vendor.troubles = [None] * case.writes_at + [Trouble(status, body=body)]
        with pytest.raises(DeliveryError):
            await case.deliver(case.job(False))


async def test_a_redirect_is_not_followed_since_it_would_carry_the_secret_away(case: Case) -> None:
    error = await fails(case, EVERYTHING["302"])
    assert error.permanent
    assert len(case.vendor.requests) == case.writes_at + 1


async def test_a_vendor_that_is_not_there_is_a_transient_error(http: aiohttp.ClientSession) -> None:
    nowhere: dict[str, Any] = {"installation": "t"}
    pager = PagerDuty(
        http, routing_key=SecretStr(SECRET), events_url="http://127.0.0.1:1", public_url="http://x", **nowhere
    )
    page = Statuspage(http, api_key=SecretStr(SECRET), page_id="p1", api_url="http://127.0.0.1:1/v1", **nowhere)
    sender = Alertmanager(http, url="http://127.0.0.1:1", token=SecretStr(SECRET), clock=lambda: AT, **nowhere)
    for deliver, job in ((pager.page, _page()), (page.show, _publish()), (sender.silence, _silence())):
        with pytest.raises(DeliveryError) as caught:
            await deliver(job)
        assert not caught.value.permanent


async def test_a_vendor_that_is_not_set_up_says_which_setting_is_missing(http: aiohttp.ClientSession) -> None:
    pager = PagerDuty(http, routing_key=None, events_url="http://127.0.0.1:1", installation="t", public_url="http://x")
    page = Statuspage(http, api_key=None, page_id="", api_url="http://127.0.0.1:1/v1", installation="t")
    for deliver, job, setting in (
        (pager.page, _page(), "PAGERDUTY_ROUTING_KEY"),
        (page.show, _publish(), "STATUSPAGE_API_KEY"),
        (Alertmanager(http, url="", installation="t").silence, _silence(), "webhooks.alertmanager.url"),
    ):
        with pytest.raises(DeliveryError) as caught:
            await deliver(job)
        assert caught.value.permanent
        assert setting in caught.value.mend
