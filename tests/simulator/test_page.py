"""The page's interface, as PROTOCOL.md has it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.simulator import Sample
from tests.simulator.conftest import Company, Open, named


async def test_the_state_is_what_one_person_may_see(acme: Company) -> None:
    """Private channels only for their members."""
    anna = await acme.person().get("state")
    chloe = await acme.person("U0003").get("state")
    assert "leadership" not in {channel["name"] for channel in anna["channels"]}
    assert "leadership" in {channel["name"] for channel in chloe["channels"]}
    assert anna["commands"][0]["command"] == "/incident"
    assert anna["bot"] == {"user_id": "U0BOT", "app_id": "A0001", "name": "tocsin", "home": True}
    assert {person["id"]: person["initials"] for person in anna["users"]}["U0003"] == "CM"
    assert [person["deleted"] for person in anna["users"] if person["id"] == "U0008"] == [True]
    assert (await acme.person("U0008").get("state"))["error"] == "unknown_person"


async def test_what_is_typed_becomes_slack_text(acme: Company) -> None:
    """Escaped, with references, and a rich_text block beside it, like a client's."""
    anna = acme.person()
    typed = "a < b && c: @ben in #ops, https://x.example/?a=1&b=2. `x<y` :fire: @here me@x.de"
    await anna.do("send", channel="C0003", text=typed)
    message = (await anna.get("messages", channel="C0003"))["messages"][-1]
    assert message["text"] == (
        "a &lt; b &amp;&amp; c: <@U0002> in <#C0004|ops>, <https://x.example/?a=1&amp;b=2>. "
        "`x&lt;y` :fire: <!here> me@x.de"
    )
    model = named("messages.json", "plain")["event"]
    assert set(message) == set(model) - {"channel", "event_ts", "channel_type"}
    section = message["blocks"][0]["elements"][0]
    assert section["elements"][1] == {"type": "user", "user_id": "U0002"}
    assert {element["type"] for element in section["elements"]} == {
        "text",
        "user",
        "channel",
        "link",
        "emoji",
        "broadcast",
    }


