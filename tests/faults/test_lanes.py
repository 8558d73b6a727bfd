"""What goes wrong in one channel holds up no other."""

import asyncio
from pathlib import Path

from tests.faults.site import PATIENCE, ROOM, Site, open_site
from tests.faults.weather import Called
from tests.support.demo import words_of

OTHER = "inc-2-search-is-slow"


def said(site: Site, channel: str, text: str) -> int:
    """Count the messages that say it; the card, which shows the last one too, is none of them."""
    words = [words_of(m) for m in site.messages(channel) if m.get("metadata")]
    return sum(one.startswith("*Update*") and text in one for one in words)


async def test_a_channel_whose_messages_never_get_through_holds_up_no_other(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        await site.say("incidents", "/incident declare sev3 Checkout is down")
        await site.say("incidents", "/incident declare sev3 Search is slow")
        await site.quiet()
        silent = site.channel(ROOM).id
        calls = site.workspace.control.calls

        def no_answer_in_the_first(called: Called) -> bool:
            return called.kind == "tell" and calls[-1].args["channel"] == silent

        site.weather.strike("silence", no_answer_in_the_first)
        await site.say(ROOM, "/incident update into the void")
        for n in range(4):
            await site.say(OTHER, f"/incident update number {n}")
        async with asyncio.timeout(PATIENCE):
            while said(site, OTHER, "number 3") == 0:
                site.committed.clear()
                await site.committed.wait()
        assert site.weather.struck.total() > 0
        assert said(site, ROOM, "into the void") == 0, "it is still being tried"
        others = [call for call in calls if call.method == "chat.postMessage" and call.args["channel"] != silent]
        told = [call for call in others if "> number" in call.args["text"]]
        assert len(told) == 4, "each went out once, at the first attempt"
        site.weather.clear()
        await site.quiet()
        assert said(site, ROOM, "into the void") == 1
        assert site.twice() == []
