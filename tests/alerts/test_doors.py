"""The HTTP doors: who is let in, what is answered, and that nothing is ever a bare 500."""

import asyncio
import base64
import hashlib
import hmac
import io
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.domain.policy import Policy
from bot.inbound.alerts.bodies import BODY_MAX
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor, add_routes
from bot.ports.store import Answer
from bot.usecases.committer import Case
from tests.support.alerts import Recorded, body, scenario, secret_of, signed, wire
from tests.support.doors import Client, Down, Open, Shelves, basic, clients
from tests.support.ears import Ears
from tests.support.ledger import Ledger

DOORS = Doors.of(
    alertmanager_tokens=["token-one", "token-two"],
    alertmanager_basic=["tocsin:pässword"],
    pagerduty_secrets=["new-secret", "old-secret"],
)
BEARER = {"Authorization": "Bearer token-one"}


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with clients() as serve:

        async def make(doors: Doors = DOORS, committer: Any = None, ears: Ears | None = None) -> Client:
            app = web.Application()
            add_routes(app, AlertDoor(committer or Ledger(), doors, Policy(), Shelves(), ears or Ears()))
            return await serve(app)

        yield make


async def post(client: Client, path: str, raw: bytes, headers: Any = ()) -> tuple[int, dict[str, Any]]:
    async with client.post(f"/webhooks/{path}", data=io.BytesIO(raw), headers=headers) as answer:
        assert answer.content_type == "application/json"
        assert answer.headers["X-Request-Id"]
        return answer.status, json.loads(await answer.text())


async def test_a_delivery_is_answered_202_with_what_became_of_each_alert(opened: Open) -> None:
    client = await opened()
    status, told = await post(client, "alertmanager", body(wire(severity="critical"), {"odd": 1}), BEARER)
    assert status == 202
    assert (told["outcome"], told["incident"]) == ("opened", "INC-1")
    assert [set(result) for result in told["results"]] == [{"fingerprint", "outcome", "incident", "reason"}] * 2
    assert told["results"][1] == {
        "fingerprint": "", "outcome": "ignored", "incident": None, "reason": "alert 2 has no fingerprint",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer token-one", 202),
        ("Token token-two", 202),
        (basic("tocsin:pässword"), 202),
        (basic("tocsin:wrong"), 401),
        ("Basic !!!not-base64", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("token-one", 401),
        ("Bearer token-on", 401),
        ("Bearer tökén", 401),
        ("", 401),
    ],
)
async def test_alertmanager_is_let_in_by_a_token_or_a_password(opened: Open, authorization: str, status: int) -> None:
    client = await opened()
    got, told = await post(
        client, "alertmanager", body(wire()), {"Authorization": authorization} if authorization else {}
    )
    assert got == status
    if status == 401:
        assert told["error"] == "unauthorized"
        assert told["message"]


async def test_without_a_secret_the_doors_are_closed_and_say_what_to_set(opened: Open) -> None:
    client = await opened(Doors())
    status, told = await post(client, "alertmanager", body(wire()), BEARER)
    assert (status, told["error"]) == (503, "not_configured")
    assert "TOCSIN_ALERTMANAGER_TOKEN" in told["message"]
    status, told = await post(client, "pagerduty", b"{}")
    assert (status, told["error"]) == (503, "not_configured")


async def test_an_insecure_door_is_open_only_when_it_was_asked_for(opened: Open) -> None:
    client = await opened(Doors.of(alertmanager_insecure=True))
    assert (await post(client, "alertmanager", body(wire())))[0] == 202


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"alerts": {}}', b'{"text": "a replaced payload"}', b"[" * 100_000,
     b'{"alerts": NaN}'],
)  # fmt: skip
async def test_what_is_no_alertmanager_body_is_refused_with_a_reason(opened: Open, raw: bytes) -> None:
    client = await opened()
    status, told = await post(client, "alertmanager", raw, BEARER)
    assert (status, told["error"]) == (422, "unusable")
    assert told["message"].startswith("Not usable: ")
    assert told["request_id"]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        [],
        {},
        {"fingerprint": "f"},
        {"fingerprint": "f", "status": "maybe"},
        {"fingerprint": [], "status": "firing"},
    ],
)
async def test_an_odd_single_alert_is_skipped_and_the_rest_counts(opened: Open, odd: Any) -> None:
    client = await opened()
    status, told = await post(client, "alertmanager", body(odd, wire()), BEARER)
    assert (status, told["outcome"]) == (202, "opened")
    assert [r["outcome"] for r in told["results"]] == ["opened", "ignored"]


