"""What Statuspage shows."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.effects import ShowStatusPage
from bot.domain.events import Acknowledged, PublicPublished
from bot.domain.severity import Severity, Status
from bot.outbound.statuspages.statuspage import Statuspage
from bot.ports.delivery import DeliveryError, Job
from tests.outbound.vendors import SECRET, FakeStatuspage, a_job, an_incident

SHOW = ShowStatusPage(provider="statuspage")


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[FakeStatuspage]:
    fake = FakeStatuspage()
    async with fake.running() as url:
        fake.url = f"{url}/v1"  # type: ignore[attr-defined]
        yield fake


@pytest.fixture
def adapter(http: aiohttp.ClientSession, vendor: FakeStatuspage) -> Statuspage:
    url: str = vendor.url  # type: ignore[attr-defined]
    return Statuspage(http, api_key=SecretStr(SECRET), page_id="p1", api_url=url, installation="acme")


def publishing(version: int = 1, *, repeat: bool = False, remote: str = "", **changes: Any) -> Job:
    """Return the job of showing update `version`."""
    values: dict[str, Any] = {
        "version": version,
        "title": "Problem with Checkout",
        "text": f"Words of update {version}.",
        "status": Status.INVESTIGATING,
        "components": ("Checkout",),
    }
    severity = changes.pop("severity", Severity.SEV2)
    state = an_incident(severity=severity, remote={"statuspage": remote} if remote else {})
    return a_job(SHOW, PublicPublished(**(values | changes)), state, repeat=repeat)


def writes(vendor: FakeStatuspage) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in vendor.requests if method != "GET"]


async def test_the_first_update_creates_the_incident_with_its_component(
    adapter: Statuspage, vendor: FakeStatuspage
) -> None:
    done = await adapter.show(publishing())
    [incident] = vendor.incidents.values()
    assert (incident["name"], incident["status"]) == ("Problem with Checkout", "investigating")
    assert incident["components"] == {"c1": "partial_outage"}
    assert [update["body"] for update in incident["incident_updates"]] == ["Words of update 1."]
    assert incident["metadata"]["tocsin"] == {"incident": "acme/INC-42", "version": 1}
    assert done.command == c.PublicDelivered("statuspage", 1, "r1", "https://stspg.io/r1")


async def test_the_next_update_goes_to_the_same_incident(adapter: Statuspage, vendor: FakeStatuspage) -> None:
    await adapter.show(publishing())
    await adapter.show(publishing(2, remote="r1", status=Status.RESOLVED))
    [incident] = vendor.incidents.values()
    assert [update["status"] for update in incident["incident_updates"]] == ["resolved", "investigating"]
    assert incident["components"] == {"c1": "operational"}


async def test_an_incident_whose_creation_was_never_answered_is_found_by_the_next_update(
    adapter: Statuspage, vendor: FakeStatuspage
) -> None:
    await adapter.show(publishing())
    await adapter.show(publishing(2))  # the first answer was lost, and the effect replaced by this one
    assert len(vendor.incidents) == 1


async def test_an_incident_that_was_resolved_at_once_is_found_too(adapter: Statuspage, vendor: FakeStatuspage) -> None:
    await adapter.show(publishing(status=Status.RESOLVED))
    await adapter.show(publishing(status=Status.RESOLVED, repeat=True))
    assert len(vendor.incidents) == 1
    assert len(writes(vendor)) == 1


async def test_an_older_update_that_comes_late_replaces_nothing(adapter: Statuspage, vendor: FakeStatuspage) -> None:
    await adapter.show(publishing(3))
    await adapter.show(publishing(2, remote="r1"))
    [incident] = vendor.incidents.values()
    assert [update["body"] for update in incident["incident_updates"]] == ["Words of update 3."]


async def test_the_incident_of_another_installation_is_not_ours(
    adapter: Statuspage, vendor: FakeStatuspage, http: aiohttp.ClientSession
) -> None:
    url: str = vendor.url  # type: ignore[attr-defined]
    other = Statuspage(http, api_key=SecretStr(SECRET), page_id="p1", api_url=url, installation="other")
    await other.show(publishing())
    await adapter.show(publishing())
    assert len(vendor.incidents) == 2


async def test_an_incident_that_somebody_deleted_there_is_created_anew(
    adapter: Statuspage, vendor: FakeStatuspage
) -> None:
    done = await adapter.show(publishing(2, remote="gone"))
    assert isinstance(done.command, c.PublicDelivered)
    assert done.command.remote_id == "r1"


async def test_components_are_looked_up_once_and_again_only_for_a_new_name(
    adapter: Statuspage, vendor: FakeStatuspage
) -> None:
    for version in (1, 2, 3):
        await adapter.show(publishing(version, components=("checkout", "Search")))
    looked = [path for _, path, _ in vendor.requests if "/components" in path]
    assert len(looked) == 1
    vendor.components["c9"] = {"id": "c9", "name": "Payments"}
    await adapter.show(publishing(4, components=("Payments",)))
    assert next(iter(vendor.incidents.values()))["components"] == {"c9": "partial_outage"}


async def test_a_component_on_the_second_page_of_the_list_is_found(adapter: Statuspage, vendor: FakeStatuspage) -> None:
    vendor.components |= {f"x{n}": {"id": f"x{n}", "name": f"Part {n}"} for n in range(150)}
    await adapter.show(publishing(components=("Part 149",)))
    assert next(iter(vendor.incidents.values()))["components"] == {"x149": "partial_outage"}


async def test_a_component_that_the_page_does_not_have_never_stops_the_words(
    adapter: Statuspage, vendor: FakeStatuspage
) -> None:
    await adapter.show(publishing(components=("Checkout", "No such thing")))
    assert next(iter(vendor.incidents.values()))["components"] == {"c1": "partial_outage"}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("severity", list(Severity))
async def test_every_status_and_severity_is_said_in_statuspages_words(
    adapter: Statuspage, vendor: FakeStatuspage, status: Status, severity: Severity
) -> None:
    await adapter.show(publishing(status=status, severity=severity))
    assert len(vendor.incidents) == 1


async def test_endless_titles_are_cut_to_statuspages_limit(adapter: Statuspage, vendor: FakeStatuspage) -> None:
    await adapter.show(publishing(title="x" * 400))
    assert len(next(iter(vendor.incidents.values()))["name"]) == 255


async def test_what_was_never_published_is_refused(adapter: Statuspage) -> None:
    with pytest.raises(DeliveryError) as caught:
        await adapter.show(a_job(SHOW, Acknowledged(took=1)))
    assert caught.value.permanent
