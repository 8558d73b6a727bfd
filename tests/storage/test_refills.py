"""Which channels may have said something that is not on record, on both databases."""

from datetime import datetime, timedelta

from bot.domain import commands as c
from bot.domain.severity import Severity
from tests.storage.house import START, House, open_house


async def unfilled(house: House, since: datetime | None = None) -> list[tuple[int, datetime | None]]:
    found = await house.database.unfilled(since or house.clock() + timedelta(days=1))
    return [(one.state.number, one.complete_to) for one in found]


async def test_what_is_open_and_has_a_channel_may_have_a_gap_the_gravest_first(house: House) -> None:
    for n, severity in enumerate((Severity.SEV3, Severity.SEV1, Severity.SEV3, Severity.SEV1), 1):
        await house.open(f"Outage {n}", severity=severity)
        if n < 4:
            await house.furnish(n)
    assert await unfilled(house) == [(2, None), (3, None), (1, None)]
    await house.database.filled(2, START, 1)
    assert await unfilled(house) == [(2, START), (3, None), (1, None)]


async def test_what_is_over_may_have_one_if_it_changed_since_or_a_short_time_ago(house: House) -> None:
    await house.open()
    await house.furnish(1)
    state = await house.database.incident(1)
    assert state
    await house.database.filled(1, START, state.seq)
    await house.act(1, c.Resolve())
    assert await unfilled(house) == [(1, START)]
    state = await house.database.incident(1)
    assert state
    await house.database.filled(1, START, state.seq)
    assert await unfilled(house) == []
    assert await unfilled(house, since=house.clock()) == [(1, START)]


async def test_who_found_less_takes_nothing_back(house: House, database_url: str) -> None:
    """Two replicas look at once, and the one that began earlier ends later."""
    await house.open()
    await house.furnish(1)
    async with open_house(database_url) as other:
        await house.database.filled(1, START + timedelta(minutes=2), 5)
        await other.database.filled(1, START + timedelta(minutes=1), 4)
        assert await unfilled(other) == [(1, START + timedelta(minutes=2))]
