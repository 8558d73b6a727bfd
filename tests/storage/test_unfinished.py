"""What is open, and what is over and still owes something, is found however many incidents there are."""

from sqlalchemy import text

from bot.domain import commands as c
from bot.storage import schema
from bot.storage.tables import is_owing
from tests.storage.house import House, open_house

AS_IF = '{"number":1,"done":false}, "postmortem_due":null'
"""Words of people that look like a snapshot's."""


async def test_all_that_is_open_or_owes_something_is_found_and_nothing_else(database_url: str) -> None:
    async with open_house(database_url) as house:
        for n in range(7):
            await house.open(f"Checkout {n} is down")
        await _lived(house)
        found = [state.number for state in await house.database.unfinished()]
    assert found == [7, 6, 2, 1]


async def _lived(house: House) -> None:
    """1 is open; 2 and 6 left an action item; 3 has done its own; 4 was none; 5 only speaks of it; 7 is resolved."""
    for number in (2, 3, 4, 6):
        await house.act(number, c.AddTask("Add a replica lag alert"))
    await house.act(3, c.CompleteTask(1))
    await house.act(4, c.Cancel("a test"))
    await house.act(5, c.SetTitle(AS_IF))
    for number in (2, 3, 5, 6, 7):
        await house.act(number, c.Resolve(AS_IF))
    for number in (2, 3, 5):
        await house.act(number, c.Close())


async def test_it_is_read_again_when_it_has_changed(database_url: str) -> None:
    async with open_house(database_url) as house:
        await house.open("Checkout is down")
        await house.open("Search is slow")
        before = {state.number: state for state in await house.database.unfinished()}
        await house.act(1, c.SetTitle("Payments are down"))
        await house.act(1, c.Resolve("done"))
        await house.act(1, c.Close())
        await house.act(2, c.SetTitle("Search is down"))
        (now,) = await house.database.unfinished()
        assert (now.number, now.title) == (2, "Search is down")
        (again,) = await house.database.unfinished()
        assert again is now, "what is as it was is not read again"
        assert before[2].title == "Search is slow"


def test_sqlite_looks_only_at_what_owes_something(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    schema.migrate(url)
    asked = text(f"EXPLAIN QUERY PLAN SELECT number, state FROM incidents WHERE {is_owing('sqlite').text}")
    plan = schema._run(url, lambda conn: [row[3] for row in conn.execute(asked)])
    assert any("ix_incidents_owing" in line for line in plan), plan
