"""What people see beside the commands: undo, rename, archive and return, late joiners, pins, handoff, Home, shortcuts.

The real house beside the simulated workspace, in one process, so that two minutes need not pass for "late".
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.domain.events import RunbookAttached
from bot.inbound.slack.events import members
from bot.render.slack import ids, mrkdwn
from bot.render.slack.views import VALUE
from tests.faults.site import Site, open_site
from tests.faults.surroundings import CONFIG
from tests.support.demo import Person, words_of

T = TypeVar("T")
ANNA, BEN, CHLOE, EMEKA = "U0001", "U0002", "U0003", "U0005"
ROOM = "inc-1-checkout-is-down"
SURFACES = CONFIG.replace(
    "archive_after: 0.5s", 'archive_after: 0.5s, call: "https://meet.example/{{ key|lower }}"'
).replace("delivery: {call_timeout: 0.8s, lease: 3s}", "delivery: {call_timeout: 2s, lease: 4s}")


class Desk:
    """People at the workspace, each action off the event loop that serves it."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def does(self, user: str, act: Callable[[Person], T]) -> T:
        """Let `user` act, and wait until everything that follows is delivered."""
        done = await asyncio.to_thread(act, Person(self.site.base, user))
        await self.site.quiet()
        return done

    async def says(self, user: str, channel: str, text: str) -> None:
        await self.does(user, lambda person: person.say(channel, text))

    async def sees(self, user: str, channel: str, pattern: str) -> dict[str, Any]:
        return await self.does(user, lambda person: person.sees(channel, pattern))

    async def declares(self, text: str = "sev2 Checkout is down #checkout") -> None:
        await self.says(ANNA, "incidents", f"/incident declare {text}")

    async def home(self, user: str) -> dict[str, Any]:
        """What App Home shows, once it is opened and drawn."""
        await self.site.open_home(user)
        await self.site.quiet()
        views = self.site.workspace.world.views.values()
        return next(view for view in views if view["type"] == "home" and view["_user"] == user)

    async def presses_at_home(self, user: str, action: str) -> None:
        view = await self.home(user)
        block, element = next(
            (block, element)
            for block in view["blocks"]
            for element in [*block.get("elements", ()), block.get("accessory") or {}]
            if action in (element.get("action_id", ""), element.get("action_id", "").partition(":")[0])
        )
        value = {"type": "button", "value": element["value"]}
        place = {"view_id": view["id"], "block_id": block["block_id"], "action_id": element["action_id"]}
        answer = await self.does(user, lambda person: person.post("/simulator/action", **place, value=value))
        assert answer["ok"], answer

    def modal(self, user: str) -> dict[str, Any]:
        """The window in sight."""
        views = self.site.workspace.world.views.values()
        return [view for view in views if view["type"] == "modal" and view["_user"] == user][-1]

    def has_window(self, user: str) -> bool:
        views = self.site.workspace.world.views.values()
        return any(view["type"] == "modal" and view["_user"] == user for view in views)

    async def presses_in_window(self, user: str, action: str) -> None:
        """Press the button of that action id in the window in sight."""
        view = self.modal(user)
        block, button = next(
            (block, one)
            for block in view["blocks"]
            for one in [*block.get("elements", ()), block.get("accessory") or {}]
            if one.get("action_id") == action
        )
        value = {"type": "button", "value": button["value"]}
        place = {"view_id": view["id"], "block_id": block["block_id"], "action_id": action}
        answer = await self.does(user, lambda person: person.post("/simulator/action", **place, value=value))
        assert answer["ok"], answer

    async def submits(self, user: str, /, **fields: str) -> dict[str, Any]:
        """Fill in the form in sight and send it; return what the page is told."""
        view = self.modal(user)
        kinds = {block["block_id"]: block["element"]["type"] for block in view["blocks"] if block["type"] == "input"}
        values = {name: {VALUE: _filled(kinds[name], value)} for name, value in fields.items()}
        place = {"view_id": view["id"], "values": values}
        answer: dict[str, Any] = await self.does(user, lambda person: person.post("/simulator/submit", **place))
        assert answer["ok"], answer
        return answer

    async def uses_shortcut(self, user: str, callback_id: str) -> None:
        used = {"callback_id": callback_id}
        answer = await self.does(user, lambda person: person.post("/simulator/shortcut", **used))
        assert answer["ok"], answer


def _filled(kind: str, value: str) -> dict[str, Any]:
    """An input's state, as Slack tells it."""
    if kind == "static_select":
        return {"type": kind, "selected_option": {"value": value, "text": {"type": "plain_text", "text": value}}}
    return {"type": kind, "selected_user" if kind == "users_select" else "value": value}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_site(tmp_path, config=SURFACES) as site:
        yield Desk(site)


