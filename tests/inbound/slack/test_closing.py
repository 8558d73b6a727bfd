"""At a stop nobody who was being answered is cut off, and nothing new is begun: people hear that in words."""

import asyncio
from typing import Any
from unittest import mock

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.inbound.slack import socket
from bot.inbound.slack.socket import Socket
from bot.ports.stop import Stop
from tests.inbound.slack.conftest import ALICE, BOB, ROOM, Workspace

NOTHING = "Nothing was done: Tocsin is being stopped or restarted. Try again in a moment."


def link_of() -> Socket:
    counter = mock.Mock(stop=Stop())
    return Socket(counter, AsyncApp(name="test", authorize=mock.AsyncMock()), "xapp-test")


@pytest.mark.parametrize(("patience", "order"), [(3.0, ["answered", "closed"]), (0.0, ["closed", "answered"])])
async def test_what_came_is_acknowledged_before_the_socket_closes_but_not_waited_for_for_ever(
    patience: float, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    happened, may_answer = list[str](), asyncio.Event()

    async def answer(*_: object) -> None:
        await may_answer.wait()
        happened.append("answered")

    close = AsyncSocketModeHandler.close_async

    async def closed(self: AsyncSocketModeHandler) -> None:
        happened.append("closed")
        await close(self)

    monkeypatch.setattr(AsyncSocketModeHandler, "handle", answer)
    monkeypatch.setattr(AsyncSocketModeHandler, "close_async", closed)
    monkeypatch.setattr(socket, "ANSWERED_WITHIN", patience)
    link = link_of()
    asked = SocketModeRequest(type="slash_commands", envelope_id="1", payload={"command": "/incident"})
    answering = asyncio.create_task(link.handle(None, asked))
    await asyncio.sleep(0)  # it has begun
    closing = asyncio.create_task(link.close_gently())
    if patience:
        await asyncio.sleep(0)
        may_answer.set()
    await closing
    may_answer.set()
    await answering
    assert happened == order


async def test_a_slack_that_does_not_say_good_bye_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "CLOSED_WITHIN", 0.01)
    asked = []

    async def close(self: Any) -> None:
        """As the library's: only the first time it waits for the other end."""
        asked.append(self)
        if len(asked) == 1:
            await asyncio.Event().wait()
        await end(self)

    end = AsyncSocketModeHandler.close_async
    monkeypatch.setattr(AsyncSocketModeHandler, "close_async", close)
    link = link_of()
    await asyncio.wait_for(link.close_gently(), 5)
    assert len(asked) == 2
    assert link.client.closed


async def test_a_command_that_comes_at_a_stop_changes_nothing_and_says_so(workspace: Workspace) -> None:
    workspace.door._counter.stop.tell()
    assert await workspace.type("ack") == NOTHING
    assert await workspace.type("declare sev1 Down") == NOTHING
    assert list(workspace.office.store.tables.incidents) == [1]
    assert workspace.office.store.tables.incidents[1].acknowledged_at is None


async def test_a_form_that_comes_at_a_stop_stays_as_it_was_filled_in(workspace: Workspace) -> None:
    workspace.door._counter.stop.tell()
    answer = await workspace.submit("update", {"text": "we look into it", "next": ""}, incident=1)
    assert answer == {"response_action": "errors", "errors": {"text": NOTHING}}
    assert (await workspace.submit("confirm", {}))["view"]["blocks"]


async def test_a_click_that_comes_at_a_stop_is_answered_in_words_or_by_slacks_warning_sign(
    workspace: Workspace,
) -> None:
    workspace.door._counter.stop.tell()
    await workspace.click("ack", "1")
    assert [said["text"] for said in workspace.slack.told] == [NOTHING]
    payload = {"type": "block_actions", "user": {"id": ALICE}, "actions": [{"action_id": "ack", "value": "1"}]}
    assert (await workspace.interact(payload))[0] == 503
    closed = {"type": "view_closed", "user": {"id": ALICE}, "view": {"callback_id": "update"}}
    assert (await workspace.interact(closed))[0] == 200
    assert workspace.office.store.tables.incidents[1].acknowledged_at is None


async def test_an_event_that_comes_at_a_stop_is_left_to_slack_to_send_again(workspace: Workspace) -> None:
    said = {"type": "message", "channel": ROOM, "user": BOB, "text": "the pool is full", "ts": "1773478801.000100"}
    workspace.door._counter.stop.tell()
    assert await workspace.event(said, "Ev1") == 503
    workspace.door._counter.stop = Stop()  # the next process
    assert await workspace.event(said, "Ev1") == 200
    (entry,) = await workspace.office.reader.entries(1)
    assert entry.observation.text == "the pool is full"
