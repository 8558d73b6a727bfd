"""The audit trail on both databases: written with what it is about, read newest first, forgotten by age."""

from datetime import timedelta

from bot.domain import commands as c
from bot.usecases.cases import Act, Deny, Request
from tests.storage.house import ANN, House

ANNA = Request(ANN, request_id="r1")


async def test_a_change_and_its_line_are_one_commit(house: House) -> None:
    number = await house.open()
    await house.committer.submit(Act(ANNA, number, c.Acknowledge(), house.policy))
    found = await house.database.audit(incident=number)
    assert [(one.action, one.outcome, one.request_id) for one in found] == [
        ("acknowledge", "done", "r1"),
        ("declare", "done", ""),
    ]


async def test_what_was_denied_can_be_asked_for_alone(house: House) -> None:
    number = await house.open()
    await house.committer.submit(Deny(ANNA, "close", number, "not_allowed"))
    found = await house.database.audit(denied=True)
    assert [(one.actor, one.action, one.incident, one.reason) for one in found] == [
        (ANNA.actor, "close", number, "not_allowed")
    ]


async def test_the_trail_is_forgotten_by_age(house: House) -> None:
    await house.open()
    await house.database.purge(house.clock(), audit_kept=timedelta(days=1))
    assert await house.database.audit()
    await house.database.purge(house.clock() + timedelta(days=2), audit_kept=timedelta(days=1))
    assert await house.database.audit() == []