async def test_an_undone_declaration_takes_its_channel_along_and_is_struck_through_where_it_was_told(
    desk: Desk,
) -> None:
    await desk.declares()
    await desk.does(ANNA, lambda anna: anna.click("incidents", ids.UNDO))
    room = desk.site.channel(ROOM)
    assert (room.name, room.is_archived) == (f"void-{ROOM}", True)
    announced = [words_of(m) for m in desk.site.messages("incidents")]
    assert any(re.search(r"~.*INC-1 Checkout is down.*~ · .*Cancelled", text) for text in announced)


async def test_a_declaration_by_shortcut_is_undone_in_the_window_that_answers_it(desk: Desk) -> None:
    await desk.uses_shortcut(ANNA, ids.SHORTCUT_DECLARE)
    await desk.submits(ANNA, title="Checkout is down", severity="sev2")
    assert "INC-1" in words_of(desk.modal(ANNA))
    await desk.presses_in_window(ANNA, ids.UNDO)
    assert desk.site.channel(ROOM).is_archived
    assert "archive" in words_of(desk.modal(ANNA))


async def test_who_declares_from_home_takes_command_in_the_window_that_answers(desk: Desk) -> None:
    await desk.presses_at_home(ANNA, ids.DECLARE)
    await desk.submits(ANNA, title="Checkout is down", severity="sev1")
    await desk.presses_in_window(ANNA, ids.TAKE_LEAD)
    state = await desk.site.database.incident(1)
    assert state
    assert state.lead == ANNA


async def test_the_form_warns_of_what_is_open_and_joins_that_instead(desk: Desk) -> None:
    await desk.declares()
    await desk.uses_shortcut(EMEKA, ids.SHORTCUT_DECLARE)
    await desk.submits(EMEKA, title="Checkout broken again", severity="sev3")
    warned = words_of(desk.modal(EMEKA))
    assert "Nothing is declared yet" in warned
    assert "INC-1" in warned
    await desk.presses_in_window(EMEKA, f"{ids.JOIN}:0")
    assert EMEKA in desk.site.channel(ROOM).members
    assert await desk.site.database.incident(2) is None


async def test_what_was_warned_of_can_be_declared_all_the_same(desk: Desk) -> None:
    await desk.declares()
    await desk.uses_shortcut(EMEKA, ids.SHORTCUT_DECLARE)
    await desk.submits(EMEKA, title="Checkout broken again", severity="sev3")
    await desk.submits(EMEKA)
    state = await desk.site.database.incident(2)
    assert state
    assert (state.title, state.severity) == ("Checkout broken again", "sev3")


async def test_behind_more_a_person_is_paged_from_a_form_that_closes_everything(desk: Desk) -> None:
    await desk.declares()
    await desk.does(ANNA, lambda anna: anna.click(ROOM, ids.MORE))
    await desk.presses_in_window(ANNA, "open:page")
    await desk.submits(ANNA, user=EMEKA, text="you know the pool")
    assert not desk.has_window(ANNA)
    (call,) = [m for m in desk.site.direct(EMEKA) if "needs you" in words_of(m)]
    assert "you know the pool" in words_of(call)


async def test_the_card_of_a_resolved_incident_closes_it_and_reopens_it(desk: Desk) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident resolve it was the pool")
    await desk.does(ANNA, lambda anna: anna.click(ROOM, ids.CLOSE))
    state = await desk.site.database.incident(1)
    assert state
    assert state.status == "closed"
    await desk.does(ANNA, lambda anna: anna.click(ROOM, "open:reopen"))
    await desk.submits(ANNA, text="orders fail again")
    state = await desk.site.database.incident(1)
    assert state
    assert state.is_active


async def test_a_new_title_renames_the_channel(desk: Desk) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident title Payments are down")
    assert desk.site.channel(ROOM).name == "inc-1-payments-are-down"


async def test_some_time_after_the_close_the_channel_goes_and_a_reopening_brings_another(desk: Desk) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident resolve it was the pool")
    await desk.says(ANNA, ROOM, "/incident close")
    await desk.site.until(lambda state: state.archived)
    await desk.site.quiet()
    assert desk.site.channel(ROOM).is_archived
    await desk.says(ANNA, "incidents", "/incident INC-1 reopen because it is back")
    again = desk.site.channel(f"{ROOM}-again")
    assert not again.is_archived, "Slack lets no bot take a channel out of the archive"
    assert {ANNA, BEN} <= set(again.members)
    assert any("INC-1" in words_of(m) for m in desk.site.messages(f"{ROOM}-again"))


