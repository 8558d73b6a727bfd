"""Whoever declares is told whether the channel has to wait for its turn, and how long."""

from datetime import timedelta

from bot.domain.severity import Severity
from tests.storage.house import House


async def test_a_channel_that_may_be_opened_now_waits_for_nothing(house: House) -> None:
    """Five a minute are allowed."""
    numbers = [await house.open(f"Outage {n}") for n in range(5)]
    waits = [await house.database.room_wait(number, house.clock()) for number in numbers]
    assert waits == [None] * 5


async def test_a_channel_beyond_the_budget_says_how_many_are_before_it_and_when_it_opens(house: House) -> None:
    """One comes back every twelve seconds."""
    numbers = [await house.open(f"Outage {n}") for n in range(7)]
    wait = await house.database.room_wait(numbers[-1], house.clock())
    assert wait is not None
    assert (wait.ahead, wait.a_minute) == (6, 5)
    assert wait.opens_at - house.clock() == timedelta(seconds=24)


async def test_a_worse_severity_goes_before_those_that_wait(house: House) -> None:
    """And may use what is kept from the others."""
    lower = [await house.open(f"Outage {n}", severity=Severity.SEV3) for n in range(4)]
    assert (await house.database.room_wait(lower[2], house.clock())) is None
    assert (await house.database.room_wait(lower[3], house.clock())) is not None
    worst = await house.open("All is down")
    assert await house.database.room_wait(worst, house.clock()) is None


async def test_a_parked_method_is_waited_for(house: House) -> None:
    """Slack said when."""
    number = await house.open()
    until = house.clock() + timedelta(seconds=30)
    await house.database.park("conversations.create", until)
    wait = await house.database.room_wait(number, house.clock())
    assert wait is not None
    assert (wait.ahead, wait.opens_at) == (0, until)


async def test_a_channel_that_is_being_opened_waits_for_nothing(house: House) -> None:
    """Nor does one that stands."""
    number = await house.open()
    await house.claim()
    assert await house.database.room_wait(number, house.clock()) is None
