"""One timer for all who wait equally long."""

import asyncio

import pytest

from bot.inbound.patience import Patience

SHORT = 0.02
"""Seconds."""


async def test_who_waits_too_long_gets_a_timeout_and_who_is_answered_gets_the_answer() -> None:
    patience, never = Patience(SHORT), asyncio.Event()

    async def answered() -> int:
        return 4

    outcomes = await asyncio.gather(
        patience.of(never.wait()), patience.of(answered()), patience.of(never.wait()), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [TimeoutError, int, TimeoutError]


async def test_each_waits_as_long_as_it_may_also_who_came_later() -> None:
    """The one timer is set anew for whoever came after the first."""
    patience, never, loop = Patience(SHORT), asyncio.Event(), asyncio.get_running_loop()
    first = asyncio.create_task(patience.of(never.wait()))
    late = loop.create_future()
    loop.call_later(SHORT / 2, late.set_result, None)
    await late
    started = loop.time()
    with pytest.raises(TimeoutError):
        await patience.of(never.wait())
    assert loop.time() - started >= SHORT * 0.9
    assert isinstance(first.exception(), TimeoutError)


async def test_who_goes_away_is_cancelled_not_late() -> None:
    task = asyncio.create_task(Patience(60).of(asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