async def test_who_joins_late_is_told_the_story_and_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident update The pool is exhausted")
    monkeypatch.setattr(members, "LATE_AFTER", timedelta(0))
    room = desk.site.channel(ROOM)
    await desk.does(EMEKA, lambda emeka: emeka.post("/simulator/join", channel=room.id))
    story = await desk.sees(EMEKA, ROOM, r"in command[\s\S]*The pool is exhausted|The pool is exhausted[\s\S]*posted")
    assert story["ephemeral"]
    others = await desk.does(BEN, lambda ben: ben.messages(ROOM))
    assert story["ts"] not in [m["ts"] for m in others]


async def test_a_pin_keeps_a_message_and_taking_it_away_lets_it_go(desk: Desk) -> None:
    await desk.declares()
    await desk.says(BEN, ROOM, "the pool is at its limit")
    said = await desk.sees(BEN, ROOM, "^the pool is at its limit")
    room = desk.site.channel(ROOM)

    async def react(on: bool) -> str:
        place = {"channel": room.id, "ts": said["ts"], "name": "pushpin", "on": on}
        await desk.does(ANNA, lambda anna: anna.post("/simulator/react", **place))
        pinned = "pinned" if on else "unpinned"
        async with asyncio.timeout(10):
            while True:
                desk.site.committed.clear()  # before the look: what is saved meanwhile rings again
                if pinned in [e.observation.kind for e in await desk.site.database.entries(1)]:
                    return pinned
                await desk.site.committed.wait()

    assert [await react(True), await react(False)] == ["pinned", "unpinned"]


async def test_a_handoff_is_accepted_in_the_direct_message(desk: Desk) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident lead me")
    await desk.says(ANNA, ROOM, f"/incident handoff <@{CHLOE}>".replace(f"<@{CHLOE}>", "@chloe"))
    state = await desk.site.database.incident(1)
    assert state
    assert (state.lead, state.handoff and state.handoff.user) == (ANNA, CHLOE)
    (offer,) = [m for m in desk.site.direct(CHLOE) if ids.ACCEPT_HANDOFF in str(m)]
    await _press(desk, CHLOE, offer, ids.ACCEPT_HANDOFF)
    state = await desk.site.database.incident(1)
    assert state
    assert state.lead == CHLOE


async def test_the_packet_of_a_handoff_holds_what_is_open_what_rings_and_what_was_promised(desk: Desk) -> None:
    await desk.declares("sev1 Checkout is down #checkout")
    for said in (
        "lead me", "step 1 done", "step 2 failed no access", "task Add a lag alert @ben",
        "public draft We expect to be back by noon.", "public approve", "public publish", "update We look next 20m",
    ):  # fmt: skip
        await desk.says(BEN if said == "public approve" else ANNA, ROOM, f"/incident {said}")
    await desk.says(ANNA, ROOM, "/incident handoff @chloe")
    (offer,) = [m for m in desk.site.direct(CHLOE) if ids.ACCEPT_HANDOFF in str(m)]
    packet = words_of(offer)
    book = next(i.event for i in await desk.site.database.events(1) if isinstance(i.event, RunbookAttached))
    assert f"{book.count - 2} of {book.count} steps open" in packet
    assert not re.search(r"^• 1\. ", packet.partition("*Roles*")[0].partition("*What rings next*")[0], re.MULTILINE)
    assert re.search(r"^• 2\. .* – \*failed\*$", packet, re.MULTILINE), "what was tried in vain is still open"
    third = re.escape(mrkdwn.escape(book.steps[2].text[:40]))
    assert re.search(rf"^• 3\. {third}", packet, re.MULTILINE), "by its words"
    assert "…and" in packet
    for clock in ("Response", "Next update", "Relief of the commander"):
        assert re.search(rf"^• {clock}: <!date", packet, re.MULTILINE)
    public = packet.partition("*Promised in public*")[2].partition("*Action items*")[0]
    assert "We expect to be back by noon." in public
    assert "The next update is owed <!date" in public
    assert "1. Add a lag alert – <@U0002>" in packet
    assert "Nobody has acknowledged yet." in packet


async def test_an_offered_command_is_declined_in_the_direct_message_and_the_commander_is_called(desk: Desk) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident lead me")
    await desk.says(ANNA, ROOM, "/incident handoff @chloe")
    (offer,) = [m for m in desk.site.direct(CHLOE) if ids.DECLINE_HANDOFF in str(m)]
    await _press(desk, CHLOE, offer, ids.DECLINE_HANDOFF)
    state = await desk.site.database.incident(1)
    assert state
    assert (state.lead, state.handoff) == (ANNA, None)
    assert any(f"<@{ANNA}> <@{CHLOE}> declined the command" in words_of(m) for m in desk.site.messages(ROOM))


