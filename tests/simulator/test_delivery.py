"""How the app is reached: signed HTTP, Socket Mode, retries, and what people see when it is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.simulator import Pace
from tests.simulator.conftest import APP_TOKEN, HURRIED, SECRET, SOON, Company, Open, fixture, named, until

Serve = Callable[[web.Application], Awaitable[str]]
PATIENCE = 2.0


class Receiver:
    """An app over HTTP that keeps what it got and answers as told."""

    def __init__(self, *answers: web.Response | float) -> None:
        self.answers = list(answers)
        self.got: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self.app = web.Application()
        self.app.router.add_post("/slack/events", self.take)

    async def take(self, request: web.Request) -> web.Response:
        """Keep a request; a number is a silence in seconds."""
        self.got.put_nowait((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else web.Response()
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return web.Response()
        return answer

    async def next(self) -> tuple[dict[str, str], bytes]:
        """Return the next request."""
        return await asyncio.wait_for(self.got.get(), PATIENCE)


async def company_of(receiver: Receiver, found: Open, serve: Serve, pace: Pace = SOON) -> Company:
    """Found a company whose app takes HTTP."""
    url = await serve(receiver.app)
    return await found(request_url=f"{url}/slack/events", pace=pace)


async def test_http_is_signed_as_slack_signs(found: Open, serve: Serve) -> None:
    """The SDK's own verifier takes it; the form is Slack's."""
    receiver = Receiver(web.json_response({"text": "done", "response_type": "in_channel"}))
    company = await company_of(receiver, found, serve)
    await company.person().do("send", channel="C0005", text="/incident list")
    headers, body = await receiver.next()
    assert SignatureVerifier(SECRET).is_valid_request(body, headers)
    assert not SignatureVerifier("another").is_valid_request(body, headers)
    assert set(dict(parse_qsl(body.decode(), keep_blank_values=True))) == set(named("slash_commands.json", "declare"))
    assert (await company.person("U0006").texts("C0005"))[-1] == "done"


async def test_an_event_is_retried_three_times_with_number_and_reason(found: Open, serve: Serve) -> None:
    """At once, then later, then later still; then never again."""
    receiver = Receiver(web.Response(status=500), 0.2, web.Response(status=404), web.Response())
    company = await company_of(receiver, found, serve, HURRIED)
    await company.person().do("send", channel="C0003", text="hello")
    tries = [await receiver.next() for _ in range(4)]
    told = [(h.get("X-Slack-Retry-Num"), h.get("X-Slack-Retry-Reason")) for h, _ in tries]
    assert told == [
        (None, None),
        ("1", "http_error"),
        ("2", "http_timeout"),
        ("3", "http_error"),
    ]
    assert len({json.loads(body)["event_id"] for _, body in tries}) == 1


async def test_an_event_that_is_never_taken_is_given_up(found: Open, serve: Serve) -> None:
    """Slack does not keep what an app refuses four times."""
    receiver = Receiver(*[web.Response(status=500) for _ in range(4)])
    company = await company_of(receiver, found, serve)
    await company.person().do("send", channel="C0003", text="hello")
    for _ in range(4):
        await receiver.next()
    await until(lambda: not company.workspace.world.deliveries)
    assert receiver.got.empty()


async def test_an_event_has_slacks_envelope_and_keys(found: Open, serve: Serve) -> None:
    """Message, reply, mention, reaction, pin, join, rename and archive look like the fixtures."""
    receiver = Receiver()
    company = await company_of(receiver, found, serve)
    anna, slack = company.person(), company.slack
    hello = (await anna.do("send", channel="C0003", text="hello"))["ts"]
    await anna.do("send", channel="C0003", text="there", thread_ts=hello)
    await anna.do("send", channel="C0003", text="@tocsin status?")
    await anna.do("edit", channel="C0003", ts=hello, text="hello!")
    await anna.do("react", channel="C0003", ts=hello, name="eyes", on=True)
    await anna.do("react", channel="C0003", ts=hello, name="eyes", on=False)
    await anna.do("pin", channel="C0003", ts=hello, on=True)
    await anna.do("pin", channel="C0003", ts=hello, on=False)
    oops = (await anna.do("send", channel="C0003", text="oops, password"))["ts"]
    await anna.do("delete", channel="C0003", ts=oops)
    await anna.do("invite", channel="C0003", users=["U0006"])
    await company.person("U0006").do("leave", channel="C0003")
    await company.person().get("home")
    room = (await slack.conversations_create(name="inc-1"))["channel"]["id"]
    await slack.conversations_rename(channel=room, name="inc-2")
    await slack.conversations_archive(channel=room)
    seen: dict[str, dict[str, Any]] = {}
    wanted = {
        "message": ("messages.json", "plain"),
        "reply": ("messages.json", "in a thread"),
        "message_changed": ("messages.json", "message_changed"),
        "message_deleted": ("messages.json", "message_deleted"),
        "channel_join": ("messages.json", "channel_join"),
        "channel_name": ("messages.json", "channel_name"),
        "channel_archive, said": ("messages.json", "channel_archive"),
        "app_mention": ("events.json", "app_mention"),
        "reaction_added": ("events.json", "reaction_added"),
        "reaction_removed": ("events.json", "reaction_removed"),
        "pin_added": ("events.json", "pin_added"),
        "pin_removed": ("events.json", "pin_removed"),
        "member_joined_channel": ("events.json", "member_joined_channel"),
        "member_left_channel": ("events.json", "member_left_channel"),
        "app_home_opened": ("events.json", "app_home_opened: home, first time"),
        "channel_rename": ("events.json", "channel_rename"),
        "channel_archive": ("events.json", "channel_archive"),
    }
    while not set(wanted) <= set(seen):
        payload = json.loads((await receiver.next())[1])
        event = payload["event"]
        kind = event["type"]
        if kind == "message":
            kind = event.get("subtype") or ("reply" if "thread_ts" in event else "message")
            kind += ", said" if kind == "channel_archive" else ""
        seen.setdefault(kind, payload)
    for kind, (file, name) in wanted.items():
        model = named(file, name)
        assert set(seen[kind]) == set(model), kind
        extra = {"inviter"} if kind == "channel_join" else set()
        edited = {"source_team", "user_team"}
        assert set(seen[kind]["event"]) - extra == set(model["event"]), kind
        if kind == "message_changed":
            shape = set(model["event"]["message"]) - edited
            assert set(seen[kind]["event"]["message"]) - {"thread_ts"} >= shape
        if kind.startswith("pin"):
            for part in ("item", "item_user"):
                assert _keys(seen[kind]["event"][part]) >= _keys(model["event"][part]) - {"pinned_to"}


def _keys(value: Any) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return set(value) | {k for part in value.values() for k in _keys(part)}


async def test_a_public_channels_fate_is_heard_without_being_in_it(found: Open, serve: Serve) -> None:
    """Created, archived, opened again; what is said there is not heard, nor a private one's fate."""
    receiver = Receiver()
    company = await company_of(receiver, found, serve)
    anna = company.person()
    for name, is_private in (("secret", True), ("open", False)):
        room = (await anna.do("create", name=name, is_private=is_private))["channel"]["id"]
        await anna.do("send", channel=room, text="hello")
        await anna.do("archive", channel=room, on=True)
        await anna.do("archive", channel=room, on=False)
    heard = [json.loads((await receiver.next())[1])["event"]["type"] for _ in range(3)]
    assert sorted(heard) == ["channel_archive", "channel_created", "channel_unarchive"]
    await until(lambda: not company.workspace.world.deliveries)
    assert receiver.got.empty()


