"""Several processes on one database."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from bot.domain import commands as c
from bot.domain.refusals import Refused
from bot.ports.store import Answer
from bot.storage import claims
from tests.storage.house import BOB, StandingClock, open_house
from tests.support.databases import migrate
from tests.support.demo import free_port
from tests.support.postgres import Cluster


async def test_a_commit_elsewhere_wakes_this_process_but_its_own_does_not(database_url: str) -> None:
    """Through LISTEN/NOTIFY or the file's data version."""
    async with open_house(database_url) as one, open_house(database_url) as two:
        heard, echo = asyncio.Event(), asyncio.Event()
        two.database.on_change(heard.set)
        one.database.on_change(echo.set)
        await one.open()
        await asyncio.wait_for(heard.wait(), 5)
        assert not echo.is_set()
        assert (await two.database.incident(1)) is not None


async def test_each_effect_is_claimed_once_by_two_processes_at_once(database_url: str) -> None:
    """However often both ask."""
    clock = StandingClock()
    async with (
        open_house(database_url, clock, limits={}) as one,
        open_house(database_url, clock, limits={}) as two,
    ):
        await asyncio.gather(*(one.open(f"Outage {n}", f"U{n:03}") for n in range(40)))
        houses = [one, two] * 6
        claimed = await asyncio.gather(
            *(house.database.claim(f"w{n % 2}", 5, clock()) for n, house in enumerate(houses))
        )
        ids = [job.id for jobs in claimed for job in jobs]
        assert len(ids) == len(set(ids)) == 40


async def test_budgets_are_shared_by_processes(database_url: str) -> None:
    """Five rooms, not five each."""
    clock = StandingClock()
    async with open_house(database_url, clock) as one, open_house(database_url, clock) as two:
        await asyncio.gather(*(one.open(f"Outage {n}", f"U{n:03}") for n in range(20)))
        claimed = await asyncio.gather(one.claim("w1"), two.claim("w2"))
        assert sum(len(jobs) for jobs in claimed) == 5


async def test_numbers_have_no_gaps_when_two_processes_declare_at_once(database_url: str) -> None:
    """And one person's double declaration through two processes is one incident."""
    async with open_house(database_url) as one, open_house(database_url) as two:
        houses = [one, two]
        answers = await asyncio.gather(*(houses[n % 2].declare(f"Outage {n // 2}", f"U{n // 2:03}") for n in range(40)))
        assert {answer.incident for answer in answers} == set(range(1, 21))
        assert await one.database.verify() == []


async def test_two_processes_decide_one_after_the_other(database_url: str) -> None:
    """One acknowledgement counts, the other is refused; the chain has no fork."""
    async with open_house(database_url) as one, open_house(database_url) as two:
        for n in range(10):
            await one.open(f"Outage {n}")
        outcomes = await asyncio.gather(
            *(house.act(n, c.Acknowledge()) for n in range(1, 11) for house in (one, two)), return_exceptions=True
        )
        assert [o for o in outcomes if not isinstance(o, Answer | Refused)] == []
        assert sum(isinstance(outcome, Answer) for outcome in outcomes) == 10
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 10
        assert await one.database.verify() == []


async def test_batches_that_touch_the_same_incidents_in_any_order_never_deadlock(database_url: str) -> None:
    """Locks are taken sorted."""
    async with open_house(database_url) as one, open_house(database_url) as two:
        for n in range(6):
            await one.open(f"Outage {n}")
        forth, back = range(1, 7), range(6, 0, -1)
        await asyncio.gather(
            *(one.act(n, c.AddNote(f"one {round_}")) for round_ in range(5) for n in forth),
            *(two.act(n, c.AddNote(f"two {round_}")) for round_ in range(5) for n in back),
            *(two.observe(n, f"m{round_}") for round_ in range(5) for n in back),
        )
        assert await one.database.verify() == []


@pytest.mark.postgres
async def test_no_call_is_claimed_after_the_commit_that_answers_it(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another replica resolves in the midst of a claim that takes over what a dead worker held."""
    url = postgres.create(f"claims_{free_port()}")
    await asyncio.to_thread(migrate, url)
    clock = StandingClock()
    choose = claims._choosing
    async with open_house(url, clock, lease=-1.0) as house, open_house(url, clock) as other:
        await house.open()
        await house.furnish(1)
        await house.act(1, c.PageSomeone(BOB))
        assert "tell_user" in [job.effect.kind for job in await house.claim("dead")]
        resolved = asyncio.Event()

        async def resolve() -> None:
            await other.act(1, c.Resolve("it was the pool"))
            resolved.set()

        def choosing() -> Any:
            if not resolved.is_set():
                await_only(resolve())  # the claim runs on the loop, between its statements
            return choose()

        monkeypatch.setattr(claims, "_choosing", choosing)
        jobs = await house.claim("w2")
        assert resolved.is_set()
        assert [job for job in jobs if job.effect.kind == "tell_user"] == []
        assert {job.state.is_active for job in jobs} == {False}


@pytest.mark.postgres
async def test_a_claim_does_not_join_the_queue_with_itself(postgres: Cluster) -> None:
    """That would grow with the square of what waits, until PostgreSQL finds out how much it is: minutes, in a flood."""
    url = postgres.create(f"claims_{free_port()}")
    await asyncio.to_thread(migrate, url)

    def explain(conn: Connection) -> list[str]:
        statement = claims._choosing().compile(dialect=conn.dialect)
        given: dict[str, Any] = {**statement.params, "now": "2026", "second": 0.0, "most": 16}
        values = tuple(given[name] for name in statement.positiontup or ())
        return [row[0] for row in conn.exec_driver_sql(f"EXPLAIN {statement}", values)]

    async with open_house(url) as house:
        plan = await house.database._backend.read(explain)
    assert [line for line in plan if "Anti Join" in line or "Semi Join" in line] == []
    assert any("same_show" in line for line in plan), "it asks all the same"
