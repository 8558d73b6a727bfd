"""Slack's client: every failure says whether to try again, when, and what a person can do; never a secret."""

import contextlib

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain import effects as f
from bot.outbound.lines import open_session
from bot.outbound.slack import budgets, client
from bot.outbound.slack.client import Slack, web_client
from bot.outbound.slack.refusals import LIMITED, MENDS, TRANSIENT, SlackRefusal
from bot.ports.claim import while_claimed
from bot.ports.delivery import DeliveryError
from bot.ports.waits import WAIT_MAX
from tests.outbound.slack_office import TOKEN, Office, job, open_office, open_room
from tests.render.slack_cases import ANNA, Life, room


async def failure(office: Office, method: str = "chat.postMessage", **arguments: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await office.slack.call(method, **{"channel": "C0003", "text": "x", **arguments})
    assert TOKEN not in str(caught.value) + repr(caught.value) + caught.value.mend
    return caught.value


@pytest.mark.parametrize(
    "kind", ["500", "503", "reset_before", "reset_after", "malformed", "silence", "internal_error", "fatal_error"]
)
async def test_trouble_on_the_way_is_tried_again(office: Office, kind: str) -> None:
    await office.fault("chat.postMessage", kind)
    error = await failure(office)
    assert not error.permanent
    assert not error.parks


async def test_a_rate_limit_says_when_and_parks_that_channel_only(office: Office) -> None:
    await office.fault("chat.postMessage", "429", retry_after=17)
    error = await failure(office)
    assert (error.permanent, error.retry_after, error.parks) == (False, 17.0, "chat.postMessage:C0003")


async def test_a_rate_limit_of_another_method_parks_the_method(office: Office) -> None:
    await office.fault("conversations.create", "ratelimited", retry_after=3)
    with pytest.raises(DeliveryError) as caught:
        await office.carry(f.OpenRoom(name="inc-7"), Life())
    assert (caught.value.retry_after, caught.value.parks) == (3.0, "conversations.create")


async def test_after_a_rate_limit_nothing_of_its_budget_leaves_before_its_time(office: Office) -> None:
    await office.fault("conversations.create", "429", retry_after=3)
    for _ in range(2):
        with pytest.raises(DeliveryError) as caught:
            await office.carry(f.OpenRoom(name="inc-7"), Life())
        assert caught.value.parks == "conversations.create"
    assert 2 < caught.value.retry_after <= 3
    assert len(office.calls("conversations.create")) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("inf", 30),
        ("nan", 30),
        ("soon", 30),
        ("1e30", 900),
        ("9" * 400, 30),
        ("3000000000", 900),
        ("-5", 1),
        ("1.5", 1.5),
    ],
)
async def test_no_rate_limit_lasts_longer_than_anybody_means_whatever_the_header_says(
    header: str, seconds: float
) -> None:
    """Neither for this call nor for those of the same budget: nobody could lift it any more."""
    now = 0.0

    async def answer(request: web.Request) -> web.Response:
        asked.append(now)
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": header})

    asked: list[float] = []
    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        slack = Slack(web_client(TOKEN, http, str(server.make_url("/api/"))), clock=lambda: now)
        for now in (0.0, seconds / 2, seconds):
            with pytest.raises(DeliveryError) as caught:
                await slack.call("chat.postMessage", channel="C0003", text="x")
            assert caught.value.retry_after == (seconds / 2 if now == seconds / 2 else seconds)
    assert asked == [0.0, seconds]


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e30])
def test_an_error_never_asks_for_a_wait_that_time_cannot_hold(seconds: float) -> None:
    assert DeliveryError("x", retry_after=seconds).retry_after <= WAIT_MAX


async def test_a_limited_announcement_parks_the_budget_that_it_draws_from(office: Office) -> None:
    life = await open_room(office, Life())
    effect = f.PostAnnouncement(channel="incidents")
    await office.fault("chat.postMessage", "429")
    with pytest.raises(DeliveryError) as caught:
        await office.carry(effect, life)
    assert caught.value.parks == budgets.budget_of(effect, life.state)


