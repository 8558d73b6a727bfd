"""Slack's effects against the simulated workspace: done once, whatever becomes of the answer."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import events as e
from bot.domain.commands import MessagePosted, RoomOpened
from bot.domain.effects import (
    AnyEffect,
    Bookmark,
    Invite,
    OpenRoom,
    PinCard,
    PostAnnouncement,
    PostCard,
    PostDraft,
    PostRunbook,
    ShowCall,
    ShowMessage,
    ShowTopic,
    Tell,
    TellUser,
)
from bot.domain.severity import Status
from bot.ports.delivery import DeliveryError, Look, Placed
from bot.ports.store import Loaded
from bot.usecases.looks import OweLooks
from tests.outbound.slack_office import Office, open_office, open_room
from tests.render.slack_cases import ANNA, BEN, Life, attached, declared

ROOM = "inc-7-checkout-is-down"
LOST = ("reset_after", "malformed")
"""The effect is done, the answer is lost."""


async def furnished(office: Office) -> Life:
    """An incident with channel, card, runbook and draft."""
    life = await open_room(office, Life())
    done: Any = (await office.carry(PostCard(), life)).command
    life.then(e.Posted(what="card", channel=done.channel, ts=done.ts, shown=done.shown))
    life.then(attached(4))
    life.then(e.PublicDrafted(version=1, title="Problem", text="We look.", status=Status.INVESTIGATING))
    return life


# --- the channel ------------------------------------------------------------------------------------------


async def test_the_channel_is_opened_under_its_name(office: Office) -> None:
    done = await office.carry(OpenRoom(name=ROOM), Life())
    assert done.command == RoomOpened(channel=office.channel(ROOM).id, name=ROOM)


async def test_a_private_incidents_channel_is_private(office: Office) -> None:
    await office.carry(OpenRoom(name="inc-7", private=True), Life(declared(private=True)))
    assert office.channel("inc-7").kind == "private"


async def test_a_name_that_somebody_else_took_gets_a_number(office: Office) -> None:
    await office.carry(OpenRoom(name=ROOM), Life())
    done = await office.carry(OpenRoom(name=ROOM), Life())
    assert done.command == RoomOpened(channel=office.channel(f"{ROOM}-2").id, name=f"{ROOM}-2")


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("kind", LOST)
async def test_a_channel_whose_answer_was_lost_is_found_and_not_opened_twice(
    office: Office, kind: str, private: bool
) -> None:
    effect = OpenRoom(name=ROOM, private=private)
    await office.fault("conversations.create", kind)
    with pytest.raises(DeliveryError) as caught:
        await office.carry(effect, Life())
    assert not caught.value.permanent
    done = await office.carry(effect, Life(), again=True)
    assert done.command == RoomOpened(channel=office.channel(ROOM).id, name=ROOM)
    assert f"{ROOM}-2" not in [c.name for c in office.workspace.world.channels.values()]


async def test_a_repeat_does_not_take_over_a_channel_that_a_person_made(office: Office) -> None:
    person = {"as": ANNA, "name": ROOM, "is_private": False}
    async with office.http.post(f"{office.base}/simulator/create", json=person) as answer:
        assert (await answer.json())["ok"]
    done: Any = (await office.carry(OpenRoom(name=ROOM), Life(), again=True)).command
    assert done.name == f"{ROOM}-2"


async def test_a_repeat_finds_the_numbered_channel_of_its_first_attempt(office: Office) -> None:
    person = {"as": ANNA, "name": ROOM, "is_private": False}
    async with office.http.post(f"{office.base}/simulator/create", json=person):
        pass
    await office.control(faults=[{"method": "conversations.create", "kind": "reset_after", "nth": 2}])
    with pytest.raises(DeliveryError):
        await office.carry(OpenRoom(name=ROOM), Life())
    done: Any = (await office.carry(OpenRoom(name=ROOM), Life(), again=True)).command
    assert (done.channel, done.name) == (office.channel(f"{ROOM}-2").id, f"{ROOM}-2")


async def test_a_second_channel_made_when_the_first_was_renamed_is_put_away_unless_it_is_in_use(office: Office) -> None:
    kept: Any = (await office.carry(OpenRoom(name=ROOM), Life())).command
    await office.slack.call("conversations.rename", channel=kept.channel, name="inc-7-renamed")
    late: Any = (await office.carry(OpenRoom(name=ROOM), Life())).command
    used: Any = (await office.carry(OpenRoom(name=ROOM), Life())).command
    await office.slack.call("conversations.setTopic", channel=used.channel, topic="in use")
    tidy = office.registry["open_room"].tidy
    assert tidy is not None
    assert await tidy(look("")) == [], "nothing is known to be the one that is kept"
    assert await tidy(look(kept.channel)) == [Placed(late.channel, late.channel)]
    assert await tidy(look(kept.channel)) == [], "once is enough"
    away = [c.id for c in office.workspace.world.channels.values() if c.is_archived]
    assert away == [late.channel]


@pytest.mark.parametrize("stands", [True, False])
async def test_of_a_lost_claims_channels_the_one_on_record_is_kept(office: Office, stands: bool) -> None:
    life = await open_room(office, Life()) if stands else Life()
    owed = OweLooks((look("C0999"),)).run(Loaded(incidents={7: life.state}), datetime.now(UTC)).looks
    assert owed == ([look(office.channel(ROOM).id)] if stands else []), "whoever makes it looks, too"


def look(kept: str) -> Look:
    """A look for other channels of the incident than `kept`."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Look("7.1.0", 7, "open_room", Placed(kept, ROOM), now, now, lost=True)


