"""A delivery that gave up says why and what mends it; then a person presses Try again, and all is made good."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.domain.events import DeliveryFailed
from bot.render.slack import ids
from bot.usecases.cases import Request
from tests.faults.site import ROOM, Site, open_site
from tests.scenarios.test_slack_down import TOKEN, served
from tests.support.demo import words_of

CLI = Request("cli:ann", surface="cli")
DECLARE = "/incident declare sev1 Checkout is down #checkout"


@contextmanager
def without(site: Site, *scopes: str) -> Iterator[None]:
    """The app lacks `scopes`, until somebody installs it again."""
    granted = site.workspace.world.settings.manifest["oauth_config"]["scopes"]["bot"]
    whole = list(granted)
    assert set(scopes) <= set(whole)
    granted[:] = [scope for scope in whole if scope not in scopes]
    try:
        yield
    finally:
        granted[:] = whole


def card(site: Site) -> str:
    """What the card says."""
    return words_of(next(m for m in site.messages(ROOM) if m.get("metadata")))


async def looked_up(site: Site, text: str) -> Any:
    """Return what the command line is shown."""
    outcome = await site.house.slack.refill._counter.desk.do(text, CLI)
    return outcome.data  # type: ignore[union-attr]


async def test_what_failed_names_its_mend_everywhere_and_works_once_mended(tmp_path: Path) -> None:
    async with open_site(tmp_path, TOCSIN_API_TOKENS=TOKEN) as site:
        with without(site, "pins:write"):
            await site.say("incidents", DECLARE)
            await site.quiet()
        said = card(site)
        assert "Could not:* pin the card" in said
        assert "pins.add: missing_scope (needs pins:write)" in said
        assert "tocsin manifest" in said
        assert "press Try again" in said
        (failed,) = [i.event for i in await site.database.events(1) if isinstance(i.event, DeliveryFailed)]
        (line,) = [one["text"] for one in await looked_up(site, "timeline INC-1") if one["kind"] == "delivery_failed"]
        assert (failed.error in line, failed.mend in line) == (True, True)
        (shown,) = (await looked_up(site, "status INC-1"))["failures"]
        assert (shown["what"], shown["error"], shown["mend"]) == ("pin the card", failed.error, failed.mend)

        async with served(site) as (base, browser), browser.get(f"{base}/incidents/1") as answer:
            page = await answer.text()
        assert (answer.status, "To mend it:" in page, "missing_scope" in page) == (200, True, True)

        assert site.channel(ROOM).pins == []
        assert await site.press(ids.RETRY)
        await site.quiet()
        assert len(site.channel(ROOM).pins) == 1
        assert "Could not" not in card(site)
        assert site.twice() == []


async def test_tried_again_too_early_it_says_so_once_more(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        with without(site, "pins:write"):
            await site.say("incidents", DECLARE)
            await site.quiet()
            assert await site.press(ids.RETRY)
            await site.quiet()
            assert "Could not:* pin the card" in card(site)
        await site.house.slack.refill._counter.desk.do("retry INC-1", CLI)
        await site.quiet()
        assert "Could not" not in card(site)
        assert len(site.channel(ROOM).pins) == 1


async def test_a_channel_that_cannot_be_opened_is_told_to_everybody_and_opened_after_the_mend(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        with without(site, "channels:manage"):
            await site.say("incidents", DECLARE)
            await site.quiet()
        assert site.channel(ROOM) is None
        told = "\n".join(words_of(m) for m in site.direct("U0001"))
        assert "I could not open the channel" in told
        assert "conversations.create: missing_scope (needs channels:manage" in told
        assert "press Try again" in told
        (announced,) = [m for m in site.messages("incidents") if m.get("metadata")]
        assert "Its channel could not be opened" in words_of(announced)
        assert "missing_scope" in words_of(announced)
        (shown,) = (await looked_up(site, "status INC-1"))["failures"]
        assert shown["what"] == "open the channel"
        await site.house.slack.refill._counter.desk.do("update INC-1 we look into it", CLI)

        assert await press_in(site, "incidents", ids.RETRY)
        await site.quiet()
        assert site.channel(ROOM) is not None
        (announced,) = [m for m in site.messages("incidents") if m.get("metadata")]
        assert "could not be opened" not in words_of(announced)
        assert f"<#{site.channel(ROOM).id}>" in words_of(announced)
        assert any("we look into it" in words_of(m) for m in site.messages(ROOM) if m.get("metadata"))
        assert site.twice() == []


async def test_a_channel_that_failed_for_an_incident_nobody_in_slack_declared_is_announced_too(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        with without(site, "channels:manage"):
            await site.house.slack.refill._counter.desk.do("declare sev2 Search is slow", CLI)
            await site.quiet()
            await site.house.slack.refill._counter.desk.do("declare sev2 Payroll leaked --private", CLI)
            await site.quiet()
        said = "\n".join(words_of(m) for m in site.messages("incidents"))
        assert "Its channel could not be opened" in said
        assert "Payroll" not in said


async def press_in(site: Site, channel: str, action: str) -> bool:
    """Press that button in a channel; False if there is none."""
    for message in site.messages(channel):
        for block in message.get("blocks") or ():
            button = block.get("accessory") or {}
            if button.get("action_id") != action:
                continue
            body = {"as": "U0001", "channel": site.channel(channel).id, "ts": message["ts"]}
            body |= {"block_id": block["block_id"], "action_id": action}
            body |= {"value": {"type": "button", "value": button["value"]}}
            async with site.http.post(f"{site.base}/simulator/action", json=body) as answer:
                return answer.status == 200
    return False
