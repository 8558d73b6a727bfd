"""The socket is closed at a stop, and nobody who was being answered is cut off."""

import asyncio
from unittest import mock

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp

from bot.inbound.slack import socket
from bot.inbound.slack.socket import Socket


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
    link = Socket(AsyncApp(name="test", authorize=mock.AsyncMock()), "xapp-test")
    answering = asyncio.create_task(link.handle(None, None))
    await asyncio.sleep(0)  # it has begun
    closing = asyncio.create_task(link.close_gently())
    if patience:
        await asyncio.sleep(0)
        may_answer.set()
    await closing
    may_answer.set()
    await answering
    assert happened == order
