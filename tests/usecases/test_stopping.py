"""The end of a process: what is queued is committed, as long as there is time; the rest is refused in words."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import pytest

from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.ports.stop import ENDED_BY, Stop
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, Unavailable
from bot.usecases import committer as committing
from bot.usecases.cases import Open, Request
from bot.usecases.committer import Committer
from tests.support.desks import Clock
from tests.support.memory import MemoryStore


class SlowStore(MemoryStore):
    """Each commit waits until it may go on."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.begun, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def transact(self, keys: Keys, claims: Sequence[Claim], work: Callable[[Loaded], Iterable[Changes]]) -> None:
        self.begun.set()
        await self.may_go_on.wait()
        await super().transact(keys, claims, work)


def declare(committer: Committer, title: str) -> "asyncio.Task[Answer]":
    command = c.Declare(title=title, severity=Severity.SEV3)
    return asyncio.create_task(committer.submit(Open(Request("U0ALICE0001"), command, Policy())))


async def answer_late(store: SlowStore) -> None:
    """Answer once the committer has waited as long as it may."""
    for _ in range(50):
        await asyncio.sleep(0)
    store.may_go_on.set()


@pytest.mark.parametrize("in_time", [True, False])
async def test_what_is_queued_at_a_stop_is_committed_in_its_time_and_else_refused(
    in_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "BATCH_MAX", 1)
    now = 0.0
    stop, store = Stop(lambda: now), SlowStore()
    async with Committer(store, Clock(), stop=stop) as committer:
        asked = [declare(committer, f"Outage {n}") for n in range(3)]
        await store.begun.wait()
        stop.tell()
        now = 0.0 if in_time else ENDED_BY
        answering = asyncio.create_task(answer_late(store))
    await answering
    answers = await asyncio.gather(*asked, return_exceptions=True)
    done = [one for one in answers if isinstance(one, Answer)]
    assert len(done) == len(store.tables.incidents) == (3 if in_time else 1)
    assert all("shutting down" in str(one) for one in answers if isinstance(one, Unavailable))


def test_all_share_one_time_which_begins_with_the_word() -> None:
    now = 100.0
    stop = Stop(lambda: now)
    assert not stop.told
    stop.tell()
    now = 103.0
    stop.tell()
    assert (stop.told, stop.left(5), stop.left(2)) == (True, 2.0, 0.0)


def test_whoever_asks_how_long_is_left_gives_the_word() -> None:
    stop = Stop(lambda: 100.0)
    assert (stop.left(5), stop.told) == (5.0, True)
