"""On-call as people meet it: a test page and its button, an override that is paged, a card that follows the call."""

from pathlib import Path
from typing import Any

from bot.render.slack import ids
from tests.faults.site import ROOM, Site, open_site
from tests.support.demo import words_of

ANN, BEN, CAT = "U0001", "U0002", "U0003"
CONFIG = """
organization: {name: Acme, timezone: Europe/Berlin}
channels: {announce: incidents}
oncall: {primary: {timezone: Europe/Berlin, people: [U0002]}}
escalations: {default: {levels: [{targets: [{schedule: primary}, {pagerduty: default}]}]}}
"""


async def press_in_direct(site: Site, user: str, action: str) -> None:
    """Press a button in the conversation with the bot."""
    world = site.workspace.world
    room = next(c for c in world.channels.values() if c.is_direct and user in c.members)
    for message in world.history(room):
        for block in message.get("blocks") or ():
            for button in block.get("elements") or ():
                if button.get("action_id") == action:
                    body: dict[str, Any] = {"as": user, "channel": room.id, "ts": message["ts"]}
                    body |= {"block_id": block["block_id"], "action_id": action}
                    body |= {"value": {"type": "button", "value": button["value"]}}
                    async with site.http.post(f"{site.base}/simulator/action", json=body) as answer:
                        assert answer.status == 200, await answer.text()
                    return
    raise AssertionError(f"no button {action} for {user}")


def told(site: Site, user: str) -> str:
    return "\n".join(words_of(message) for message in site.direct(user))


def the_card(site: Site) -> str:
    return next(words_of(message) for message in site.messages(ROOM) if "Called:" in words_of(message))


async def test_a_test_page_arrives_is_answered_and_whoever_asked_hears_of_both_ways(tmp_path: Path) -> None:
    async with open_site(tmp_path, config=CONFIG) as site:
        await site.say("incidents", "/incident page --test shop", ANN)
        await site.quiet()
        assert "This is a test" in told(site, BEN)
        (events,) = site.vendors.pager.alerts.values()
        assert events == ["trigger", "resolve"]
        assert "The pager default took the test" in told(site, ANN)
        await press_in_direct(site, BEN, ids.GOT_IT)
        await site.quiet()
        assert "has got the test page" in told(site, ANN)
        assert await site.database.incidents() == []


async def test_whom_an_override_put_on_call_is_paged_and_the_card_follows_them(tmp_path: Path) -> None:
    async with open_site(tmp_path, config=CONFIG) as site:
        await site.say("incidents", f"/incident oncall override primary <@{CAT}> for 4h", ANN)
        await site.quiet()
        assert "You are on call in primary" in told(site, CAT)
        await site.say("incidents", "/incident declare sev1 Checkout is down", ANN)
        await site.quiet()
        assert "needs you" in told(site, CAT)
        assert "needs you" not in told(site, BEN)
        card = the_card(site)
        assert f"<@{CAT}>: 📨 told" in card
        assert "default: 📨 took the page" in card
        await site.say(ROOM, "/incident ack", CAT)
        await site.quiet()
        assert f"<@{CAT}>: ✅ acknowledged" in the_card(site)


async def test_the_change_of_hands_by_an_override_is_told_by_the_bell(tmp_path: Path) -> None:
    async with open_site(tmp_path, config=CONFIG) as site:
        await site.say("incidents", f"/incident oncall override primary <@{CAT}> for 4h", ANN)
        await site.quiet()
        (tick,) = [tick for tick in site.house.ticker._ticks if tick.name == "handover"]
        for _ in range(2):
            await tick.run()
            await site.quiet()
        notes = [words_of(m) for m in site.messages("incidents") if "is on call" in words_of(m)]
        assert len(notes) == 1
        assert f"<@{CAT}> is on call" in notes[0]
        assert "Your shift in primary is over" in told(site, BEN)
