"""Clocks on a real database: over the change of summer time, month ends and a restart, to the second."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.ports.reader import TimerRow
from bot.storage.database import open_database
from bot.usecases.cases import Act, Open, Request
from bot.usecases.committer import Committer
from bot.usecases.settling import Ring
from tests.delivery.world import Clock

POLICY = Policy.model_validate(
    {
        "organization": {"timezone": "Europe/Berlin", "holidays": ["2026-12-25", "2026-12-28"]},
        "severities": {"sev1": {"respond": "15m", "update_every": "30m", "postmortem_due": "5bd", "roles": []}},
    }
)
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def one_life(url: str, clock: Clock, commands: Sequence[c.Command] = ()) -> None:
    """Let a process come, do what is asked, let ring what is due, and go. Nothing is delivered: that is not meant."""
    async with open_database(url, clock=clock) as database, Committer(database, clock) as committer:
        for command in commands:
            await committer.submit(Act(Request("U0ANNA"), 1, command, POLICY))
        for timer in await database.due_timers(clock(), 50):
            await committer.submit(Ring(timer.incident, timer.kind, timer.due, POLICY))


async def row(url: str, clock: Clock, kind: str) -> TimerRow:
    async with open_database(url, clock=clock) as database:
        rows = [one for one in await database.timers(1) if one.kind == kind]
    return rows[-1]


@pytest.mark.parametrize(
    ("kind", "begins", "commands", "due"),
    [
        ("respond", "2026-10-25 00:50", (), "2026-10-25 01:05"),  # the hour from two to three comes twice
        ("respond", "2026-03-29 00:50", (), "2026-03-29 01:05"),  # …and is missing
        ("update", "2028-02-28 23:45", (c.Acknowledge(),), "2028-02-29 00:15"),
        ("update", "2026-12-31 23:45", (c.Acknowledge(),), "2027-01-01 00:15"),
        ("postmortem", "2026-12-18 10:00", (c.Resolve("over"),), "2026-12-29 16:00"),  # two holidays, a weekend
        ("postmortem", "2026-03-27 10:00", (c.Resolve("over"),), "2026-04-03 15:00"),  # 17:00 is an hour earlier now
        ("postmortem", "2026-10-23 10:00", (c.Resolve("over"),), "2026-10-30 16:00"),
        (
            "update",
            "2026-10-25 00:30",
            (c.Acknowledge(), c.Snooze("update", timedelta(hours=2))),
            "2026-10-25 02:30",
        ),
    ],
)
async def test_a_timer_rings_when_it_is_due_though_nobody_ran_meanwhile(
    database_url: str, kind: str, begins: str, commands: tuple[c.Command, ...], due: str
) -> None:
    clock = Clock()
    clock.now = at(begins)
    async with open_database(database_url, clock=clock) as database, Committer(database, clock) as committer:
        await committer.submit(Open(Request("U0ANNA"), c.Declare("Checkout is down", Severity.SEV1), POLICY))
    await one_life(database_url, clock, commands)
    armed = await row(database_url, clock, kind)
    assert (armed.state, armed.due) == ("armed", at(due))

    clock.now = at(due) - SECOND
    await one_life(database_url, clock)
    assert (await row(database_url, clock, kind)).state == "armed"

    clock.now = at(due) + 90 * SECOND
    await one_life(database_url, clock)
    async with open_database(database_url, clock=clock) as database:
        facts = [item.event for item in await database.events(1)]
    names = {"respond": "response_overdue", "update": "update_overdue", "postmortem": "postmortem_overdue"}
    (late,) = [fact for fact in facts if fact.type == names[kind]]
    assert late.late_by == 90, "how late it was is on record"  # type: ignore[union-attr]
