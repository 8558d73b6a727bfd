"""A digest meets every misfortune that passes: all that waited is told once, in order, whatever was lost."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain import folding
from bot.usecases.cases import Request
from tests.faults.site import PATIENCE, ROOM, Site, open_site
from tests.faults.surroundings import CONFIG, hurry
from tests.faults.weather import Called
from tests.support.demo import words_of

KINDS = (
    "calm", "429", "ratelimited", "500", "503", "reset_before", "reset_after", "silence", "silence_after", "malformed",
)  # fmt: skip
SIDE_BY_SIDE = 4
UPDATES = 4
CLI = Request("cli:ann", surface="cli")
HURRIED = CONFIG.replace("lease: 3s}", "lease: 3s, fold_after: 1s}")
PATIENT = HURRIED.replace("call_timeout: 0.8s, lease: 3s", "call_timeout: 5s, lease: 8s")
"""Where nobody is silent, nothing hangs on how fast this machine is."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What stands in the channel after an outage and one misfortune more: (payload, words) of each message."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(kind: str) -> list[tuple[dict[str, str], str]]:
        async with places, asyncio.timeout(PATIENCE):
            return await run(kind, tmp_path_factory.mktemp("run"))

    async def all_of_them() -> dict[str, Any]:
        return dict(zip(KINDS, await asyncio.gather(*map(one, KINDS), return_exceptions=True), strict=True))

    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        patch.setattr(folding, "EACH_TAKES", timedelta(0))
        return asyncio.run(all_of_them())


async def run(kind: str, folder: Path) -> list[tuple[dict[str, str], str]]:
    """Four updates wait through an outage; the message that tells them meets `kind`; one more comes to wait."""
    async with open_site(folder, config=HURRIED if kind.startswith("silence") else PATIENT) as site:
        await site.declare("sev2 Checkout is down")
        before = len(site.messages(ROOM))
        site.weather.strike("503", lambda called: True)
        desk = site.house.slack.refill._counter.desk
        for n in range(UPDATES):
            await desk.do(f"update INC-1 number {n}", CLI)
        await asyncio.sleep(1.2)  # the outage lasts
        met: list[str] = []

        def once(called: Called) -> bool:
            new = called.pair == ("tell", "chat.postMessage") and not met and kind != "calm"
            met.extend(["tell"] if new else [])
            return new

        site.weather.strike(kind, once)
        if kind != "calm":
            await _struck(site, met)
        await desk.do(f"update INC-1 number {UPDATES}", CLI)
        await site.quiet()
        said = [m for m in site.messages(ROOM)[before:] if m.get("metadata")]
        return [(m["metadata"]["event_payload"], words_of(m)) for m in said]


async def _struck(site: Site, met: list[str]) -> None:
    while not met:
        site.committed.clear()
        await asyncio.wait_for(site.committed.wait(), 5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_waited_is_told_once_and_in_order(kind: str, runs: dict[str, Any]) -> None:
    said = runs[kind]
    if isinstance(said, BaseException):
        raise said
    digests = [payload for payload, _ in said if "folded" in payload]
    assert len(digests) == 1, said
    effects = [effect for payload, _ in said for effect in (payload["effect"], *payload.get("folded", "").split())]
    assert [one for one, times in Counter(effects).items() if times > 1] == []
    assert len(effects) == UPDATES + 1
    text = "\n".join(words for _, words in said)
    places = [text.index(f"number {n}") for n in range(UPDATES + 1)]
    assert places == sorted(places)
    assert "could not be reached for" in text
