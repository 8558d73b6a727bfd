"""Many who ask at once share a read, and nobody gets an old one."""

import asyncio

from bot.usecases.shared_read import SharedRead


class Slow:
    """A read that takes until it is let go, and returns how many were begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.started, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        mine = self.begun
        self.started.set()
        await self.go.wait()
        return mine


async def test_who_asks_while_a_read_is_under_way_shares_the_next_one() -> None:
    slow = Slow()
    shared = SharedRead(slow)
    first = asyncio.create_task(shared())
    await slow.started.wait()
    later = [asyncio.create_task(shared()) for _ in range(40)]
    slow.go.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 40
    assert await shared() == 3


async def test_who_goes_away_takes_it_from_nobody() -> None:
    slow = Slow()
    shared = SharedRead(slow)
    gone, stays = asyncio.create_task(shared()), asyncio.create_task(shared())
    await slow.started.wait()
    gone.cancel()
    slow.go.set()
    assert await stays == 1


async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    answers = [ValueError("away"), 7]

    async def read() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = SharedRead(read)
    told = await asyncio.gather(shared(), shared(), return_exceptions=True)
    assert [type(one) for one in told] == [ValueError, ValueError]
    assert await shared() == 7