async def test_whoever_has_an_offer_that_is_taken_back_hears_of_it(desk: Desk) -> None:
    await desk.declares()
    await desk.says(ANNA, ROOM, "/incident handoff @chloe")
    await desk.says(ANNA, ROOM, "/incident handoff withdraw she is asleep")
    told = [words_of(m) for m in desk.site.direct(CHLOE)]
    assert any("no longer offered to you" in text and "she is asleep" in text for text in told)


async def test_the_message_to_who_was_called_says_who_answered_and_keeps_no_button(desk: Desk) -> None:
    await desk.declares("sev1 Checkout is down #checkout")
    (call,) = [m for m in desk.site.direct(BEN) if "needs you" in words_of(m)]
    assert ids.ACK in str(call)
    await desk.says(ANNA, ROOM, "/incident ack")
    (now,) = [m for m in desk.site.direct(BEN) if m["ts"] == call["ts"]]
    assert f"Acknowledged by <@{ANNA}>" in words_of(now)
    assert f"'action_id': '{ids.ACK}'" not in str(now)


async def test_the_call_link_stands_on_the_card_and_at_the_top_of_the_channel(desk: Desk) -> None:
    await desk.declares()
    room = desk.site.channel(ROOM)
    assert "https://meet.example/inc-1" in [bookmark["link"] for bookmark in room.bookmarks]
    assert any("https://meet.example/inc-1" in words_of(m) for m in desk.site.messages(ROOM))


async def test_the_home_shows_what_is_owed_answers_in_a_window_and_follows(desk: Desk) -> None:
    homes = desk.site.house.slack._counter.homes
    assert homes is not None
    homes.every = 0.0
    await desk.declares("sev1 Checkout is down #checkout")
    assert "You were called" in words_of(await desk.home(BEN))
    await desk.presses_at_home(BEN, ids.ACK)
    assert "acknowledged" in words_of(desk.modal(BEN))
    async with asyncio.timeout(10):
        while "You were called" in words_of(_shown(desk, BEN)):
            desk.site.committed.clear()
            await desk.site.committed.wait()
    await desk.presses_at_home(EMEKA, ids.JOIN)
    assert EMEKA in desk.site.channel(ROOM).members


async def test_a_private_incident_is_on_its_members_homes_only(desk: Desk) -> None:
    await desk.declares("sev2 Ransom note --private")
    assert "Ransom note" in words_of(await desk.home(ANNA))
    assert "Ransom" not in words_of(await desk.home(EMEKA))


async def test_a_message_is_put_on_the_timeline_declared_from_and_made_a_task(desk: Desk) -> None:
    await desk.declares()
    await desk.says(BEN, ROOM, "rolled back to 1.42")
    said = await desk.sees(BEN, ROOM, "^rolled back")
    place = {"channel": desk.site.channel(ROOM).id, "ts": said["ts"]}
    for shortcut in (ids.SHORTCUT_NOTE, ids.SHORTCUT_DECLARE_FROM, ids.SHORTCUT_TASK):
        used = {**place, "callback_id": shortcut}
        answer = await desk.does(ANNA, lambda anna, used=used: anna.post("/simulator/shortcut", **used))  # type: ignore[misc]
        assert answer["ok"], answer
    noted = [item.event for item in await desk.site.database.events(1) if item.event.type == "note_added"]
    assert [event.link for event in noted] == [f"slack:{place['channel']}/{place['ts']}"]
    assert desk.modal(ANNA)["callback_id"] == ids.FORM_TASK
    values = {"text": {"v": {"type": "plain_text_input", "value": "pin the version"}}}
    submit = {"view_id": desk.modal(ANNA)["id"], "values": values}
    answer = await desk.does(ANNA, lambda anna: anna.post("/simulator/submit", **submit))
    assert answer["ok"], answer
    state = await desk.site.database.incident(1)
    assert state
    assert [task.text for task in state.tasks] == ["pin the version"]


def _shown(desk: Desk, user: str) -> dict[str, Any]:
    views = desk.site.workspace.world.views.values()
    return next(view for view in views if view["type"] == "home" and view["_user"] == user)


async def _press(desk: Desk, user: str, message: dict[str, Any], action: str) -> None:
    """Press the button `action` of a message in the direct conversation."""
    world = desk.site.workspace.world
    channel = next(c.id for c in world.channels.values() if c.is_direct and user in c.members)
    block, button = next(
        (block, one)
        for block in message["blocks"]
        for one in block.get("elements", ())
        if one.get("action_id") == action
    )
    place = {"channel": channel, "ts": message["ts"], "block_id": block["block_id"], "action_id": action}
    value = {"type": "button", "value": button["value"]}
    answer = await desk.does(user, lambda person: person.post("/simulator/action", **place, value=value))
    assert answer["ok"], answer