async def test_an_alert_of_nothing_but_odd_values_is_taken(opened: Open) -> None:
    client = await opened()
    odd = {
        "fingerprint": 7,
        "status": "firing",
        "labels": [1],
        "annotations": {"a": {}, "b": 3, "": "x"},
        "startsAt": 5,
    }
    status, told = await post(client, "alertmanager", body(odd, truncatedAlerts="many", groupKey=None), BEARER)
    assert (status, told["outcome"]) == (202, "opened")


async def test_five_megabytes_are_taken_and_what_is_over_the_limit_is_refused(opened: Open) -> None:
    client = await opened()
    big = wire() | {"annotations": {"summary": "s", "description": "x" * 5_000_000}}
    assert (await post(client, "alertmanager", body(big), BEARER))[0] == 202
    status, told = await post(client, "alertmanager", b" " * (BODY_MAX + 1), BEARER)
    assert (status, told["error"]) == (413, "too_large")


async def test_a_chunked_body_over_the_limit_is_refused_too(opened: Open) -> None:
    client = await opened()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX // 500_000 + 2):
            yield b" " * 500_000

    async with client.post("/webhooks/alertmanager", data=endless(), headers=BEARER) as answer:
        assert answer.status == 413


async def test_a_broken_encoding_is_refused_with_a_reason(opened: Open) -> None:
    client = await opened()
    headers = BEARER | {"Content-Encoding": "gzip"}
    async with client.post("/webhooks/alertmanager", data=b"not gzip", headers=headers, compress=False) as answer:
        assert answer.status in (400, 422)


async def test_what_could_not_be_saved_is_503_so_that_it_is_sent_again(opened: Open) -> None:
    client = await opened(committer=Down())
    status, told = await post(client, "alertmanager", body(wire()), BEARER)
    assert (status, told["error"]) == (503, "not_saved")
    assert "db.example" not in told["message"]


async def test_the_answer_waits_for_the_commit(opened: Open) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    class Slow(Ledger):
        async def submit(self, case: Case) -> Answer:
            entered.set()
            await leave.wait()
            return self.run(case)

    client = await opened(committer=Slow())
    asked = asyncio.create_task(post(client, "alertmanager", body(wire()), BEARER))
    await entered.wait()
    assert not asked.done()
    leave.set()
    assert (await asked)[0] == 202