async def test_people_and_usergroups_are_invited_each_once(office: Office) -> None:
    life = await open_room(office, Life())
    done = await office.carry(Invite(users=("U0004", "U0001"), usergroups=("S0001",)), life)
    assert set(office.channel(ROOM).members) >= {"U0001", "U0002", "U0004"}
    assert not done.note
    assert len(office.calls("conversations.invite")) == 1


async def test_whoever_cannot_be_invited_is_named_and_the_others_come(office: Office) -> None:
    life = await open_room(office, Life())
    done = await office.carry(Invite(users=("U0008", "U0001", "U0BOT", "UNOBODY1"), usergroups=("SGONE",)), life)
    assert "U0001" in office.channel(ROOM).members
    assert "U0008" in done.note["text"]
    assert "SGONE" in done.note["text"]
    assert "U0BOT" not in done.note["text"]


async def test_inviting_again_is_no_error(office: Office) -> None:
    life = await open_room(office, Life())
    for again in (False, True):
        done = await office.carry(Invite(users=(ANNA, BEN)), life, again=again)
        assert not done.note
    done = await office.carry(Invite(users=(ANNA,)), life, again=True)
    assert not done.note


async def test_a_usergroups_members_are_asked_for_once_in_five_minutes() -> None:
    now = [0.0]
    async with open_office(clock=lambda: now[0]) as office:
        life = await open_room(office, Life())
        for moment, asked in ((0.0, 1), (299.0, 1), (301.0, 2)):
            now[0] = moment
            await office.carry(Invite(usergroups=("S0001",)), life)
            assert len(office.calls("usergroups.users.list")) == asked


async def test_twenty_incidents_at_once_ask_for_a_usergroups_members_once(office: Office) -> None:
    life = await open_room(office, Life())
    await asyncio.gather(*(office.carry(Invite(usergroups=("S0001",)), life, n=n) for n in range(20)))
    assert len(office.calls("usergroups.users.list")) == 1


async def test_the_topic_shows_the_state(office: Office) -> None:
    life = await open_room(office, Life())
    await office.carry(ShowTopic(), life)
    assert office.channel(ROOM).topic["value"].startswith("🔴 SEV1 · investigating")


async def test_the_card_is_pinned_once(office: Office) -> None:
    life = await furnished(office)
    card = life.state.messages["card"]
    for again in (False, True):
        await office.carry(PinCard(channel=card.channel, ts=card.ts), life, again=again)
    assert len(office.channel(ROOM).pins) == 1


@pytest.mark.parametrize("kind", LOST)
async def test_a_bookmark_is_not_added_twice(office: Office, kind: str) -> None:
    life = await furnished(office)
    effect = Bookmark(title="Runbook: API & down", link="runbook:service-api-down")
    await office.fault("bookmarks.add", kind)
    with pytest.raises(DeliveryError):
        await office.carry(effect, life)
    await office.carry(effect, life, again=True)
    (bookmark,) = office.channel(ROOM).bookmarks
    assert bookmark["link"] == "https://tocsin.example/runbooks/service-api-down"


