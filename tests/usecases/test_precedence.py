"""Whoever asks is answered before delivery begins something new; nobody can keep it waiting for ever."""

import asyncio

import pytest

from bot.usecases import precedence as module
from bot.usecases.precedence import Precedence


async def test_delivery_waits_until_the_last_of_all_who_ask_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LETS_PASS", 60.0)
    precedence = Precedence()
    with precedence:
        with precedence:
            delivery = asyncio.create_task(precedence.let_pass())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not delivery.done()
    await asyncio.wait_for(delivery, 1)


async def test_delivery_waits_for_nobody_where_nobody_asks() -> None:
    waiting = Precedence().let_pass()
    with pytest.raises(StopIteration):
        waiting.send(None)


async def test_delivery_has_its_turn_also_while_somebody_always_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LETS_PASS", 0.01)
    precedence = Precedence()
    with precedence:
        await asyncio.wait_for(precedence.let_pass(), 1)
