"""The public status page: what it shows, and above all what it never shows."""

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from bot.domain import commands as c
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status
from bot.domain.statuspage import Health, Impact, PublicPage, public_page
from bot.inbound.web.status import Freshest
from bot.ports.store import Unavailable
from tests.inbound.web.house import INSTALLATION, House, Shelf


@pytest.fixture
def shelf(policy: Policy) -> Shelf:
    return Shelf(policy)


async def page(shelf: Shelf) -> PublicPage:
    return public_page(await shelf.published(), shelf.policy, INSTALLATION)


async def test_without_incidents_all_is_operational(shelf: Shelf) -> None:
    shown = await page(shelf)
    assert (shown.indicator, shown.description) == (Impact.NONE, "All Systems Operational")
    assert {component.health for component in shown.components} == {Health.OPERATIONAL}
    assert [group for group, _ in shown.groups] == [None, "Shop"]


@pytest.mark.parametrize(
    ("severity", "indicator", "health"),
    [
        (Severity.SEV1, "critical", "major_outage"),
        (Severity.SEV2, "major", "partial_outage"),
        (Severity.SEV3, "minor", "degraded_performance"),
        (Severity.SEV4, "minor", "degraded_performance"),
    ],
)
async def test_the_severity_sets_how_its_components_are_shown(
    shelf: Shelf, severity: Severity, indicator: str, health: str
) -> None:
    shelf.publish(shelf.declare("x", severity=severity, service="checkout"))
    shown = await page(shelf)
    assert shown.indicator == indicator
    assert {part.name: part.health.value for part in shown.components} == {
        "Checkout": health,
        "Search": "operational",
        "API": "operational",
    }


async def test_the_worst_open_incident_decides(shelf: Shelf) -> None:
    shelf.publish(shelf.declare("x", severity=Severity.SEV3, service="checkout"))
    worst = shelf.declare("y", severity=Severity.SEV1, service="checkout")
    shelf.publish(worst)
    assert (await page(shelf)).indicator is Impact.CRITICAL
    shelf.do(worst, c.Resolve("fixed"))
    shown = await page(shelf)
    assert shown.indicator is Impact.MINOR
    assert shown.components[0].health is Health.DEGRADED


async def test_a_cancelled_incident_does_not_stay_open_in_public(shelf: Shelf) -> None:
    number = shelf.declare("x", service="checkout")
    shelf.publish(number)
    shelf.do(number, c.Cancel("a false alarm"))
    shown = await page(shelf)
    assert (shown.indicator, shown.open) == (Impact.NONE, ())
    assert "false alarm" in shown.incidents[0].updates[0].text


async def test_an_affected_component_shows_even_if_nobody_listed_it(shelf: Shelf) -> None:
    shelf.policy = Policy.model_validate({"services": {"mail": {"components": ["Mail"]}}})
    shelf.publish(shelf.declare("x", service="mail"))
    assert [(part.name, part.health) for part in (await page(shelf)).components] == [("Mail", Health.MAJOR)]


async def test_updates_are_newest_first_and_ids_stay(shelf: Shelf) -> None:
    number = shelf.declare("x", service="checkout")
    shelf.publish(number, "first")
    before = (await page(shelf)).incidents[0]
    shelf.wait(minutes=5)
    shelf.publish(number, "second", status=Status.MONITORING)
    after = (await page(shelf)).incidents[0]
    assert [update.text for update in after.updates] == ["second", "first"]
    assert (before.id, before.updates[0].id) == (after.id, after.updates[1].id)
    assert re.fullmatch("[0-9a-f]{12}", after.id)
    assert after.updated_at - after.started_at == timedelta(minutes=5)
    assert after.resolved_at is None


async def test_private_incidents_and_drills_never_reach_it(shelf: Shelf) -> None:
    """Even if the store handed them over."""
    told = shelf.declare("x", service="checkout")
    shelf.publish(told)
    state, events = (await shelf.published())[0]
    for hidden in ({"private": True}, {"drill": True}):
        assert public_page([(state.model_copy(update=hidden), events)], shelf.policy, "i").incidents == ()


async def test_an_id_tells_no_number(house: House) -> None:
    """Not the incident's number, which would count the private ones."""
    house.shelf.declare("secret", private=True)
    number = house.shelf.declare("Leaky internal title", service="checkout")
    house.shelf.publish(number, "We are looking into slow checkouts.")
    body = await house.text("/status")
    found = re.findall(r"/status/incidents/([0-9a-f]{12})", body)
    assert found
    for text in (body, await house.text(f"/status/incidents/{found[0]}")):
        assert "INC-" not in text
        assert "Leaky" not in text
        assert "Anna" not in text
        assert "slow checkouts" in text


