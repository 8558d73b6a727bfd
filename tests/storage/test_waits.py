"""Whoever declares is told whether the channel has to wait for its turn, and how long."""

from datetime import timedelta

from sqlalchemy import select

from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.ports.reader import RoomWait
from bot.storage import tables
from tests.storage.house import House


async def test_a_channel_that_may_be_opened_now_waits_for_nothing(house: House) -> None:
    """Five a minute are allowed."""
    numbers = [await house.open(f"Outage {n}") for n in range(5)]
    waits = [await room_wait(house, number) for number in numbers]
    assert waits == [None] * 5


async def test_a_channel_beyond_the_budget_says_how_many_are_before_it_and_when_it_opens(house: House) -> None:
    """One comes back every twelve seconds."""
    numbers = [await house.open(f"Outage {n}") for n in range(7)]
    wait = await room_wait(house, numbers[-1])
    assert wait is not None
    assert (wait.ahead, wait.a_minute) == (6, 5)
    assert wait.opens_at - house.clock() == timedelta(seconds=24)


async def test_a_channel_that_is_to_come_back_is_before_it_too(house: House) -> None:
    """To bring one back takes as much as to open one."""
    house.policy = Policy.model_validate({"channels": {"archive_after": "1h"}})
    await house.open("Closed too early")
    await house.furnish(1)
    await house.finish()
    for command in (c.Resolve("fixed"), c.Close()):
        await house.act(1, command)
    (due,) = [timer.due for timer in await house.database.timers(1) if timer.kind == "archive"]
    await house.ring(1, "archive", due)
    assert "archive_room" in await house.finish()
    await house.act(1, c.Reopen("it is back"))
    house.clock.pass_(minutes=1)
    until = house.clock() + timedelta(seconds=30)
    await house.database.park("conversations.create", until)
    wait = await room_wait(house, await house.open("Another"))
    assert wait is not None
    assert wait.ahead == 1


async def test_a_worse_severity_goes_before_those_that_wait(house: House) -> None:
    """And may use what is kept from the others."""
    lower = [await house.open(f"Outage {n}", severity=Severity.SEV3) for n in range(4)]
    assert (await room_wait(house, lower[2])) is None
    assert (await room_wait(house, lower[3])) is not None
    worst = await house.open("All is down")
    assert await room_wait(house, worst) is None


async def test_whoever_has_to_wait_is_told_so_and_nobody_else(house: House) -> None:
    """Forty of mixed severity, a second between two of them; after a while Slack asks us to wait."""
    told, opened = list[int](), set[int]()
    for n in range(40):
        if n == 20:
            await house.database.park("conversations.create", house.clock() + timedelta(seconds=9))
        number = await house.open(f"Outage {n}", severity=list(Severity)[n * 7 % 4])
        wait = await room_wait(house, number)
        now = set(await opening(house))
        told += [number] if wait else []
        assert (number in now) == (wait is None), n
        opened |= now
        house.clock.pass_(seconds=1)
    assert 5 < len(told) < 40
    assert len(opened) == 5 + 3, "five at once, then one in twelve seconds"


async def test_a_parked_method_is_waited_for(house: House) -> None:
    """Slack said when."""
    number = await house.open()
    until = house.clock() + timedelta(seconds=30)
    await house.database.park("conversations.create", until)
    wait = await room_wait(house, number)
    assert wait is not None
    assert (wait.ahead, wait.opens_at) == (0, until)


async def test_a_channel_that_is_being_opened_waits_for_nothing(house: House) -> None:
    """Nor does one that stands."""
    number = await house.open()
    await house.claim()
    assert await room_wait(house, number) is None


async def test_the_purge_lifts_no_limit_from_what_waits(house: House) -> None:
    """Slack was away for an hour: every budget is full again, and no more is let go at once than Slack allows."""
    for n in range(8):
        await house.open(f"Outage {n}", severity=Severity.SEV3)
    house.clock.pass_(hours=1)
    await house.database.purge(house.clock())
    assert await opening(house) == [1, 2, 3], "SEV3s may use three of the five"
    worst = await house.open("All is down")
    assert await opening(house) == [worst]


async def test_the_purge_lifts_no_limit_from_what_a_person_may_try_again(house: House) -> None:
    """Given up, it draws from its budget once more when somebody says so."""
    numbers = [await house.open(f"Outage {n}") for n in range(8)]
    for _ in range(2):
        for job in await house.claim():
            await house.settle(job, "failed", command=c.GiveUp(job.id, "open the channel", "boom", ""))
        house.clock.pass_(hours=1)
    await house.database.purge(house.clock())
    for number in numbers:
        await house.act(number, c.RetryDelivery())
    assert len(await opening(house)) == 5


async def test_the_purge_forgets_a_budget_that_nothing_draws_from(house: House) -> None:
    """And ends a park that lasts longer than anybody asks for: an older version wrote down any."""
    await house.database.park("conversations.create", house.clock() + timedelta(days=30_000))
    await house.database.purge(house.clock())
    house.clock.pass_(minutes=16)
    await house.open()
    assert "open_room" in await house.finish()
    await house.database.purge(house.clock())
    assert await budgets(house) == set()


async def room_wait(house: House, number: int) -> RoomWait | None:
    """What the incident's channel waits for."""
    return (await house.database.room_waits(house.clock())).get(number)


async def opening(house: House) -> list[int]:
    """The incidents whose channel is let go now."""
    return [job.state.number for job in await house.claim() if job.effect.kind == "open_room"]


async def budgets(house: House) -> set[str]:
    """The names of the rows that there are."""
    names = select(tables.budgets.c.name)
    return set(await house.database._backend.read(lambda conn: list(conn.execute(names).scalars())))
