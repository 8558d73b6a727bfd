"""Whatever people ask, whatever goes wrong, whoever dies: the world ends as in a life that nothing disturbed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from bot.domain import commands as c
from bot.domain.severity import Severity
from tests.delivery.bases import InMemory, on_database
from tests.delivery.judging import decided, judge
from tests.delivery.living import Life
from tests.delivery.schedules import (
    BOOK,
    MAYBE,
    SCHEDULES,
    SILENCING,
    Acts,
    Alerts,
    Answers,
    Declares,
    Opens,
    Passes,
    Schedule,
    Tries,
)
from tests.delivery.workplace import KINDS, MISFORTUNES
from tests.delivery.world import Clock
from tests.support.databases import Databases

LOST_PAGE = Schedule(
    [(Declares(Severity.SEV1, "checkout"), 30), (Acts(1, c.Resolve("it was the pool"), "U0000001"), None)],
    weather=dict.fromkeys(range(6), "reset after"),
)
"""The pager has taken the page, nobody knows, and the incident is over before anybody asks again."""
CLOSING_WORDS = Schedule(
    [
        (Declares(Severity.SEV3, "checkout"), 9),
        (Acts(1, c.ApprovePublic(), "U0000001"), 9),
        (Acts(1, c.Resolve("it was the pool"), "U0000001"), None),
    ]
)
"""One commit publishes the approved update and the closing words after it: the page ends with these."""
TYPICAL = Schedule(
    [
        (Declares(Severity.SEV1, "checkout"), 30),
        (Acts(1, c.SetTitle("Checkout is slow"), "U0000001"), 30),
        (Acts(1, c.PostUpdate("rolled back"), "U0000002"), 30),
        (Acts(1, c.Acknowledge(), "U0000001"), 30),
        (Acts(1, c.Resolve("it was the pool"), "U0000001"), 30),
    ],
    workers=2,
)
"""An incident as they are; delivery keeps up with it."""
EVERYTHING = Schedule(
    [
        (Declares(Severity.SEV1, "checkout"), 30),
        (Acts(1, c.AttachRunbook(BOOK), "U0000001"), 30),
        (Alerts((("f1", True),), "critical"), 30),
        (Alerts((("Q1", True),), "critical", source="pagerduty"), 30),
        (Acts(1, c.SetCall("https://meet.example/one"), "U0000001"), 30),
        (Acts(2, SILENCING, "U0000001"), 30),
        (Acts(2, c.Acknowledge(), "U0000002"), 30),
        (Acts(1, c.ApprovePublic(), "U0000001"), 30),
        (Acts(1, c.PublishPublic(), "U0000001"), 30),
        (Alerts((("m1", True),), "warning", MAYBE), 30),
        (Answers("dismiss", "U0000003"), 30),
        (Opens("U0000001"), 30),
        (Tries("U0000001"), 30),
        (Acts(2, c.Resolve("it was the pool"), "U0000001"), 30),
        (Acts(1, c.Resolve("it was the pool"), "U0000001"), 30),
        (Acts(1, c.SetTitle("Payments fail"), "U0000001"), 30),
        (Acts(1, c.Close(), "U0000001"), 30),
        (Passes(700), None),
        (Acts(1, c.Reopen("it is back"), "U0000001"), 30),
    ],
    crashes=[33, 35, 37],
    workers=2,
)
"""Effects of every kind, and processes that die meanwhile."""
LOUD = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
Logs = dict[int, list[tuple[Any, ...]]]


async def lived(life: Life) -> Logs:
    """Live, judge, and return what was decided."""
    await life.live()
    await judge(life)
    return {number: decided(await life.base.recorded(number)) for number in await life.numbers()}


async def calm(schedule: Schedule) -> Logs:
    """The same in a world where nothing goes wrong."""
    clock = Clock()
    return await lived(Life(InMemory(clock), schedule.calm(), clock))


@settings(suppress_health_check=LOUD)
@given(schedule=SCHEDULES)
@example(schedule=LOST_PAGE)
@example(schedule=CLOSING_WORDS)
@example(schedule=EVERYTHING)
def test_in_memory_any_schedule_ends_as_if_nothing_had_happened(schedule: Schedule) -> None:
    async def both() -> tuple[Logs, Logs]:
        clock = Clock()
        return await lived(Life(InMemory(clock), schedule, clock)), await calm(schedule)

    disturbed, undisturbed = asyncio.run(both())
    assert disturbed == undisturbed


async def test_schedules_bring_effects_of_every_kind_about() -> None:
    clock = Clock()
    life = Life(InMemory(clock), EVERYTHING, clock)
    await lived(life)
    assert life.place.kinds == set(KINDS)


@pytest.mark.parametrize("misfortune", MISFORTUNES)
async def test_whatever_one_call_meets_the_end_is_the_same(misfortune: str) -> None:
    """Every call of an ordinary incident, one after the other."""
    undisturbed, clock = await calm(TYPICAL), Clock()
    quiet = Life(InMemory(clock), TYPICAL, clock)
    await quiet.live()
    assert quiet.place.calls > 25
    for n in range(quiet.place.calls):
        clock = Clock()
        life = Life(InMemory(clock), replace(TYPICAL, weather={n: misfortune}), clock)
        assert await lived(life) == undisturbed, f"call {n}"
        assert not life.place.weather, f"call {n} was made"


@settings(max_examples=15, suppress_health_check=LOUD)
@given(schedule=SCHEDULES)
@example(schedule=LOST_PAGE)
@example(schedule=CLOSING_WORDS)
@example(schedule=EVERYTHING)
def test_on_a_database_any_schedule_ends_as_if_nothing_had_happened(databases: Databases, schedule: Schedule) -> None:
    async def both() -> tuple[Logs, Logs]:
        clock = Clock()
        async with on_database(url, clock) as base:
            return await lived(Life(base, schedule, clock)), await calm(schedule)

    url = databases.migrated()
    try:
        disturbed, undisturbed = asyncio.run(both())
    finally:
        databases.drop(url)
    assert disturbed == undisturbed
