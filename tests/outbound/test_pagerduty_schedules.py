"""PagerDuty's schedules: read page by page, kept through an outage, their people found by e-mail only."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.policy import Policy
from bot.outbound.pagers.schedules import PagerDutySchedules
from bot.ports.delivery import DeliveryError
from bot.render.slack.answers import query_text
from bot.render.texts import Texts
from bot.usecases.calendars import Calendars
from bot.usecases.queries import Queries
from bot.usecases.roster import Roster
from tests.outbound.vendors import SECRET, FakePagerDutySchedules
from tests.render.slack_cases import TEMPLATES
from tests.support.desks import START, Clock
from tests.support.memory import MemoryStore
from tests.support.reading import MemoryReader

ANN, BEN = "U0ANN00001", "U0BEN00001"


def entry(user: str, email: str, start: datetime | None, end: datetime | None, level: int = 1) -> dict[str, Any]:
    return {
        "schedule": {"id": "PSCHED1", "summary": "Primary"},
        "user": {"id": user, "email": email, "name": "Ann Lee"},
        "escalation_level": level,
        "start": start.isoformat().replace("+00:00", "Z") if start else None,
        "end": end.isoformat().replace("+00:00", "Z") if end else None,
    }


NOW, LATER = START - timedelta(hours=1), START + timedelta(hours=8)
STRETCHES = (
    entry("PANN", "ann@example.com", NOW, LATER),
    entry("PANN", "ann@example.com", NOW, LATER, level=2),
    entry("PBEN", "ben@example.com", LATER, LATER + timedelta(days=7)),
    entry("PCAT", "cat@example.com", LATER + timedelta(days=7), None),
)


class Slack:
    """Knows Ann by her e-mail. Everybody is called Ann Lee."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def by_email(self, email: str) -> str | None:
        self.asked.append(email)
        return {"ann@example.com": ANN}.get(email)


class Site:
    def __init__(self, http: aiohttp.ClientSession, vendor: FakePagerDutySchedules, url: str) -> None:
        people = {BEN: {"pagerduty": "PBEN"}}
        oncall = {"primary": {"pagerduty_schedule": "PSCHED1"}}
        self.vendor, self.clock, self.slack = vendor, Clock(), Slack()
        self.policy = Policy.model_validate({"oncall": oncall, "people": people})
        reader = MemoryReader(MemoryStore(self.clock))
        self.queries = Queries(reader, self.policy, self.clock, public_url="")
        self.schedules = PagerDutySchedules(http, SecretStr(SECRET), url, timeout=0.5)
        roster = Roster(reader, self.policy, self.clock)
        self.calendars = Calendars(self.schedules, self.slack, self.policy, roster, self.clock)

    async def primary(self) -> dict[str, Any]:
        (shift,) = await self.queries.oncall()
        return shift


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    vendor = FakePagerDutySchedules(*STRETCHES)
    async with vendor.running() as url, aiohttp.ClientSession() as http:
        yield Site(http, vendor, url)


async def test_a_schedule_says_who_is_on_call_until_when_and_who_is_next(site: Site) -> None:
    await site.calendars.refresh()
    shift = await site.primary()
    assert (shift["user"], shift["until"], shift["next"]) == (ANN, "2026-03-14T17:00:00Z", BEN)
    assert shift["unknown"] == ["cat@example.com"]
    assert site.slack.asked == ["ann@example.com", "cat@example.com"]


async def test_several_pages_are_read_to_the_end(site: Site) -> None:
    site.vendor.page = 1
    found = await site.schedules.ask(["PSCHED1"], START, START + timedelta(days=28))
    assert [one.user for one in found] == ["PANN", "PBEN", "PCAT"]


async def test_in_an_outage_what_was_known_holds_and_it_is_said(site: Site) -> None:
    await site.calendars.refresh()
    site.vendor.do = lambda request, body: aiohttp.web.Response(status=503)  # type: ignore[method-assign]
    site.clock.pass_by(hours=9)
    await site.calendars.refresh()
    shift = await site.primary()
    assert (shift["user"], shift["as_of"]) == (BEN, "2026-03-14T09:00:00Z")
    text = query_text("oncall", [shift], Texts(TEMPLATES), "cli")
    assert "2026-03-14 09:00:00 UTC" in text
    assert "PagerDuty answered 503" in text


async def test_an_outage_from_the_start_on_leaves_nobody_on_call_and_says_so(site: Site) -> None:
    site.vendor.do = lambda request, body: aiohttp.web.Response(status=503)  # type: ignore[method-assign]
    await site.calendars.refresh()
    shift = await site.primary()
    assert (shift["user"], shift["as_of"]) == ("", None)
    assert "nobody" in query_text("oncall", [shift], Texts(TEMPLATES), "slack")


async def test_a_refused_token_is_named_and_not_shown(site: Site) -> None:
    wrong = PagerDutySchedules(site.schedules.http, SecretStr("wr0ng-s3cret"), site.schedules.api_url)
    with pytest.raises(DeliveryError) as caught:
        await wrong.ask(["PSCHED1"], START, LATER)
    assert "PAGERDUTY_API_TOKEN" in caught.value.args[0] or caught.value.permanent
    assert "wr0ng" not in f"{caught.value!r} {wrong!r}"


@pytest.mark.parametrize(
    "odd",
    [None, 7, {}, {"schedule": None, "user": 3}, entry("P1", "", datetime(1, 1, 1, tzinfo=UTC), None) | {"start": "x"}],
)
async def test_odd_entries_are_left_out(site: Site, odd: Any) -> None:
    site.vendor.do = lambda request, body: aiohttp.web.json_response({"oncalls": [odd, STRETCHES[0]]})  # type: ignore[method-assign]
    assert [one.user for one in await site.schedules.ask(["PSCHED1"], START, LATER)] == ["PANN"]
