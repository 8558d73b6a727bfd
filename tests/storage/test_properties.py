"""Whatever is asked, in whatever order and batches: fold equals snapshot, chains hold, nothing waits twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import commands as c
from bot.domain.refusals import Refused
from bot.domain.severity import Severity, Status
from bot.domain.timers import TIMERS
from bot.ports.store import Answer, Superseded
from tests.storage.house import ANN, BOB, House, open_house
from tests.support.databases import Databases

WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
COMMANDS = st.one_of(
    st.just(c.Acknowledge()),
    st.builds(c.SetSeverity, st.sampled_from(Severity), WORDS),
    st.builds(c.SetStatus, st.sampled_from(Status), WORDS),
    st.builds(c.SetTitle, WORDS),
    st.builds(c.Resolve, WORDS),
    st.builds(c.Reopen, WORDS),
    st.builds(c.Cancel, WORDS),
    st.builds(c.PostUpdate, WORDS),
    st.builds(c.AddNote, WORDS),
    st.builds(c.AddTask, WORDS, st.sampled_from([None, BOB])),
    st.builds(c.CompleteTask, st.integers(1, 3)),
    st.builds(c.PageSomeone, st.sampled_from([ANN, BOB]), WORDS),
    st.builds(c.AssignRole, st.sampled_from(["lead", "scribe"]), st.sampled_from([ANN, BOB])),
    st.builds(c.DraftPublic, WORDS),
    st.just(c.ApprovePublic()),
    st.just(c.PublishPublic()),
    st.just(c.RetryDelivery()),
)
STEPS = st.one_of(
    st.tuples(st.just("declare"), WORDS),
    st.tuples(st.just("act"), st.tuples(st.integers(1, 3), COMMANDS)),
    st.tuples(st.just("observe"), st.tuples(st.integers(1, 5), WORDS)),
    st.tuples(st.just("work"), st.sampled_from(["done", "retry", "failed"])),
    st.tuples(st.just("ring"), st.integers(1, 60)),
)


async def work(house: House, outcome: Any) -> None:
    """Carry out what may run, with one outcome for all."""
    for job in await house.claim(limit=5):
        command: c.Command | None = None
        if outcome == "failed":
            command = c.GiveUp(job.id, job.effect.kind, "no", "try again")
        elif outcome == "done" and job.effect.kind == "open_room":
            command = c.RoomOpened(f"C{job.state.number}", f"inc-{job.state.number}")
        elif outcome == "done" and job.effect.kind == "post_card":
            command = c.MessagePosted("card", f"C{job.state.number}", "1.1", job.state.seq)
        await house.settle(job, outcome, command, house.clock() if outcome == "retry" else None)


async def step(house: House, kind: str, what: Any) -> None:
    """Do one thing; refusals are fine."""
    if kind == "declare":
        await house.declare(what)
    elif kind == "act":
        await house.act(*what)
    elif kind == "observe":
        await house.observe(1, f"m{what[0]}", what[1])
    elif kind == "work":
        await work(house, what)
    else:
        house.clock.pass_(minutes=what)
        for timer in await house.database.due_timers(house.clock(), 10):
            await house.ring(timer.incident, timer.kind, timer.due)


async def judge(house: House) -> None:
    """What must hold at any time."""
    assert await house.database.verify() == []
    for state in await house.database.incidents():
        assert await house.database.replay(state.number) == state.model_dump_json()
        assert len(state.model_dump_json()) < 16_000
        armed = Counter(timer.kind for timer in await house.database.timers(state.number) if timer.state == "armed")
        due = {kind: getattr(state, timer.field) for kind, timer in TIMERS.items()}
        assert armed == Counter(kind for kind, at in due.items() if at is not None)


async def live(url: str, batches: list[list[tuple[str, Any]]]) -> None:
    """Run the batches, each at once, and judge."""
    async with open_house(url, lease=timedelta(hours=1).total_seconds()) as house:
        await house.open("The first")
        for batch in batches:
            outcomes = await asyncio.gather(*(step(house, *one) for one in batch), return_exceptions=True)
            odd = [one for one in outcomes if one is not None and not isinstance(one, Answer | Refused | Superseded)]
            assert odd == []
        await judge(house)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=st.lists(st.lists(STEPS, min_size=1, max_size=5), min_size=1, max_size=8))
def test_any_sequence_of_commands_keeps_fold_snapshot_chain_and_timers(
    databases: Databases, batches: list[list[tuple[str, Any]]]
) -> None:
    """Twenty lives on each database."""
    url = databases.migrated()
    try:
        asyncio.run(live(url, batches))
    finally:
        databases.drop(url)
