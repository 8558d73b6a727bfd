"""The app over Socket Mode, with the real Bolt."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.simulator.conftest import Company, named


async def test_a_slash_command_reaches_bolt_and_its_answer_reaches_the_person(
    acme: Company,
) -> None:
    """The payload has the keys of Slack's own, and the text is escaped as the manifest asks."""
    app = acme.bolt()
    heard: list[dict[str, Any]] = []

    @app.command("/incident")
    async def declare(ack: Any, body: dict[str, Any]) -> None:
        heard.append(body)
        await ack("Declared.")

    await acme.connect(app)
    anna = acme.person()
    answer = await anna.do("send", channel="C0005", text="/incident assign @ben in #ops")
    assert answer == {"status": 200, "ok": True, "command": True, "text": "Declared."}
    assert heard[0]["text"] == "assign <@U0002|ben> in <#C0004|ops>"
    assert (await anna.texts("C0005"))[-1] == "Declared."
    assert "Declared." not in await acme.person("U0006").texts("C0005")
    assert set(heard[0]) == set(named("slash_commands.json", "declare"))


async def test_an_event_is_delivered_once_acknowledged(acme: Company) -> None:
    """A mention comes as message and as app_mention, in channels the app is in."""
    app = acme.bolt()
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @app.event("app_mention")
    @app.event("message")
    async def note(event: dict[str, Any]) -> None:
        heard.put_nowait(event)

    await acme.connect(app)
    anna = acme.person()
    await anna.do("send", channel="C0004", text="nobody hears this")
    await anna.do("send", channel="C0003", text="@tocsin status?")
    both = [await asyncio.wait_for(heard.get(), 2) for _ in range(2)]
    assert {event["type"] for event in both} == {"app_mention", "message"}
    assert {event["text"] for event in both} == {"<@U0BOT> status?"}
    assert heard.empty()