def bookmarks(office: Office) -> list[tuple[str, str]]:
    return [(one["title"], one["link"]) for one in office.channel(ROOM).bookmarks]


async def test_another_call_takes_the_old_ones_place_among_the_bookmarks_and_none_leaves_none(office: Office) -> None:
    life = await furnished(office)
    channel = office.channel(ROOM).id
    for title, link in (("Dashboard", "https://grafana.example/d/1"), ("Our own bridge", "https://meet.example/mine")):
        await office.slack.call("bookmarks.add", channel_id=channel, title=title, type="link", link=link)
    theirs = bookmarks(office)
    for url in ("https://meet.example/a", "https://meet.example/b?x=1&y=2"):
        await office.carry(ShowCall(), life.then(e.CallChanged(url=url)))
        assert bookmarks(office) == [*theirs, ("Join the call", url)]
    await office.carry(ShowCall(), life)
    assert len(bookmarks(office)) == 3, "shown again, it stands there once"
    await office.carry(ShowCall(), life.then(e.CallChanged(url="")))
    assert bookmarks(office) == theirs


@pytest.mark.parametrize("method", ["bookmarks.add", "bookmarks.remove"])
@pytest.mark.parametrize("kind", LOST)
async def test_a_call_whose_answer_was_lost_is_shown_once(office: Office, kind: str, method: str) -> None:
    life = (await furnished(office)).then(e.CallChanged(url="https://meet.example/a"))
    await office.carry(ShowCall(), life)
    life.then(e.CallChanged(url="https://meet.example/b"))
    await office.fault(method, kind)
    with pytest.raises(DeliveryError) as caught:
        await office.carry(ShowCall(), life)
    assert not caught.value.permanent
    await office.carry(ShowCall(), life, again=True)
    assert bookmarks(office) == [("Join the call", "https://meet.example/b")]


# --- messages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("effect", "what"), [(PostCard(), "card"), (PostRunbook(), "runbook"), (PostDraft(), "draft")])
async def test_a_live_message_reports_where_it_is_and_what_it_shows(
    office: Office, effect: AnyEffect, what: str
) -> None:
    life = await furnished(office)
    done = await office.carry(effect, life)
    (*_, message) = office.messages(office.channel(ROOM).id)
    assert done.command == MessagePosted(
        what=what, channel=office.channel(ROOM).id, ts=message["ts"], shown=life.state.seq
    )
    told = {"installation": "installation-1", "effect": f"7.{life.last.seq}.0", "claim": "t"}
    assert message["metadata"]["event_payload"] == told


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(
    "effect",
    [PostCard(), PostRunbook(), PostDraft(), PostAnnouncement(channel="incidents"), Tell(template="acknowledged")],
)
async def test_a_message_whose_answer_was_lost_is_found_and_not_posted_twice(
    office: Office, effect: AnyEffect, kind: str
) -> None:
    life = (await furnished(office)).then(e.Acknowledged(took=1))
    where = "incidents" if isinstance(effect, PostAnnouncement) else ROOM
    before = len(office.messages(office.channel(where).id))
    await office.fault("chat.postMessage", kind)
    with pytest.raises(DeliveryError) as caught:
        await office.carry(effect, life)
    assert not caught.value.permanent
    done: Any = (await office.carry(effect, life, again=True)).command
    said = office.messages(office.channel(where).id)
    assert len(said) == before + 1
    if done is not None:
        assert (done.ts, done.shown) == (said[-1]["ts"], life.last.seq)


async def test_a_repeat_of_what_was_never_posted_posts_it(office: Office) -> None:
    life = await furnished(office)
    await office.fault("chat.postMessage", "reset_before")
    with pytest.raises(DeliveryError):
        await office.carry(PostRunbook(), life)
    before = len(office.messages(office.channel(ROOM).id))
    await office.carry(PostRunbook(), life, again=True)
    assert len(office.messages(office.channel(ROOM).id)) == before + 1


