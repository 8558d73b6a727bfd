"""A catch-up hides nothing that has changed since somebody looked, whatever it was and whenever it is said to be."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.record import Observation
from bot.render.slack.answers import query_text
from bot.usecases.cases import Observe, Request
from bot.usecases.desk import QueryAnswer
from bot.usecases.queries import Viewer
from tests.render.slack_cases import surroundings
from tests.support.desks import DISK_FULL, START, Office, open_office

ALICE, BOB = "U0ALICE0001", "U0BOB000002"


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """INC-1 is open, and Bob does things to it."""
    async with open_office() as opened:
        await opened.incident("C1")
        yield opened


async def catch_up(office: Office, actor: str = ALICE) -> dict[str, Any]:
    """What Alice is told, and looks at."""
    answer = await office.desk.do("catchup INC-1", Request(actor))
    assert isinstance(answer, QueryAnswer)
    data: dict[str, Any] = answer.data
    return data


async def later(office: Office, *commands: c.Command) -> list[str]:
    """Let Bob act some time after Alice looked; return what she is told then."""
    await catch_up(office)
    office.clock.pass_by(minutes=5)
    for command in commands:
        await office.act(1, command, BOB)
    office.clock.pass_by(minutes=5)
    return [line["text"] for line in (await catch_up(office))["lines"]]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (c.SetTitle("Payments are down"), "changed the title: Payments are down"),
        (c.SetService("disks"), "set the service to disks"),
        (c.AttachRunbook(DISK_FULL), "Runbook in use: Disk full"),
        (c.OfferHandoff(ALICE), "offered the command"),
        (c.SetCall("https://meet.example/1"), "set where people talk"),
        (c.AddTask("add an alert"), "added action item 1: add an alert"),
        (c.AddNote("the deploy began", START - timedelta(hours=2)), "noted: the deploy began"),
        (c.DraftPublic("We look into it"), "wrote a public update"),
        (c.Snooze("update", timedelta(minutes=20)), "put off the timer"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_whatever_has_changed_since_they_looked_is_told(office: Office, command: c.Command, told: str) -> None:
    (line,) = await later(office, command)
    assert told in line


async def test_so_is_what_was_ticked_done_and_closed(office: Office) -> None:
    await office.act(1, c.AttachRunbook(DISK_FULL))
    await office.act(1, c.AddTask("add an alert"))
    lines = await later(office, c.MarkStep(1, "done"), c.CompleteTask(1), c.Resolve("restarted"), c.Close())
    assert [line.split("> ")[1] for line in lines] == [
        "marked step 1 done", "completed action item 1", "resolved INC-1 after 5m: restarted", "closed INC-1",
    ]  # fmt: skip


async def test_a_note_about_an_earlier_time_stands_where_it_became_known_and_says_both_times(office: Office) -> None:
    await later(office, c.AddNote("the deploy began", START - timedelta(hours=2)), c.AddTask("add an alert"))
    office.clock.pass_by(minutes=5)
    await office.act(1, c.AddNote("it was seen at once", START), BOB)
    (line,) = (await catch_up(office))["lines"]
    assert (line["at"], line["recorded_at"]) == ("2026-03-14T09:00:00Z", "2026-03-14T09:15:00Z")


async def test_what_was_only_said_is_read_where_it_stands(office: Office) -> None:
    await catch_up(office)
    office.clock.pass_by(minutes=5)
    seen = Observation(kind="message", key="C1:1.0", channel="C1", ts="1.0", user=BOB, text="hello")
    await office.committer.submit(Observe(Request(BOB), 1, office.clock(), seen))
    assert (await catch_up(office))["lines"] == []


async def test_what_happens_while_it_is_read_is_told_the_next_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catch_up(office)
    office.clock.pass_by(minutes=5)
    read = office.desk.queries.catchup

    async def slowly(viewer: Viewer, number: int) -> dict[str, Any]:
        data = await read(viewer, number)
        office.clock.pass_by(seconds=1)
        await office.act(number, c.AddTask("add an alert"), BOB)
        office.clock.pass_by(seconds=1)
        return data

    with monkeypatch.context() as patch:
        patch.setattr(office.desk.queries, "catchup", slowly)
        assert (await catch_up(office))["lines"] == []
    (line,) = (await catch_up(office))["lines"]
    assert "add an alert" in line["text"]


async def test_one_that_is_over_says_how_it_ended_and_what_is_left(office: Office) -> None:
    await office.act(1, c.AssignRole("lead", BOB), BOB)
    await office.act(1, c.AddTask("add an alert"), BOB)
    await office.act(1, c.Resolve("restarted the pool"), BOB)
    text = query_text("catchup", await catch_up(office, "U0NEW"), surroundings().texts)
    assert "What fixed it: restarted the pool" in text
    assert f"<@{BOB}> was in command" in text
    assert "1 action item to do" in text
    assert "Nobody has acknowledged" not in text