async def test_an_app_that_was_away_is_not_flooded(acme: Company) -> None:
    """Fifty events are under way at most; the rest follow the acknowledgements."""
    anna = acme.person()
    for n in range(60):
        await anna.do("send", channel="C0003", text=str(n))
    async with acme.http.ws_connect(await ticket(acme)) as link:
        await link.receive_json()
        first = [await link.receive_json(timeout=PATIENCE) for _ in range(50)]
        assert [frame["payload"]["event"]["text"] for frame in first] == [str(n) for n in range(50)]
        for frame in first[:10]:
            await link.send_json({"envelope_id": frame["envelope_id"]})
        rest = [await link.receive_json(timeout=PATIENCE) for _ in range(10)]
        assert [frame["payload"]["event"]["text"] for frame in rest] == [str(n) for n in range(50, 60)]


async def test_the_apps_own_posts_come_back_to_it(found: Open, serve: Serve) -> None:
    """A bot that listens to itself would loop: it must see what Slack sends."""
    receiver = Receiver()
    company = await company_of(receiver, found, serve)
    await company.slack.chat_postMessage(
        channel="C0003", text="mine", metadata={"event_type": "x", "event_payload": {}}
    )
    event = json.loads((await receiver.next())[1])["event"]
    assert (event["text"], event["bot_id"], event["user"]) == ("mine", "B0001", "U0BOT")
    assert "metadata" not in event


async def test_an_envelope_goes_to_one_of_several_connections(acme: Company) -> None:
    """Two replicas share the work; neither gets all of it twice."""
    heard: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def replica(name: str) -> None:
        app = acme.bolt()

        @app.event("message")
        async def note(event: dict[str, Any]) -> None:
            heard.append((name, event["text"]))
            if len(heard) == 20:
                done.set()

        await acme.connect(app)

    await replica("a")
    await replica("b")
    anna = acme.person()
    for n in range(20):
        await anna.do("send", channel="C0003", text=str(n))
    await asyncio.wait_for(done.wait(), PATIENCE)
    assert sorted(int(text) for _, text in heard) == list(range(20))
    assert {name for name, _ in heard} == {"a", "b"}