async def test_a_permalink_leads_to_the_page_at_its_channel(acme: Company) -> None:
    """As in Slack, whose own address the app is told."""
    base = (await acme.slack.auth_test())["url"]
    assert base == f"{acme.base}/"
    for path in ("C0004", "C0004/p1773478913000100"):
        async with acme.http.get(f"{base}archives/{path}", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/#C0004")
    async with acme.http.get(f"{base}archives/C0NOWHERE") as answer:
        assert answer.status == 404


async def test_unread_and_mentions_are_counted_until_read(acme: Company) -> None:
    """By name and by group; one's own words never count."""
    anna, ben = acme.person(), acme.person("U0002")

    async def counted() -> tuple[int, int]:
        channels = (await ben.get("state"))["channels"]
        found = next(c for c in channels if c["id"] == "C0004")
        return found["unread"], found["mentions"]

    before = (await ben.get("messages", channel="C0004"))["messages"][-1]["ts"]
    await ben.do("read", channel="C0004", ts=before)
    assert await counted() == (0, 0)
    await anna.do("send", channel="C0004", text="hello")
    await anna.do("send", channel="C0004", text="@ben look")
    ts = (await anna.do("send", channel="C0004", text="@oncall look"))["ts"]
    assert await counted() == (3, 2)
    await ben.do("read", channel="C0004", ts=ts)
    assert await counted() == (0, 0)
    await ben.do("send", channel="C0004", text="@ben note to self")
    assert await counted() == (0, 0)


async def test_news_comes_live_and_is_caught_up(acme: Company) -> None:
    """By number; what is not one's own business stays away; too old means reload."""
    anna, chloe = acme.person(), acme.person("U0003")
    start = (await anna.get("state"))["seq"]
    async with anna.live(after=start) as page:
        await chloe.do("send", channel="C0006", text="secret")
        ts = (await chloe.do("send", channel="C0003", text="open"))["ts"]
        await chloe.do("react", channel="C0003", ts=ts, name="eyes", on=True)
        await chloe.do("delete", channel="C0003", ts=ts)
        told: list[dict[str, Any]] = []
        while not told or told[-1]["type"] != "message_deleted":
            told.append(await page.receive_json(timeout=2))
    assert "secret" not in json.dumps(told)
    types = [news["type"] for news in told]
    assert types == ["message", "channel", "message_changed", "message_deleted"]
    assert [news["seq"] for news in told] == sorted(news["seq"] for news in told)
    async with anna.live(after=told[1]["seq"]) as page:
        assert (await page.receive_json(timeout=2))["type"] == "message_changed"
    async with anna.live(after=1) as page:
        assert (await page.receive_json(timeout=2))["type"] == "reload"


async def test_an_ephemeral_message_is_for_its_reader(acme: Company) -> None:
    """Shown live and after a reload; put out of sight by its reader."""
    anna, ben = acme.person(), acme.person("U0002")
    start = (await anna.get("state"))["seq"]
    ts = (await acme.slack.chat_postEphemeral(channel="C0003", user="U0001", text="psst"))["message_ts"]
    async with anna.live(after=start) as page:
        news = await page.receive_json(timeout=2)
    assert (news["type"], news["message"]["ephemeral"]) == ("ephemeral", True)
    assert "psst" in await anna.texts("C0003")
    assert "psst" not in await ben.texts("C0003")
    await anna.do("delete", channel="C0003", ts=ts)
    assert "psst" not in await anna.texts("C0003")


async def test_people_run_channels(acme: Company) -> None:
    """Made, joined, left, written to; each refusal in words."""
    anna, ben = acme.person(), acme.person("U0002")
    made = (await anna.do("create", name="war-room", is_private=True))["channel"]
    assert (await ben.post("send", channel=made["id"], text="x"))["status"] == 404
    await anna.do("invite", channel=made["id"], users=["U0002", "U0BOT"])
    await ben.do("send", channel=made["id"], text="here")
    gone = (await ben.do("leave", channel=made["id"]))["channel"]
    assert gone["is_member"] is False
    assert (await ben.get("messages", channel=made["id"]))["error"] == "channel_not_found"
    taken = await ben.post("create", name="war-room", is_private=False)
    assert taken["message"] == "This name is taken."
    shut = (await anna.do("archive", channel=made["id"], on=True))["channel"]
    assert shut["is_archived"]
    refused = await anna.post("send", channel=made["id"], text="x")
    assert refused["message"] == "This channel is archived."
    room = (await anna.do("dm", user="U0002"))["channel"]
    assert (room["is_im"], room["user"], room["name"]) == (True, "U0002", "ben")
    await ben.do("send", channel=room["id"], text="hi")
    assert (await acme.person("U0003").get("messages", channel=room["id"]))["ok"] is False
    other = (await ben.do("dm", user="U0001"))["channel"]
    assert (other["id"], other["user"]) == (room["id"], "U0001")


async def test_slackbot_explains_what_cannot_be(acme: Company) -> None:
    """A call to the app where it is not, and a command in a thread."""
    anna = acme.person()
    ts = (await anna.do("send", channel="C0004", text="@tocsin status?"))["ts"]
    assert "not in this channel" in (await anna.texts("C0004"))[-1]
    refused = await anna.post("send", channel="C0004", text="/incident list", thread_ts=ts)
    assert refused["message"] == "/incident is not supported in threads. Sorry!"


async def test_messages_come_in_pages(acme: Company) -> None:
    """Backwards from the newest."""
    anna = acme.person()
    for n in range(5):
        await anna.do("send", channel="C0004", text=str(n))
    last = await anna.get("messages", channel="C0004", limit="2")
    assert [m["text"] for m in last["messages"]] == ["3", "4"]
    assert last["has_more"]
    before = await anna.get("messages", channel="C0004", limit="2", before=last["messages"][0]["ts"])
    assert [m["text"] for m in before["messages"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("act", "body", "error"),
    [
        ("send", {"channel": "C0001", "text": "  "}, "no_text"),
        ("send", {"channel": "C0001"}, "missing_field"),
        ("send", {"channel": "C0001", "text": "/frobnicate"}, "unknown_command"),
        ("send", {"channel": "C9999", "text": "x"}, "channel_not_found"),
        ("send", {"channel": "C0001", "text": "x", "thread_ts": "1.0"}, "cannot_reply_to_message"),
        ("edit", {"channel": "C0001", "ts": "1.0", "text": "x"}, "message_not_found"),
        ("action", {"view_id": "V1", "block_id": "b", "action_id": "a", "value": {}}, "view_not_found"),
        ("submit", {"view_id": "V1", "values": []}, "invalid_value"),
        ("sample", {"id": "none", "action": "fire"}, "unknown_sample"),
        ("dance", {}, "unknown_act"),
    ],
)
async def test_a_refusal_is_in_words(acme: Company, act: str, body: dict[str, Any], error: str) -> None:
    """Never a bare 500."""
    answer = await acme.person().post(act, **body)
    assert 400 <= answer["status"] < 500
    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["message"]


async def test_others_words_cannot_be_changed(acme: Company) -> None:
    """Only one's own, and edits are marked."""
    anna, ben = acme.person(), acme.person("U0002")
    ts = (await anna.do("send", channel="C0004", text="mine"))["ts"]
    assert (await ben.post("edit", channel="C0004", ts=ts, text="x"))["status"] == 403
    assert (await ben.post("delete", channel="C0004", ts=ts))["status"] == 403
    await anna.do("edit", channel="C0004", ts=ts, text="ours")
    message = (await ben.get("messages", channel="C0004"))["messages"][-1]
    assert (message["text"], message["edited"]["user"]) == ("ours", "U0001")


async def test_a_sample_is_sent_as_its_sender_sends_it(
    found: Open, serve: Callable[[web.Application], Awaitable[str]]
) -> None:
    """With token or signature; the bot's own answer is shown."""
    got: list[tuple[dict[str, str], bytes]] = []

    async def hook(request: web.Request) -> web.Response:
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=202, text="taken")

    app = web.Application()
    app.router.add_post("/{source}", hook)
    base = await serve(app)
    samples = [
        Sample("am", "Alert", "", "alertmanager", ["fire"], lambda action: action.encode()),
        Sample("pd", "Page", "", "pagerduty", ["fire"], lambda action: action.encode()),
    ]
    company = await found(
        samples=samples,
        alertmanager_url=f"{base}/am",
        alertmanager_token="t",
        pagerduty_url=f"{base}/pd",
        pagerduty_secret="s",
    )
    anna = company.person()
    answer = await anna.do("sample", id="am", action="fire")
    assert answer == {"ok": True, "status": 202, "body": "taken"}
    await anna.do("sample", id="pd", action="fire")
    digest = hmac.new(b"s", b"fire", hashlib.sha256).hexdigest()
    assert got[0][0]["Authorization"] == "Bearer t"
    assert got[1][0]["X-PagerDuty-Signature"] == f"v1={digest}"
    assert [body for _, body in got] == [b"fire", b"fire"]


ODD: list[Any] = [None, 7, True, "", "x", [], ["x"], {}, {"x": "y"}, {"title": ["v"]}]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_no_nonsense_from_the_page_is_a_server_error(acme: Company, odd: Any) -> None:
    """Every act refuses in words, whatever it is sent."""
    anna = acme.person()
    ts = (await anna.do("send", channel="C0003", text="x"))["ts"]
    fields = ["channel", "ts", "text", "thread_ts", "name", "on", "users", "user", "is_private", "view_id", "block_id"]
    fields += ["action_id", "value", "values", "callback_id", "id", "action"]
    for act in acme.workspace.people.acts:
        for good in ({}, {"channel": "C0003", "ts": ts, "text": "y"}):
            body: dict[str, Any] = dict.fromkeys(fields, odd) | good
            answer = await anna.post(act, **body)
            assert answer["status"] < 500 or answer["error"] == "unreachable", (act, answer)
