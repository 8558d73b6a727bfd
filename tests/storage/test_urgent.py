"""A SEV1 lets nobody pass: delivery is told of it apart from all other work."""

from bot.domain import commands as c
from bot.domain.severity import Severity
from bot.usecases.cases import Open, Request
from tests.storage.house import ANN, House


async def test_delivery_is_told_to_hurry_for_a_sev1_only(house: House) -> None:
    hurried, woken = list[int](), list[int]()
    house.committer.on_urgent.append(lambda: hurried.append(1))
    house.committer.on_work.append(lambda: woken.append(1))
    for severity in (Severity.SEV2, Severity.SEV1):
        command = c.Declare(title=f"Outage {severity.value}", severity=severity)
        await house.committer.submit(Open(Request(ANN, severity.value), command, house.policy))
    assert (len(hurried), len(woken)) == (1, 2)
