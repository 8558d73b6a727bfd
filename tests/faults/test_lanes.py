"""What goes wrong in one channel holds up no other, nor anything else of its own incident."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.site import PATIENCE, ROOM, Attempt, Site, open_site
from tests.faults.surroundings import CONFIG
from tests.faults.weather import Called
from tests.support.demo import words_of

OTHER, THIRD = "inc-2-search-is-slow", "inc-3-mail-is-late"
ENDLESS = 10 * PATIENCE
"""Seconds for which a limit or a silence lasts: whoever waited for its end would not be done in time."""
LONG_CALLS = CONFIG.replace("{call_timeout: 0.8s, lease: 3s}", f"{{call_timeout: {ENDLESS}s, lease: {2 * ENDLESS}s}}")


def said(site: Site, channel: str, text: str) -> int:
    """Count the messages that say it; the card, which shows the last one too, is none of them."""
    words = [words_of(m) for m in site.messages(channel) if m.get("metadata")]
    return sum(one.startswith("*Update*") and text in one for one in words)


def gone_on(site: Site) -> dict[str, bool]:
    """What was asked for while one channel waits, and whether it has been done."""
    third = site.channel(THIRD)
    return {
        "updates elsewhere": said(site, OTHER, "number 1") == 1,
        "an acknowledgement elsewhere": any("acknowledged" in words_of(m) for m in site.messages(OTHER)),
        "a new incident": third is not None and len(third.pins) == 1 and len(third.bookmarks) > 0,
        "a page of the same incident": any("INC-1" in words_of(m) for m in site.direct("U0003")),
        "the card of the same incident": any("into the void" in words_of(m) for m in site.messages(ROOM)),
        "the public page": any("we look into it" in str(one) for one in site.vendors.page.incidents.values()),
    }


def into_the_void(site: Site) -> list[Attempt]:
    """The attempts to say what cannot be said."""
    channel = site.channel(ROOM)
    here = [one for one in site.attempts if one.job.state.room and one.job.state.room.channel == channel.id]
    return [one for one in here if one.job.effect.kind == "tell" and "void" in str(one.job.event.event)]


@pytest.mark.parametrize("kind", ["silence", "429"])
async def test_all_else_goes_on_while_one_channel_waits_out_a_silence_or_a_limit(tmp_path: Path, kind: str) -> None:
    async with open_site(tmp_path, config=LONG_CALLS) as site:
        await site.declare("sev3 Checkout is down #checkout")
        await site.declare("sev3 Search is slow")
        calls, silent = site.workspace.control.calls, site.channel(ROOM).id

        def in_the_first(called: Called) -> bool:
            return called.pair == ("tell", "chat.postMessage") and calls[-1].args["channel"] == silent

        site.weather.strike(kind, in_the_first, retry_after=ENDLESS)
        before = len(site.attempts)
        await site.say(ROOM, "/incident update into the void")
        async with asyncio.timeout(PATIENCE):
            for n in range(2):
                await site.say(OTHER, f"/incident update number {n}")
            await site.say(OTHER, "/incident ack")
            await site.say(ROOM, "/incident page @U0003 because we need you")
            for text in ("draft we look into it", "approve", "publish"):
                await site.say(ROOM, f"/incident public {text}")
            await site.say("incidents", "/incident declare sev3 Mail is late")
            try:
                while not all(gone_on(site).values()):
                    site.committed.clear()
                    await site.committed.wait()
            except asyncio.CancelledError:
                raise AssertionError([what for what, done in gone_on(site).items() if not done]) from None
        assert site.weather.struck.total() == 1
        assert len(into_the_void(site)) == 1, "it still waits: for an answer, or until it may be tried again"
        assert said(site, ROOM, "into the void") == 0
        others = [one for one in site.attempts[before:] if one not in into_the_void(site)]
        assert [one.error for one in others if one.error and one.error != "no answer"] == []
        assert max(one.job.attempt for one in others) == 1, "each went out once, at the first attempt"
        if kind == "silence":
            site.weather.clear()
            site.workspace._gate.closing.set()  # the line is torn at last
            await site.quiet()
            assert said(site, ROOM, "into the void") == 1
            assert site.twice() == []