async def test_a_large_body_is_read_off_the_event_loop(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.inbound.alerts import alertmanager

    threads = []
    read = alertmanager.Alertmanager.parse

    def watched(self: Any, raw: bytes, headers: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return read(self, raw, headers)

    monkeypatch.setattr(alertmanager.Alertmanager, "parse", watched)
    client = await opened()
    await post(client, "alertmanager", body(wire()), BEARER)
    await post(client, "alertmanager", body(*[wire(f"{n:016x}") for n in range(400)]), BEARER)
    assert threads == [True, False]


async def test_a_request_id_is_taken_or_made_and_reaches_the_timeline(opened: Open) -> None:
    ledger = Ledger()
    client = await opened(committer=ledger)
    await post(client, "alertmanager", body(wire()), BEARER | {"X-Request-Id": "req-7"})
    assert {new.recorded.request_id for new in ledger.all[0].events} == {"req-7"}
    async with client.post("/webhooks/alertmanager", data=b"", headers={"X-Request-Id": "a b\tc"}) as answer:
        assert answer.headers["X-Request-Id"] != "a b\tc"


@pytest.mark.parametrize("name", ["auth-basic", "auth-bearer", "auth-custom-scheme"])
async def test_the_recorded_credentials_open_the_door(opened: Open, name: str) -> None:
    (sent,) = scenario("alertmanager", name)
    scheme, _, credentials = sent.headers["Authorization"].partition(" ")
    doors = (
        Doors.of(alertmanager_basic=[base64.b64decode(credentials).decode()])
        if scheme == "Basic"
        else Doors.of(alertmanager_tokens=[credentials])
    )
    client = await opened(doors)
    assert (await post(client, "alertmanager", sent.raw, sent.headers))[0] == 202


# --- PagerDuty ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["signatures", "official-signature-vector"])
async def test_a_pagerduty_signature_is_judged_as_recorded(opened: Open, name: str) -> None:
    data = scenario("pagerduty", name)
    client = await opened(Doors.of(pagerduty_secrets=[secret_of(name)]))
    for sent in data:
        status = await _raw_post(client, sent)
        if sent.expected != "either":
            assert status == (202 if sent.expected == "accept" else 401), sent.note


async def _raw_post(client: Client, sent: Recorded) -> int:
    """Send the headers' exact bytes, non-ASCII ones included: aiohttp's client would refuse some."""
    assert client.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    lines = [f"{name}: {value}" for name, value in sent.headers.items()]
    head = "\r\n".join(
        ["POST /webhooks/pagerduty HTTP/1.1", "Host: x", f"Content-Length: {len(sent.raw)}", *lines, "", ""]
    )
    writer.write(head.encode() + sent.raw)
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    return int(status)


async def test_a_secret_in_rotation_is_accepted_beside_the_new_one(opened: Open) -> None:
    client = await opened()
    raw = scenario("pagerduty", "duplicates")[0].raw
    both = ",".join(signed(raw, s)["X-PagerDuty-Signature"] for s in ("unknown", "old-secret"))
    assert (await post(client, "pagerduty", raw, {"X-PagerDuty-Signature": both}))[0] == 202


async def test_anything_correctly_signed_is_202(opened: Open) -> None:
    client = await opened(Doors.of(pagerduty_secrets=[secret_of("malformed-but-signed")]))
    for sent in scenario("pagerduty", "malformed-but-signed"):
        status, told = await post(client, "pagerduty", sent.raw, sent.headers)
        assert (status, told["outcome"]) == (202, "ignored")
        assert told["reason"]


async def test_v2_is_taken_and_ignored_and_never_acted_upon(opened: Open) -> None:
    ledger = Ledger()
    client = await opened(committer=ledger)
    for sent in scenario("pagerduty", "v2-legacy"):
        status, told = await post(client, "pagerduty", sent.raw, sent.headers)
        assert (status, told["outcome"]) == (202, "ignored")
        assert "V3" in told["reason"]
    forged = json.dumps({"messages": [], **json.loads(scenario("pagerduty", "duplicates")[0].raw)}).encode()
    assert (await post(client, "pagerduty", forged))[0] == 401
    assert not ledger.incidents
    assert not ledger.loaded.episodes
    topics = [key.split("/")[1] for key in ledger.loaded.notices]
    assert topics == ["legacy", "signature"], "told in the admin channel, once each"


async def test_a_repeated_event_gets_the_first_answer_also_under_another_webhook_id(opened: Open) -> None:
    ledger = Ledger()
    client = await opened(Doors.of(pagerduty_secrets=[secret_of("duplicates")]), ledger)
    answers = [await post(client, "pagerduty", s.raw, s.headers) for s in scenario("pagerduty", "duplicates")]
    assert answers[0] == answers[1] == answers[2] == answers[5]
    assert len(ledger.all) == 2


def test_the_secrets_show_in_no_repr() -> None:
    assert repr(DOORS) == "Doors(…)"
    assert "token-one" not in repr(AlertDoor(Ledger(), DOORS, Policy(), Shelves()))


def test_the_signature_is_an_hmac_of_the_raw_body() -> None:
    raw = b'{"a":1}'
    assert signed(raw, "s")["X-PagerDuty-Signature"] == "v1=" + hmac.new(b"s", raw, hashlib.sha256).hexdigest()


async def test_each_delivery_is_counted_with_its_source_and_what_became_of_it(opened: Open) -> None:
    ears = Ears()
    client = await opened(ears=ears)
    raw = body(wire(severity="critical"))
    for given, headers in ((raw, BEARER), (raw, {}), (b"{", BEARER), (b"x" * (BODY_MAX + 1), BEARER)):
        await post(client, "alertmanager", given, headers)
    down = await opened(Doors.of(alertmanager_insecure=True), committer=Down(), ears=ears)
    await post(down, "alertmanager", raw)
    assert ears.of("received") == [
        ("alertmanager", outcome) for outcome in ("opened", "unauthorized", "invalid", "invalid", "unavailable")
    ]