async def test_only_published_incidents_have_a_page(house: House) -> None:
    number = house.shelf.declare("x", service="checkout")
    house.shelf.do(number, c.DraftPublic("not approved yet"))
    assert "not approved yet" not in await house.text("/status")
    await house.text("/status/incidents/0123456789ab", 404)


async def test_the_page_says_every_state_in_words(house: House) -> None:
    number = house.shelf.declare("x", severity=Severity.SEV2, service="checkout")
    house.shelf.publish(number)
    body = await house.text("/status")
    assert "Partial System Outage" in body
    assert "Partial outage" in body
    assert "<strong>Investigating</strong>" in body
    house.shelf.wait(hours=1)
    house.shelf.do(number, c.Resolve("done"))
    body = await house.text("/status")
    assert "All Systems Operational" in body
    assert "The problem with Checkout is resolved." in body


async def test_the_last_two_weeks_stand_by_day_and_older_ones_as_links(house: House) -> None:
    number = house.shelf.declare("x", service="checkout")
    house.shelf.publish(number)
    house.shelf.do(number, c.Resolve("done"))
    assert "14 March 2026" in await house.text("/status")
    house.shelf.wait(days=13)
    assert "The problem with Checkout is resolved." in await house.text("/status")
    house.shelf.wait(days=1)
    body = await house.text("/status")
    assert "The problem with Checkout is resolved." not in body
    assert "Earlier" in body
    assert "Problem with Checkout</a>" in body


async def test_a_day_is_the_organisations_day(house: House) -> None:
    """23:30 UTC is the next day in Berlin; times name their zone."""
    house.shelf.wait(hours=14.5)
    house.shelf.publish(house.shelf.declare("x", service="checkout"))
    body = await house.text("/status")
    day = body.partition("<h3>15 March 2026</h3>")[2].partition("<h3>")[0]
    assert "Not over yet" in day
    assert '<time datetime="2026-03-14T23:30:00Z" data-style="full">15 Mar 2026, 00:30 CET</time>' in body


async def test_without_the_database_the_last_known_page_is_shown_and_says_so(house: House) -> None:
    house.shelf.down = True
    answer = await house.client.get("/status")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    house.shelf.down = False
    house.shelf.publish(house.shelf.declare("x", service="checkout"))
    await house.text("/status")
    house.shelf.down = True
    body = await house.text("/status")
    assert "could not be refreshed" in body
    assert "Problem with Checkout" in body


@pytest.mark.parametrize("down", [False, True])
async def test_a_crowd_costs_the_database_two_readings_at_most(house: House, down: bool) -> None:
    """Whoever comes during a reading shares the next one, or its failure."""
    asked = asyncio.Event()
    house.shelf.down = down
    readings, read = 0, house.shelf.published

    async def counted() -> list[tuple[Incident, list[Recorded]]]:
        nonlocal readings
        readings += 1
        await asked.wait()
        return await read()

    house.shelf.published = counted  # type: ignore[method-assign]
    page_of = Freshest(lambda: page(house.shelf))
    crowd = [asyncio.ensure_future(page_of.get()) for _ in range(50)]
    await asyncio.sleep(0)
    house.shelf.publish(house.shelf.declare("x", service="checkout"))
    late = asyncio.ensure_future(page_of.get())
    asked.set()
    outcomes = await asyncio.gather(*crowd, late, return_exceptions=True)
    assert readings <= 2
    assert all(isinstance(outcome, Unavailable) is down for outcome in outcomes)


async def test_an_unchanged_page_is_not_sent_twice(house: House) -> None:
    first = await house.client.get("/status")
    again = await house.client.get("/status", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    house.shelf.publish(house.shelf.declare("x", service="checkout"))
    changed = await house.client.get("/status", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status == 200


class Tags(HTMLParser):
    """Which tags and attributes a page really has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> \"'> &amp; javascript:alert(3) {{ 7*7 }} {% raw %} "
    'https://evil.example/"onmouseover=alert(4) \u202etxt.exe <!channel> ]]> </main>'
)


def harmless(text: str) -> None:
    for tag, attributes in Tags(text).seen:
        assert tag not in ("img", "iframe") or "/assets/" in (attributes.get("src") or "")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:"))
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/assets/")
    assert text.count("</main>") == 1
    assert "\u202e" not in text
    assert "49" not in re.sub(r"[0-9a-f]{12}|\d\d:\d\d(:\d\d)?", "", text.partition("</head>")[2])


async def test_hostile_public_words_stay_words(house: House) -> None:
    number = house.shelf.declare("x", service="checkout")
    house.shelf.publish(number, HOSTILE, title="<b>t</b> <script>")
    body = await house.text("/status")
    harmless(body)
    assert "&lt;script&gt;alert(1)" in body
    assert "&lt;b&gt;t&lt;/b&gt;" in body
