"""Silences at Alertmanager: what is asked for, what it is found by, and that it ends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.effects import LiftSilence, SilenceAlert
from bot.domain.events import SilenceLiftRequested, SilenceRequested, Silencing
from bot.domain.incident.state import Silence
from bot.domain.severity import Status
from bot.outbound.alertmanagers.alertmanager import Alertmanager, api_headers
from bot.ports.delivery import DeliveryError, Job
from tests.outbound.vendors import AT, SECRET, FakeAlertmanager, Trouble, a_job, an_incident

UNTIL = AT + timedelta(hours=1)
LABELS = {"alertname": "HighLatency", "env": "prod"}
SILENCE = Silence(name="HighLatency", until=UNTIL)


@pytest.fixture
def vendor() -> FakeAlertmanager:
    return FakeAlertmanager()


@pytest_asyncio.fixture
async def adapter(vendor: FakeAlertmanager, http: aiohttp.ClientSession) -> AsyncIterator[Alertmanager]:
    async with vendor.running() as url:
        yield Alertmanager(
            http, url=f"{url}/", token=SecretStr(SECRET), installation="t", timeout=0.2, clock=lambda: AT
        )


def asked(labels: dict[str, str] = LABELS, *, repeat: bool = False, **state: Any) -> Job:
    event = SilenceRequested(until=UNTIL, silences=(Silencing(name="HighLatency", matchers=labels),))
    state.setdefault("silences", {"3.0": SILENCE})
    return a_job(SilenceAlert(number=0), event, an_incident(**state), repeat=repeat)


def lift(*, repeat: bool = False) -> Job:
    return a_job(LiftSilence(silence="3.0", remote="s1"), SilenceLiftRequested(silences=("3.0",)), repeat=repeat)


async def test_it_asks_for_exactly_the_labels_and_says_who_and_why(
    adapter: Alertmanager, vendor: FakeAlertmanager
) -> None:
    done = await adapter.silence(asked())
    assert done.command == c.SilencePlaced("3.0", "HighLatency", "s1", LABELS, UNTIL)
    sent = vendor.requests[0][2]
    assert {one["name"]: one["value"] for one in sent["matchers"]} == LABELS
    assert not any(one["isRegex"] for one in sent["matchers"])
    assert (sent["startsAt"], sent["endsAt"]) == ("2026-03-14T09:12:00.000Z", "2026-03-14T10:12:00.000Z")
    assert sent["createdBy"] == "tocsin: U0000001"
    assert sent["comment"] == "INC-42: Checkout is down [tocsin/t/42.3.0]"


async def test_of_a_private_incident_it_tells_only_that_it_is_there(
    adapter: Alertmanager, vendor: FakeAlertmanager
) -> None:
    await adapter.silence(asked(private=True))
    sent = vendor.requests[0][2]
    assert sent["comment"] == "Private incident INC-42 [tocsin/t/42.3.0]"
    assert sent["createdBy"] == "tocsin"


@pytest.mark.parametrize("labels", [LABELS, {"größe": "1"}, {"a": 'b"\\', "ünï": "x"}])
async def test_a_repeat_finds_what_an_earlier_attempt_placed(
    adapter: Alertmanager, vendor: FakeAlertmanager, labels: dict[str, str]
) -> None:
    vendor.troubles = [Trouble(reset=True, after=True)]
    with pytest.raises(DeliveryError):
        await adapter.silence(asked(labels))
    done = await adapter.silence(asked(labels, repeat=True))
    assert isinstance(done.command, c.SilencePlaced)
    assert done.command.id == "s1"
    assert len(vendor.silences) == 1


async def test_another_installations_silence_is_not_ours(adapter: Alertmanager, vendor: FakeAlertmanager) -> None:
    await adapter.silence(asked())
    vendor.silences["s1"]["comment"] = "INC-42: Checkout is down [tocsin/other/42.3.0]"
    await adapter.silence(asked(repeat=True))
    assert len(vendor.silences) == 2


@pytest.mark.parametrize(
    "state",
    [
        {"status": Status.RESOLVED},
        {"status": Status.CANCELLED},
        {"silences": {"3.0": SILENCE.model_copy(update={"ending": True})}},
        {"silences": {}},
    ],
)
async def test_what_nobody_wants_any_more_is_not_placed(
    adapter: Alertmanager, vendor: FakeAlertmanager, state: dict[str, Any]
) -> None:
    assert (await adapter.silence(asked(**state))).command == c.SilenceEnded("3.0")
    assert vendor.requests == []


async def test_what_was_placed_before_nobody_wanted_it_is_reported_so_that_it_is_lifted(
    adapter: Alertmanager, vendor: FakeAlertmanager
) -> None:
    await adapter.silence(asked())
    done = await adapter.silence(asked(repeat=True, status=Status.RESOLVED))
    assert isinstance(done.command, c.SilencePlaced)
    assert len(vendor.silences) == 1


async def test_one_whose_time_has_passed_is_not_placed(vendor: FakeAlertmanager, http: aiohttp.ClientSession) -> None:
    async with vendor.running() as url:
        late = Alertmanager(http, url=url, token=SecretStr(SECRET), installation="t", clock=lambda: UNTIL)
        assert (await late.silence(asked())).command == c.SilenceEnded("3.0")
    assert vendor.requests == []


async def test_a_lifted_silence_has_ended(adapter: Alertmanager, vendor: FakeAlertmanager) -> None:
    await adapter.silence(asked())
    assert (await adapter.lift(lift())).command == c.SilenceEnded("3.0")
    assert vendor.silences["s1"]["status"]["state"] == "expired"


@pytest.mark.parametrize("trouble", [Trouble(status=404), Trouble(status=500, after=True)])
async def test_lifting_what_has_ended_or_is_gone_is_done(
    adapter: Alertmanager, vendor: FakeAlertmanager, trouble: Trouble
) -> None:
    await adapter.silence(asked())
    vendor.troubles = [trouble]
    assert (await adapter.lift(lift())).command == c.SilenceEnded("3.0")


async def test_a_repeated_lift_looks_first(adapter: Alertmanager, vendor: FakeAlertmanager) -> None:
    await adapter.silence(asked())
    vendor.troubles = [Trouble(hang=True, after=True)]
    with pytest.raises(DeliveryError) as caught:
        await adapter.lift(lift())
    assert not caught.value.permanent
    await adapter.lift(lift(repeat=True))
    assert [method for method, _, _ in vendor.requests] == ["POST", "DELETE", "GET"]


async def test_an_outage_while_lifting_is_tried_again(adapter: Alertmanager, vendor: FakeAlertmanager) -> None:
    await adapter.silence(asked())
    vendor.troubles = [Trouble(status=500)]
    with pytest.raises(DeliveryError) as caught:
        await adapter.lift(lift())
    assert not caught.value.permanent


def test_a_token_goes_before_a_password() -> None:
    token, basic = SecretStr("t"), SecretStr("user:pass")
    assert api_headers(token, basic) == {"Authorization": "Bearer t"}
    assert api_headers(None, basic) == {"Authorization": "Basic dXNlcjpwYXNz"}
    assert api_headers(None, None) == {}
