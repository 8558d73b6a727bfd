"""Latency, faults, rate limits, outages, and a workspace that is opened again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.simulator.webapi.methods import METHODS
from tests.simulator.conftest import BOT_TOKEN, Company, Open


async def post(company: Company, text: str = "x", channel: str = "C0003") -> aiohttp.ClientResponse:
    """Post plainly; return the whole answer."""
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    url = f"{company.base}/slack/api/chat.postMessage"
    body = {"channel": channel, "text": text}
    async with company.http.post(url, json=body, headers=headers) as answer:
        await answer.read()
        return answer


async def calls(company: Company) -> list[dict[str, Any]]:
    """Return what the app called."""
    return list((await company.person().get("calls"))["calls"])


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("503", 503)])
async def test_a_fault_strikes_the_call_it_is_set_for(acme: Company, kind: str, status: int) -> None:
    """The second call here, without effect; the third goes through."""
    fault = {"method": "chat.postMessage", "nth": 2, "kind": kind, "retry_after": 7}
    await acme.control(faults=[fault])
    answers = [await post(acme, str(n)) for n in range(3)]
    assert [answer.status for answer in answers] == [200, status, 200]
    assert answers[1].headers.get("Retry-After") == ("7" if kind == "429" else None)
    assert await acme.person().texts("C0003") == ["0", "2"]


async def test_a_torn_connection_leaves_the_effect_or_not(acme: Company) -> None:
    """The app cannot tell which; the witness can."""
    await acme.control(faults=[{"kind": "reset_before"}])
    with pytest.raises(aiohttp.ClientError):
        await post(acme, "lost")
    await acme.control(faults=[{"kind": "reset_after"}])
    with pytest.raises(aiohttp.ClientError):
        await post(acme, "kept")
    await acme.control(faults=[{"kind": "malformed"}])
    broken = await post(acme, "kept too")
    with pytest.raises(ValueError, match=r"delimiter|value|JSON"):
        await broken.json()
    assert await acme.person().texts("C0003") == ["kept", "kept too"]


async def test_any_slack_error_can_be_forced(acme: Company) -> None:
    """Twice, then no more."""
    await acme.control(faults=[{"method": "*", "kind": "fatal_error", "times": 2}])
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await acme.slack.auth_test()
    await acme.slack.auth_test()


async def test_silence_ends_with_the_callers_patience(acme: Company) -> None:
    """And has no effect; closing does not wait for it."""
    await acme.control(faults=[{"kind": "silence"}])
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    url = f"{acme.base}/slack/api/chat.postMessage"
    limit = aiohttp.ClientTimeout(total=0.05)
    body = {"channel": "C0003", "text": "x"}
    with pytest.raises(TimeoutError):
        await acme.http.post(url, json=body, headers=headers, timeout=limit)
    assert await acme.person().texts("C0003") == []


async def test_latency_is_half_before_and_half_after_the_effect(acme: Company) -> None:
    """And the record has start and end and the connection."""
    await acme.control(latency_ms=60)
    began = time.monotonic()
    await post(acme)
    assert time.monotonic() - began >= 0.055
    record = (await calls(acme))[-1]
    assert record["done_at"] >= record["at"] + 25
    assert record["connection"].startswith("127.0.0.1:")
    assert (record["ok"], record["error"]) == (True, None)
    assert record["args"] == {"channel": "C0003", "text": "x"}


async def test_tiers_are_enforced_only_when_switched_on(acme: Company) -> None:
    """A post a second and channel after a burst; tier 2 twenty a minute; the window scales."""
    assert {(await post(acme)).status for _ in range(8)} == {200}
    await acme.control(tiers={"enforced": True})
    statuses = [(await post(acme)).status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert (await post(acme)).headers["Retry-After"] == "1"
    assert (await post(acme, channel="C0005")).status == 200
    for _ in range(20):
        await acme.slack.users_list()
    with pytest.raises(SlackApiError, match="ratelimited") as limited:
        await acme.slack.users_list()
    assert limited.value.response.status_code == 429
    await acme.control(tiers={"scale": 0.0001})
    assert {(await post(acme)).status for _ in range(20)} == {200}


async def test_an_outage_answers_503_and_ends_connections(acme: Company) -> None:
    """Until it is over; events wait."""
    await acme.connect(acme.bolt())
    await acme.control(down=True)
    assert acme.workspace.links.connected == 0
    assert (await post(acme)).status == 503
    await acme.person().do("send", channel="C0003", text="into the dark")
    assert acme.workspace.world.deliveries
    await acme.control(reset=True)
    assert (await post(acme)).status == 200


async def test_nonsense_in_control_is_refused(acme: Company) -> None:
    """By name."""
    for body in ({"wind": 1}, {"latency_ms": "much"}, {"faults": [{"sort": "429"}]}):
        async with acme.http.post(f"{acme.base}/simulator/control", json=body) as answer:
            assert answer.status == 400


async def test_everything_outlives_the_process(found: Open, tmp_path: Path) -> None:
    """Messages, channels, pins, views, events not yet delivered, and numbers never reused."""
    path = tmp_path / "workspace.db"
    first = await found(path=path)
    room = (await first.slack.conversations_create(name="inc-1"))["channel"]["id"]
    await first.slack.conversations_invite(channel=room, users="U0001")
    metadata = {"event_type": "x", "event_payload": {}}
    said = await first.slack.chat_postMessage(channel=room, text="kept", metadata=metadata)
    await first.slack.pins_add(channel=room, timestamp=said["ts"])
    await first.slack.chat_postEphemeral(channel=room, user="U0001", text="psst")
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await first.slack.views_publish(user_id="U0001", view=home)
    waiting = set(first.workspace.world.deliveries)
    # No close: a killed process closes nothing, and everything is written already.
    second = await found(path=path)
    assert set(second.workspace.world.deliveries) == waiting
    history = await second.slack.conversations_history(channel=room, include_all_metadata=True)
    kept = next(m for m in history["messages"] if m["ts"] == said["ts"])
    assert (kept["text"], kept["metadata"]) == ("kept", metadata)
    assert len((await second.slack.pins_list(channel=room))["items"]) == 1
    assert "psst" in await second.person().texts(room)
    assert (await second.person().get("home"))["view"]["blocks"][0]["type"] == "divider"
    again = (await second.slack.conversations_create(name="inc-2"))["channel"]["id"]
    assert again != room
    assert (await second.slack.chat_postMessage(channel=room, text="x"))["ts"] > said["ts"]


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize(
    "body",
    [
        {"channel": ["x"], "users": {"a": 1}, "view": "{", "blocks": 7, "limit": "many"},
        dict.fromkeys(("channel", "ts", "name", "user", "timestamp", "view", "metadata"), 1),
    ],
    ids=["odd", "numbers"],
)
async def test_no_nonsense_is_a_server_error(acme: Company, name: str, body: Any) -> None:
    """Every method refuses in Slack's way."""
    taken = {key: value for key, value in body.items() if key in METHODS[name].arguments}
    needed = dict.fromkeys(METHODS[name].required.split(), 1)
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    url = f"{acme.base}/slack/api/{name}"
    async with acme.http.post(url, json=needed | taken, headers=headers) as answer:
        assert answer.status == 200
        assert "ok" in await answer.json()