async def test_events_wait_for_an_app_that_is_away(acme: Company) -> None:
    """What was said while nobody listened is heard on connection."""
    await acme.person().do("send", channel="C0003", text="while you were out")
    app = acme.bolt()
    heard: asyncio.Queue[str] = asyncio.Queue()

    @app.event("message")
    async def note(event: dict[str, Any]) -> None:
        heard.put_nowait(event["text"])

    await acme.connect(app)
    assert await asyncio.wait_for(heard.get(), PATIENCE) == "while you were out"


async def test_a_command_to_an_app_that_is_away_fails_visibly(acme: Company) -> None:
    """In Slack's own words, to the person only."""
    anna = acme.person()
    await anna.do("send", channel="C0005", text="/incident list")
    words = '/incident failed with the error "dispatch_failed"'
    assert (await anna.texts("C0005"))[-1] == words


async def test_a_command_that_is_not_acknowledged_times_out_visibly(found: Open) -> None:
    """Three seconds, here made short."""
    company = await found(pace=HURRIED)
    app = company.bolt()

    @app.command("/incident")
    async def sleep(ack: Any) -> None:
        await asyncio.sleep(0.15)

    await company.connect(app)
    anna = company.person()
    await anna.do("send", channel="C0005", text="/incident list")
    words = '/incident failed with the error "operation_timeout"'
    assert (await anna.texts("C0005"))[-1] == words


async def test_slack_asks_connections_to_come_anew(acme: Company) -> None:
    """The real client reconnects when it is told to."""
    app = acme.bolt()
    handler = await acme.connect(app)
    first = await handler.client.session_id()
    await acme.control(refresh_links=True)
    client = handler.client
    await until(lambda: client.build_session_id(client.current_session) != first)
    await until(lambda: acme.workspace.links.connected == 1)


async def test_a_connection_ages(found: Open) -> None:
    """A warning, then the request to come anew, then the end."""
    company = await found(pace=Pace(link_life=0.03, link_warning=0.01))
    url = await ticket(company)
    async with company.http.ws_connect(url) as link:
        frames = [await link.receive_json(timeout=PATIENCE) for _ in range(3)]
    assert [(f["type"], f.get("reason")) for f in frames] == [
        ("hello", None),
        ("disconnect", "warning"),
        ("disconnect", "refresh_requested"),
    ]
    model = {frame["type"]: frame for frame in fixture("socket_mode.json")["frames"]}
    for frame in frames:
        assert set(frame) == set(model[frame["type"]])


async def ticket(company: Company) -> str:
    """Open a connection as the app's client does."""
    headers = {"Authorization": f"Bearer {APP_TOKEN}"}
    url = f"{company.base}/slack/api/apps.connections.open"
    async with company.http.post(url, headers=headers) as answer:
        return str((await answer.json())["url"])


async def test_an_envelope_is_slacks_and_a_lost_link_is_a_retry(acme: Company) -> None:
    """An event that was under way when the app died comes again, marked as a retry."""
    model = {f["type"]: f for f in fixture("socket_mode.json")["frames"] if "envelope_id" in f}
    async with acme.http.ws_connect(await ticket(acme)) as link:
        await link.receive_json()
        await acme.person().do("send", channel="C0003", text="hello")
        first = await link.receive_json(timeout=PATIENCE)
        assert set(first) == set(model["events_api"])
        assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    async with acme.http.ws_connect(await ticket(acme)) as link:
        await link.receive_json()
        again = await link.receive_json(timeout=PATIENCE)
        assert again["payload"]["event_id"] == first["payload"]["event_id"]
        assert again["retry_attempt"] == 1
        await link.send_json({"envelope_id": again["envelope_id"]})
        sending = asyncio.create_task(acme.person().do("send", channel="C0005", text="/incident list"))
        command = await link.receive_json(timeout=PATIENCE)
        assert set(command) == set(model["slash_commands"])
        assert command["accepts_response_payload"]
        await link.send_json({"envelope_id": command["envelope_id"]})
        await sending
    async with acme.http.ws_connect(await ticket(acme)) as link:
        assert (await link.receive_json())["type"] == "hello"
        assert acme.workspace.world.deliveries == {}


async def test_a_ticket_opens_one_connection(acme: Company) -> None:
    """As Slack's do."""
    url = await ticket(acme)
    async with acme.http.ws_connect(url):
        pass
    async with acme.http.get(url.replace("ws", "http", 1)) as refused:
        assert refused.status == 403
