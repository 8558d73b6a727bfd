"""PagerDuty drops what gets a 4xx, and its feed after three: on our own listener only a wrong signature gets one."""

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from bot.domain.policy import Policy
from bot.inbound.alerts import web as door_web
from bot.inbound.alerts.bodies import BODY_MAX
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor, add_routes
from bot.inbound.patience import in_time
from bot.wiring.serving import listening, open_listener
from tests.support.alerts import body, signed, wire
from tests.support.doors import Shelves
from tests.support.ears import Ears
from tests.support.ledger import Ledger
from tests.support.pagerduty import event_body, incident

SECRET = "new-secret"
RAW = event_body("E1", "triggered", incident(), "2026-11-22T12:00:01Z")


class Served:
    """The doors, behind what `tocsin serve` listens with."""

    def __init__(self, base: str, http: aiohttp.ClientSession, ledger: Ledger, ears: Ears) -> None:
        self.base, self.http, self.ledger, self.ears = base, http, ledger, ears

    async def post(self, data: Any, headers: Any, source: str = "pagerduty") -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.base}/webhooks/{source}", data=data, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    ledger, ears = Ledger(), Ears()
    doors = Doors.of(pagerduty_secrets=[SECRET], alertmanager_tokens=["t"])
    app = web.Application()
    add_routes(app, AlertDoor(ledger, doors, Policy(), Shelves(), ears, "acme"))
    listener = open_listener("127.0.0.1", 0)
    host, port = listener.getsockname()
    async with listening(app, listener), aiohttp.ClientSession() as http:
        yield Served(f"http://{host}:{port}", http, ledger, ears)


async def test_a_body_that_stalls_is_asked_for_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_web, "in_time", partial(in_time, patience=0.05))
    over = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield RAW[:20]
        await over.wait()

    status, told = await served.post(half(), signed(RAW, SECRET))
    over.set()
    assert (status, told["error"]) == (503, "not_arrived")


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "x" * 30])
async def test_an_encoding_that_nobody_here_knows_is_no_reason_for_a_four_hundred(
    served: Served, encoding: str
) -> None:
    status, told = await served.post(b"\x8b\x00junk", {"Content-Encoding": encoding, **signed(RAW, SECRET)})
    assert (status, told["error"]) == (503, "unreadable")
    assert served.ears.of("oddity") == [], "no wrong signature: it could not be checked"
    status, told = await served.post(RAW, {"Content-Encoding": encoding, **signed(RAW, SECRET)})
    assert (status, told["outcome"]) == (202, "ignored")
    (kept,) = served.ledger.all[-1].unusable
    assert "encoding" in kept.reason


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize("signs", ["what it means", "what was sent"])
async def test_a_body_that_was_packed_on_its_way_is_read(served: Served, encoding: str, pack: Any, signs: str) -> None:
    packed = pack(RAW)
    headers = {"Content-Encoding": encoding, **signed(RAW if signs == "what it means" else packed, SECRET)}
    status, told = await served.post(io.BytesIO(packed), headers)
    assert (status, told["outcome"]) == (202, "opened")


async def test_a_small_body_that_means_a_huge_one_is_not_unpacked(served: Served) -> None:
    packed = gzip.compress(b" " * (BODY_MAX + 1))
    status, told = await served.post(io.BytesIO(packed), {"Content-Encoding": "gzip", **signed(packed, SECRET)})
    assert (status, told["outcome"]) == (202, "ignored")
    status, told = await served.post(
        io.BytesIO(packed), {"Content-Encoding": "gzip", "Authorization": "Bearer t"}, "alertmanager"
    )
    assert status == 413


@pytest.mark.parametrize("packed", [b"\x1f\x8bjunk", b"junk", gzip.compress(RAW)[:-9], b""])
async def test_a_broken_encoding_is_kept_if_signed_and_asked_for_again_if_not(served: Served, packed: bytes) -> None:
    assert (await served.post(packed, {"Content-Encoding": "gzip", **signed(packed, SECRET)}))[0] == 202
    assert (await served.post(packed, {"Content-Encoding": "gzip", **signed(RAW, SECRET)}))[0] in (401, 503)


@pytest.mark.parametrize("size", [8_000, 9_000, 60_000])
async def test_a_long_header_is_no_reason_for_a_four_hundred(served: Served, size: int) -> None:
    status, told = await served.post(RAW, {"X-Custom": "x" * size, **signed(RAW, SECRET)})
    assert (status, told["outcome"]) == (202, "opened")


@pytest.mark.parametrize("order", [("wrong", SECRET), (SECRET, "wrong")])
async def test_a_signature_may_stand_on_any_line_of_its_header(served: Served, order: tuple[str, str]) -> None:
    headers = CIMultiDict([one for secret in order for one in signed(RAW, secret).items()])
    assert (await served.post(RAW, headers))[0] == 202


async def test_only_wrong_signatures_are_refused(served: Served) -> None:
    for headers in ({}, signed(RAW, "wrong"), {"X-PagerDuty-Signature": ""}):
        status, told = await served.post(RAW, headers)
        assert (status, told["error"]) == (401, "unauthorized")
    assert served.ears.of("oddity") == [("pagerduty", "signature")] * 3


async def test_alertmanager_may_send_its_token_on_a_second_line(served: Served) -> None:
    headers = CIMultiDict([("Authorization", "Bearer other"), ("Authorization", "Bearer t")])
    assert (await served.post(body(wire(severity="critical")), headers, "alertmanager"))[0] == 202
    wrong = CIMultiDict([("Authorization", "Bearer other"), ("Authorization", "")])
    assert (await served.post(body(wire()), wrong, "alertmanager"))[0] == 401