async def test_another_installations_message_is_not_taken_for_ours(office: Office) -> None:
    life = await furnished(office)
    payload = {"installation": "another", "effect": f"7.{life.last.seq}.0"}
    await office.slack.call(
        "chat.postMessage",
        channel=office.channel(ROOM).id,
        text="x",
        metadata={"event_type": "tocsin_effect", "event_payload": payload},
    )
    before = len(office.messages(office.channel(ROOM).id))
    await office.carry(PostRunbook(), life, again=True)
    assert len(office.messages(office.channel(ROOM).id)) == before + 1


async def test_another_apps_message_is_not_taken_for_ours_whatever_its_metadata_say(office: Office) -> None:
    life = await furnished(office)
    effect = f"7.{life.last.seq}.0"
    await office.carry(PostRunbook(), life)
    room = office.channel(ROOM).id
    (forged,) = [m for m in office.messages(room) if effect in str(m.get("metadata"))]
    office.workspace.world.messages[room][forged["ts"]] = {**forged, "user": "U0OTHERBOT", "bot_id": "B0OTHER"}
    before = len(office.messages(room))
    done = await office.carry(PostRunbook(), life, again=True)
    assert len(office.messages(room)) == before + 1
    assert done.placed
    assert done.placed.ts != forged["ts"]


async def test_a_direct_message_is_found_too(office: Office) -> None:
    life = (await furnished(office)).then(e.PageRequested(target="checkout", users=(BEN,)))
    effect = TellUser(user=BEN, template="page_requested", response=True)
    await office.fault("chat.postMessage", "reset_after")
    with pytest.raises(DeliveryError):
        await office.carry(effect, life)
    await office.carry(effect, life, again=True)
    direct = office.workspace.world.direct(BEN, "U0BOT")
    assert direct is not None
    (message,) = office.messages(direct.id)
    assert "needs you" in message["text"]


async def test_a_live_message_is_brought_up_to_date(office: Office) -> None:
    life = (await furnished(office)).then(e.Acknowledged(took=1), BEN)
    await office.carry(ShowMessage(what="card"), life)
    (card,) = office.messages(office.channel(ROOM).id)
    assert "Acknowledged" in str(card["blocks"])
    assert card["metadata"]["event_payload"]["installation"] == "installation-1"


async def test_a_live_message_that_somebody_deleted_says_how_to_go_on(office: Office) -> None:
    life = await furnished(office)
    card = life.state.messages["card"]
    await office.slack.call("chat.delete", channel=card.channel, ts=card.ts)
    with pytest.raises(DeliveryError, match="message_not_found") as caught:
        await office.carry(ShowMessage(what="card"), life)
    assert caught.value.permanent
    assert "deleted" in caught.value.mend


async def test_a_runbook_that_is_not_attached_says_what_to_do(office: Office) -> None:
    life = await open_room(office, Life())
    with pytest.raises(DeliveryError) as caught:
        await office.carry(PostRunbook(), life)
    assert caught.value.permanent
    assert "/incident runbook" in caught.value.mend


async def test_the_announcement_goes_to_the_channel_by_its_name(office: Office) -> None:
    life = await furnished(office)
    done: Any = (await office.carry(PostAnnouncement(channel="incidents"), life)).command
    assert done.channel == "C0003"
    assert len(office.messages("C0003")) == 1


async def test_a_public_channel_is_joined_to_announce_in_it(office: Office) -> None:
    life = await furnished(office)
    done: Any = (await office.carry(PostAnnouncement(channel="#ops"), life)).command
    assert done.channel == "C0004"
    assert "U0BOT" in office.channel("ops").members
    await office.carry(PostAnnouncement(channel="#ops"), life, again=True)
    assert len(office.messages("C0004")) == 1


async def test_a_missing_announcement_channel_says_what_to_do(office: Office) -> None:
    life = await furnished(office)
    with pytest.raises(DeliveryError) as caught:
        await office.carry(PostAnnouncement(channel="nowhere"), life)
    assert caught.value.permanent
    assert "#nowhere" in caught.value.mend


async def test_a_channel_that_was_archived_says_what_to_do(office: Office) -> None:
    life = await furnished(office)
    await office.slack.call("conversations.archive", channel=office.channel(ROOM).id)
    with pytest.raises(DeliveryError, match="is_archived") as caught:
        await office.carry(Tell(template="acknowledged"), life.then(e.Acknowledged(took=1)))
    assert caught.value.permanent
    assert "Unarchive" in caught.value.mend
