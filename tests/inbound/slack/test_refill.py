"""What was said while nobody listened is read later, marked, and recorded once; whatever fails in the midst."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.domain import commands as c
from bot.inbound.slack import refill as refilling
from bot.ports import waits
from bot.ports.store import Unavailable
from tests.inbound.slack.conftest import ALICE, BOB, ROOM, FakeSlack, Workspace

ME = {"user_id": "U0INCBOT001", "bot_id": "B0TOCSIN"}
BEGAN = 1773478800
PER_PAGE = 3


def ts(second: int) -> str:
    return f"{BEGAN + second}.000100"


def said(second: int, text: str = "", user: str = BOB, **more: Any) -> dict[str, Any]:
    return {"type": "message", "ts": ts(second), "text": text or f"said at {second}", "user": user, **more}


def limited(retry: str) -> web.Response:
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": retry})


@dataclass
class Channel:
    """What Slack has: messages, newest first, a few a page; and how often each page was asked for, or cannot be had."""

    messages: list[dict[str, Any]]
    threads: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    fails: dict[int, web.Response] = field(default_factory=dict)
    """Page → what is answered instead of it, once."""
    asked: list[int] = field(default_factory=list)
    replies_asked: list[str] = field(default_factory=list)

    def history(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        page = int(arguments.get("cursor") or 0)
        self.asked.append(page)
        if page in self.fails:
            return self.fails.pop(page)
        newest = sorted(self.messages, key=lambda one: str(one["ts"]), reverse=True)
        shown = newest[page * PER_PAGE : (page + 1) * PER_PAGE]
        more = str(page + 1) if newest[(page + 1) * PER_PAGE :] else ""
        return {"messages": shown, "response_metadata": {"next_cursor": more}}

    def replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.replies_asked.append(arguments["ts"])
        parent = next(one for one in self.messages if one["ts"] == arguments["ts"])
        return {"messages": [parent, *self.threads[arguments["ts"]]]}

    def answer(self, second: int, *replies: dict[str, Any]) -> None:
        """Answers come to the message of that second."""
        thread = self.threads.setdefault(ts(second), [])
        thread += [{**one, "thread_ts": ts(second)} for one in replies]
        parent = next(one for one in self.messages if one["ts"] == ts(second))
        parent |= {"reply_count": len(thread), "latest_reply": max(str(one["ts"]) for one in thread)}


def opened(slack: FakeSlack, *messages: dict[str, Any]) -> Channel:
    channel = Channel(list(messages))
    slack.answers["auth.test"] = ME
    slack.answers["conversations.history"] = channel.history
    slack.answers["conversations.replies"] = channel.replies
    return channel


async def heard(workspace: Workspace, *messages: dict[str, Any]) -> None:
    """These came by themselves."""
    for one in messages:
        assert await workspace.event({**one, "channel": ROOM}) == 200


async def run(workspace: Workspace) -> int:
    """Look for gaps; return how many observations were missing."""
    found, _ = await workspace.door.refill.run()
    return found


async def kept(workspace: Workspace) -> list[tuple[str, str, bool]]:
    return [
        (entry.observation.kind, entry.observation.text, entry.observation.recovered)
        for entry in await workspace.office.reader.entries(1)
    ]


async def texts(workspace: Workspace) -> list[str]:
    return sorted(text for _, text, _ in await kept(workspace))


async def test_a_message_of_a_silent_time_is_recovered_once(workspace: Workspace, slack: FakeSlack) -> None:
    await heard(workspace, said(1, "the pool is exhausted"))
    opened(slack, said(1, "the pool is exhausted"), said(2, "it &amp; that"))
    assert [await run(workspace) for _ in range(2)] == [1, 0]
    assert await kept(workspace) == [("message", "the pool is exhausted", False), ("message", "it & that", True)]


async def test_replies_and_edits_are_recovered_too(workspace: Workspace, slack: FakeSlack) -> None:
    await heard(workspace, said(1, "lok here"))
    channel = opened(slack, said(1, "look here", edited={"user": BOB, "ts": ts(3)}))
    channel.answer(1, said(5, "seen", ALICE))
    assert await run(workspace) == 2
    assert await kept(workspace) == [
        ("message", "lok here", False),
        ("edited", "look here", True),
        ("message", "seen", True),
    ]


async def test_our_own_messages_and_notices_are_no_gap(workspace: Workspace, slack: FakeSlack) -> None:
    card = said(2, "card", "U0INCBOT001", bot_id="B0TOCSIN")
    channel = opened(slack, said(3, "joined", subtype="channel_join"), card)
    channel.answer(2, said(4, "ours, too", "U0INCBOT001", bot_id="B0TOCSIN"))
    assert await run(workspace) == 0


async def test_what_people_answered_to_our_card_is_a_gap(workspace: Workspace, slack: FakeSlack) -> None:
    channel = opened(slack, said(2, "card", "U0INCBOT001", bot_id="B0TOCSIN"))
    channel.answer(2, said(4, "on it"))
    assert await run(workspace) == 1


TROUBLES = {
    "service_unavailable": web.json_response({"ok": False, "error": "service_unavailable"}),
    "500": web.Response(status=500, text="Server Error"),
    "malformed": web.Response(text='{"ok": tru', content_type="application/json"),
    "no object": web.json_response(["ok"]),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_run_that_is_cut_off_is_not_taken_for_one_that_came_to_its_end(
    workspace: Workspace, slack: FakeSlack, trouble: str
) -> None:
    """The first page is on record by then; the next run goes on behind it all the same."""
    everything = [said(second) for second in range(1, 11)]
    channel = opened(slack, *everything)
    broken = TROUBLES[trouble]
    again = web.Response(status=broken.status, body=broken.body, content_type=broken.content_type)
    channel.fails = {1: again}
    assert await workspace.door.refill.run() == (PER_PAGE, False)
    assert await workspace.door.refill.run() == (10 - PER_PAGE, True)
    assert await texts(workspace) == sorted(one["text"] for one in everything)
    assert await run(workspace) == 0


async def test_a_database_that_goes_away_in_the_midst_leaves_no_gap(workspace: Workspace, slack: FakeSlack) -> None:
    opened(slack, *(said(second) for second in range(1, 11)))
    store, pages = workspace.office.store, []

    async def falls_over(*arguments: Any) -> None:
        pages.append(arguments)
        store.down = len(pages) == 2
        await transact(*arguments)

    transact = store.transact
    store.transact = falls_over  # type: ignore[method-assign]
    assert (await workspace.door.refill.run())[1] is False
    store.down = False
    assert (await workspace.door.refill.run())[1] is True
    assert len(await kept(workspace)) == 10


async def test_who_speaks_first_after_a_silence_does_not_hide_it(workspace: Workspace, slack: FakeSlack) -> None:
    """A whole page of what came by itself stands before what did not."""
    everything = [said(second) for second in range(1, 11)]
    opened(slack, *everything)
    await heard(workspace, *everything[-PER_PAGE:])
    assert await run(workspace) == 10 - PER_PAGE


async def test_what_is_complete_is_not_read_again_but_for_answers_and_edits_of_the_last_pages(
    workspace: Workspace, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refilling, "OLD_PAGES", 2)
    everything = [said(second) for second in range(1, 31)]
    channel = opened(slack, *everything)
    assert await run(workspace) == 30
    channel.asked.clear()
    channel.messages += [said(second) for second in range(31, 36)]
    assert await run(workspace) == 5
    assert channel.asked == [0, 1, 2], "two pages hold what is new; one more is old as a whole"


async def test_answers_to_old_messages_are_found_behind_what_is_complete(
    workspace: Workspace, slack: FakeSlack
) -> None:
    channel = opened(slack, *(said(second) for second in range(1, 11)))
    channel.answer(1, said(11, "an early answer"))
    assert await run(workspace) == 11
    channel.messages += [said(12)]
    channel.answer(1, said(13, "unheard"), said(14, "heard"))
    await heard(workspace, {**said(14, "heard"), "thread_ts": ts(1)})
    assert await run(workspace) == 2
    assert "unheard" in await texts(workspace)


async def test_a_thread_that_is_on_record_is_not_read(workspace: Workspace, slack: FakeSlack) -> None:
    channel = opened(slack, said(1))
    channel.answer(1, said(2), said(3))
    await heard(workspace, said(1), *channel.threads[ts(1)])
    assert await run(workspace) == 0
    assert channel.replies_asked == []
    gone = {"type": "message", "subtype": "message_deleted", "deleted_ts": ts(2), "previous_message": said(2)}
    await heard(workspace, {**gone, "event_ts": ts(4)})
    channel.threads[ts(1)].pop(0)
    channel.answer(1, said(5, "in its place"))
    assert await run(workspace) == 1, "as many as before, but not the same"


async def test_what_was_said_where_the_incident_ended_meanwhile_is_recovered(
    workspace: Workspace, slack: FakeSlack
) -> None:
    office = workspace.office
    workspace.door.refill._clock = lambda: office.clock() + timedelta(days=9)
    channel = opened(slack, said(1))
    assert await run(workspace) == 1
    channel.messages += [said(2), said(3)]
    await office.act(1, c.Resolve("restarted it"))
    assert await run(workspace) == 2
    channel.asked.clear()
    assert await run(workspace) == 0
    assert channel.asked == [], "nothing has changed since, so nobody looks any more"
    workspace.door.refill._clock = office.clock
    channel.messages += [said(4)]
    assert await run(workspace) == 1, "for a day people go on talking there"


async def test_one_channel_that_is_gone_hides_no_other(workspace: Workspace, slack: FakeSlack) -> None:
    await workspace.office.incident("C0GONE", title="Search is down")
    channel = opened(slack, said(1))

    def history(arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        if arguments["channel"] == "C0GONE":
            return web.json_response({"ok": False, "error": "channel_not_found"})
        return channel.history(arguments)

    slack.answers["conversations.history"] = history
    assert await workspace.door.refill.run() == (1, True)


async def test_a_slack_that_is_away_is_not_asked_for_every_channel(workspace: Workspace, slack: FakeSlack) -> None:
    for n in range(5):
        await workspace.office.incident(f"C{n}", title=f"Outage {n}")
    slack.answers["auth.test"] = ME
    slack.errors["conversations.history"] = "service_unavailable"
    assert await workspace.door.refill.run() == (0, False)
    assert len([method for method, _ in slack.calls if method == "conversations.history"]) == 3
    slack.errors["auth.test"] = "invalid_auth"
    assert await workspace.door.refill.run() == (0, True), "a person has to mend that"


async def test_what_failed_is_tried_again_by_itself(
    workspace: Workspace, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refilling, "AGAIN_AFTER", 0.001)
    channel = opened(slack, *(said(second) for second in range(1, 11)))
    channel.fails = {page: web.Response(status=503) for page in (0, 1, 2)}
    await ended(workspace)
    assert len(await kept(workspace)) == 10


async def test_a_silence_during_a_run_is_looked_for_in_another(workspace: Workspace, slack: FakeSlack) -> None:
    channel = opened(slack, said(1))

    def history(arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        answer = channel.history(arguments)
        if len(channel.asked) == 1:  # what is said now is in no answer yet
            channel.messages.append(said(2))
            workspace.door.refill.start()
        return answer

    slack.answers["conversations.history"] = history
    await ended(workspace)
    assert await texts(workspace) == ["said at 1", "said at 2"]


async def ended(workspace: Workspace) -> None:
    """Look for gaps as the house does, until there is none."""
    refill = workspace.door.refill
    refill.start()
    assert refill._running
    await asyncio.wait_for(refill._running, 10)


@pytest.mark.parametrize("retry", ["soon", "inf", "0.001"])
async def test_slack_is_waited_for_as_it_asks_whatever_its_header_says(
    workspace: Workspace, slack: FakeSlack, retry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "WAIT_UNTOLD", 0.001)
    channel = opened(slack, said(1))
    channel.fails = {0: limited(retry)}
    assert await run(workspace) == 1


async def test_a_stop_does_not_wait_for_slack(workspace: Workspace, slack: FakeSlack) -> None:
    channel = opened(slack, said(1))
    channel.fails = {0: limited("800")}
    workspace.door.refill.start()
    await slack.called.wait()
    async with asyncio.timeout(5):
        await workspace.door.stop_socket()
    assert await kept(workspace) == []


async def test_what_has_another_shape_than_slacks_hides_nothing_else(workspace: Workspace, slack: FakeSlack) -> None:
    odd = [{"ts": ts(n), "text": ["?"], "files": 7, "edited": "yes"} for n in (2, 3)]
    opened(slack, said(1), *odd, said(4))
    assert await workspace.door.refill.run() == (2, True)


async def test_a_mark_is_never_taken_back(workspace: Workspace) -> None:
    """Two replicas look at once: who began earlier may end later."""
    reader = workspace.office.reader
    at = datetime.fromisoformat("2026-03-14T09:00:00Z")
    for minutes in (10, 5):
        await reader.filled(1, at + timedelta(minutes=minutes), 3)
    (gap,) = await reader.unfilled(at)
    assert gap.complete_to == at + timedelta(minutes=10)


async def test_a_database_that_is_away_is_asked_again_later(workspace: Workspace, slack: FakeSlack) -> None:
    opened(slack, said(1))
    workspace.office.reader.down = True
    with pytest.raises(Unavailable):
        await workspace.office.reader.entries(1)
    assert await workspace.door.refill.run() == (0, False)
    workspace.office.reader.down = False
    assert await workspace.door.refill.run() == (1, True)
