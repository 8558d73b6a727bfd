"""An attempt that we gave up still reaches Slack after its repeat: the copy is taken away again, and it is told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.delivery import retry
from bot.simulator.control import CallRecord
from tests.faults.site import ROOM, Site, open_site
from tests.faults.weather import whose

ARRIVES_AFTER = 2.3
"""Seconds: the repeat has looked and posted by then (0.7 s without an answer, at most 0.2 s of back-off)."""
GONE_WITHIN = 5.0


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine needs the time for what it does, not for waiting."""
    monkeypatch.setattr(retry, "BASE", 0.1)


def delay(site: Site, picked: Callable[[CallRecord], bool]) -> None:
    """Let the first call that is `picked` take so long to reach Slack."""
    control = site.workspace.control
    left = [ARRIVES_AFTER]

    def pause() -> float:
        if left and picked(control.calls[-1]):
            return 2 * left.pop()  # half of it passes before the effect
        return 0.0

    control.pause = pause  # type: ignore[method-assign]


async def seen(look: Callable[[], bool], within: float) -> None:
    """Wait until `look` sees it: the workspace tells nobody what stands in it."""
    async with asyncio.timeout(within):
        while not look():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_message_that_comes_late_is_deleted_within_five_seconds_and_on_record(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        await site.declare("sev3 Checkout is down")

        def is_update(call: CallRecord) -> bool:
            return call.method == "chat.postMessage" and "we know more" in str(call.args.get("text"))

        delay(site, is_update)
        await site.say(ROOM, "/incident update we know more")
        await site.quiet()
        await seen(lambda: site.twice() != [], 10)
        await seen(lambda: site.twice() == [], GONE_WITHIN)
        left = [m for m in site.messages(ROOM) if "we know more" in str(m.get("text")) and m.get("metadata")]
        assert len(left) == 1
        removed = [call for call in site.workspace.control.calls if call.method == "chat.delete"]
        assert len(removed) == 1
        assert removed[0].args["ts"] != left[0]["ts"]
        record: list[str] = []
        while not record:
            await site.committed.wait()
            site.committed.clear()
            seen_there = [entry.observation for entry in await site.database.entries(1)]
            record = [one.text for one in seen_there if one.kind == "delivered"]
        assert record == ["a copy that came late was removed"]


async def test_a_card_that_comes_late_leaves_the_one_that_is_kept_up_to_date(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:

        def is_card(call: CallRecord) -> bool:
            called = whose(call.method)
            return called is not None and called.pair == ("post_card", "chat.postMessage")

        delay(site, is_card)
        await site.declare("sev3 Checkout is down")
        await seen(lambda: site.twice() != [], 10)
        await seen(lambda: site.twice() == [], GONE_WITHIN)
        state = await site.database.incident(1)
        assert state
        cards = [m["ts"] for m in site.messages(ROOM) if m["ts"] == state.messages["card"].ts]
        assert len(cards) == 1


async def test_a_bookmark_that_comes_late_is_removed(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        delay(site, lambda call: call.method == "bookmarks.add")
        await site.declare("sev3 Checkout is down")
        room = site.channel(ROOM)

        def links() -> list[str]:
            return sorted(bookmark["link"] for bookmark in room.bookmarks)

        wanted = sorted(set(links()))
        await seen(lambda: len(links()) > len(wanted), 10)
        await seen(lambda: links() == wanted, GONE_WITHIN)


@pytest.mark.parametrize(
    ("method", "first", "then"),
    [("chat.update", "title Checkout is looked at", "title Checkout is slow"),
     ("conversations.setTopic", "status identified", "status monitoring")],
)  # fmt: skip
async def test_an_older_picture_that_comes_late_does_not_stay(
    tmp_path: Path, method: str, first: str, then: str
) -> None:
    """The card and the topic end with what is so, whatever arrives when."""
    old, new = (words.partition(" ")[2] for words in (first, then))
    async with open_site(tmp_path) as site:
        await site.declare("sev3 Checkout is down")
        state = await site.database.incident(1)
        assert state
        card, room = state.messages["card"].ts, site.channel(ROOM)

        def shows(words: str) -> bool:
            if method == "conversations.setTopic":
                return words in str(room.topic["value"])
            return words in str(next(m for m in site.messages(ROOM) if m["ts"] == card))

        delay(site, lambda call: call.method == method and old in str(call.args))
        await site.say(ROOM, f"/incident {first}")
        await site.quiet()
        await site.say(ROOM, f"/incident {then}")
        await seen(lambda: shows(new), 10)
        await seen(lambda: shows(old), 10)
        await seen(lambda: shows(new), GONE_WITHIN)
        await site.quiet()
        assert shows(new)