@pytest.mark.parametrize("code", sorted(MENDS))
async def test_a_permanent_refusal_tells_a_person_what_to_do(office: Office, code: str) -> None:
    await office.fault("chat.postMessage", code)
    error = await failure(office)
    assert isinstance(error, SlackRefusal)
    assert (error.permanent, error.code) == (True, code)
    assert error.mend == MENDS[code]


async def test_a_code_that_nobody_knows_is_permanent_and_points_to_slacks_page(office: Office) -> None:
    await office.fault("chat.postMessage", "brand_new_error")
    error = await failure(office)
    assert error.permanent
    assert "https://docs.slack.dev/reference/methods/chat.postMessage" in error.mend


async def test_a_wrong_token_says_how_to_set_the_right_one() -> None:
    async with open_office(token="xoxb-secret-and-wrong") as office:
        error = await failure(office)
        assert error.permanent
        assert "SLACK_BOT_TOKEN" in error.mend
        assert "xoxb-secret" not in str(error)


async def test_what_slack_finds_wrong_with_a_message_is_in_the_error(office: Office) -> None:
    error = await failure(office, blocks=[{"type": "carousel"}])
    assert "invalid_blocks" in str(error)
    assert "/blocks/0" in str(error)


async def test_a_server_that_is_gone_is_tried_again(office: Office) -> None:
    slack = Slack(web_client(TOKEN, office.http, "http://127.0.0.1:1/api/"), timeout=1)
    with pytest.raises(DeliveryError) as caught:
        await slack.call("auth.test")
    assert not caught.value.permanent


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_MAX", 100_000)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"[" * 100_000)
        return response

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        with pytest.raises(DeliveryError) as caught:
            await Slack(web_client(TOKEN, http, str(server.make_url("/api/")))).call("auth.test")
    assert str(caught.value) == "auth.test: unreadable answer"


async def test_no_redirect_is_followed_since_it_would_carry_the_token_elsewhere() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        with pytest.raises(DeliveryError) as caught:
            await Slack(web_client(TOKEN, http, str(server.make_url("/api/")))).call("auth.test")
    assert not caught.value.permanent
    assert asked == ["/api/auth.test"]


@pytest.mark.parametrize("text", ["a lone \ud83d surrogate", '<&> " \u00e9 \U0001f525 + % \n'])
async def test_any_text_reaches_slack_as_it_is(office: Office, text: str) -> None:
    await office.slack.call("chat.postMessage", channel="C0003", text=text)
    assert office.calls("chat.postMessage")[-1]["text"] == text.replace("\ud83d", "?")


async def test_slack_is_asked_to_find_no_mention_and_no_link_in_a_messages_text(office: Office) -> None:
    posted = await office.slack.call("chat.postMessage", channel="C0003", text="@channel a@b.example")
    await office.slack.call("chat.update", channel="C0003", ts=posted["ts"], text="@here status.example")
    for method in ("chat.postMessage", "chat.update"):
        asked = office.calls(method)[-1]
        assert (asked["parse"], asked["link_names"]) == ("none", False)


async def test_calls_share_the_connections_of_one_session(office: Office) -> None:
    for _ in range(5):
        await office.slack.call("auth.test")
    assert len({call.connection for call in office.workspace.control.calls}) == 1


async def test_our_own_id_is_asked_for_once(office: Office) -> None:
    assert [await office.slack.me() for _ in range(3)] == ["U0BOT"] * 3
    assert len(office.calls("auth.test")) == 1


def test_no_code_is_both_transient_and_mended_by_people() -> None:
    assert not (TRANSIENT | LIMITED) & set(MENDS)


# --- budgets ----------------------------------------------------------------------------------------------

SLACKS: dict[f.AnyEffect, str] = {
    f.OpenRoom(name="x"): "conversations.create",
    f.Invite(users=(ANNA,)): "conversations.invite",
    f.NameRoom(name="x"): "conversations.rename",
    f.ArchiveRoom(): "conversations.archive",
    f.RestoreRoom(name="x"): "conversations.create",
    f.ShowTopic(): "conversations.setTopic",
    f.ShowCall(): "bookmarks.add",
    f.PinCard(channel="C0007", ts="1.2"): "pins.add",
    f.Bookmark(title="t", link="incident:"): "bookmarks.add",
    f.PostCard(): "chat.postMessage:C0007",
    f.PostRunbook(): "chat.postMessage:C0007",
    f.PostAlerts(): "chat.postMessage:C0007",
    f.PostDraft(): "chat.postMessage:C0007",
    f.PostAnnouncement(channel="incidents"): "chat.postMessage:incidents",
    f.ShowMessage(what="card"): "chat.update",
    f.Tell(template="closed"): "chat.postMessage:C0007",
    f.TellUser(user=ANNA, template="page_requested"): f"chat.postMessage:{ANNA}",
    f.AskTriage(question="q", to="ops"): "chat.postMessage:ops",
    f.ShowTriage(question="q", to="ops"): "chat.update",
    f.PostNotice(notice="handover/x", channel="ops"): "chat.postMessage:ops",
}


@pytest.mark.parametrize(("effect", "budget"), SLACKS.items(), ids=[e.kind for e in SLACKS])
def test_each_effect_draws_from_a_budget_that_has_a_limit(effect: f.AnyEffect, budget: str) -> None:
    assert budgets.budget_of(effect, room(Life()).state) == budget
    method, colon, _ = budget.partition(":")
    assert method + colon in budgets.LIMITS


async def test_every_effect_of_slacks_has_a_handler_and_a_name_for_people(office: Office) -> None:
    assert {e.kind for e in SLACKS} == set(office.registry)
    assert all(registration.name and " " in registration.name for registration in office.registry.values())


def test_the_archive_waits_for_every_effect_of_slacks_but_those_that_happen_elsewhere() -> None:
    rooms_own = {"open_room", "archive_room", "restore_room"}
    elsewhere = {"post_announcement", "tell_user", "ask_triage", "show_triage", "post_notice"}
    assert {effect.kind for effect in SLACKS} - rooms_own - elsewhere == f.IN_ROOM


def test_another_vendors_effect_draws_from_no_budget_of_slacks() -> None:
    assert budgets.budget_of(f.PagePager(target="default"), Life().state) == ""


def test_a_job_without_a_channel_waits_for_a_person() -> None:
    from bot.outbound.slack.rooms import room_of

    with pytest.raises(DeliveryError) as caught:
        room_of(job(f.ShowTopic(), Life()))
    assert caught.value.permanent


async def test_no_byte_leaves_once_the_claim_has_ended(office: Office) -> None:
    """A process that was frozen between two calls of one effect does not make the second."""
    holds = [True, False]
    with while_claimed(lambda: holds.pop(0)):
        await office.slack.call("auth.test")
        with pytest.raises(DeliveryError, match="claim ended") as caught:
            await office.slack.call("conversations.create", name="inc-9-late")
    assert caught.value.untouched
    await office.slack.call("conversations.create", name="inc-9-in-time")
    assert [call["name"] for call in office.calls("conversations.create")] == ["inc-9-in-time"]


async def test_nothing_leaves_when_the_claim_ends_while_a_connection_is_made() -> None:
    async with open_office() as office, open_session(2) as http:
        slack = Slack(web_client(TOKEN, http, f"{office.base}/slack/api/"))
        held = iter((True, False))
        with while_claimed(lambda: next(held)), pytest.raises(DeliveryError) as caught:
            await slack.call("auth.test")
        assert caught.value.untouched
        assert office.calls("auth.test") == []
        assert (await slack.call("auth.test"))["ok"], "the next one goes"
