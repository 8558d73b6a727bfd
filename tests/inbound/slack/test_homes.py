"""App Home follows what happens for whoever has it open: told, never asked, and not at every blow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.effects import ShowHome
from bot.domain.notices import HOUSE
from bot.inbound.slack.homes import OpenHomes
from bot.inbound.slack.tasks import Tasks
from bot.ports.store import Unavailable
from bot.usecases.home import Homes
from tests.inbound.slack.conftest import ALICE, BOB, Workspace
from tests.support.desks import Office, open_office


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


class Watching:
    """One door's open homes. What was to be shown is taken away, as delivery would, by `shown`."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.tasks = Tasks()
        self.homes = OpenHomes(
            Homes(office.reader, office.desk.queries), office.committer, office.clock, self.tasks, every=0.0
        )

    def shown(self) -> list[str]:
        """Whose Home was to be shown since the last call."""
        rows = self.office.store.tables.effects
        mine = {key: row.new.effect.user for key, row in rows.items() if isinstance(row.new.effect, ShowHome)}
        for key in mine:
            del rows[key]
        return sorted(mine.values())

    async def look(self) -> None:
        """Something was committed; wait for what follows of it."""
        self.homes.changed()
        if self.homes._next is not None:
            self.homes._next.cancel()
            self.homes._start()
        await self.tasks.finish()


@pytest.fixture
async def watching(office: Office) -> AsyncIterator[Watching]:
    made = Watching(office)
    yield made
    made.homes.close()
    await made.tasks.finish()


async def test_what_is_owed_is_found_among_however_many_incidents(watching: Watching, office: Office) -> None:
    await office.incident(title="Long ago", actor=ALICE)
    await office.act(1, c.AddTask("Add a lag alert", ALICE))
    await office.act(1, c.Resolve("done"))
    for n in range(220):
        await office.incident(title=f"Incident {n}", actor=BOB)
    shown = await watching.homes.homes.of_one(ALICE)
    assert [one["kind"] for one in shown["owed"]] == ["postmortem", "task"]
    assert len(shown["open"]) == 220


async def test_it_is_shown_when_opened_and_a_repeat_of_the_event_shows_nothing_more(watching: Watching) -> None:
    await watching.homes.opened(ALICE, "slack:Ev1")
    await watching.homes.opened(ALICE, "slack:Ev1")
    assert watching.shown() == [ALICE]


async def test_it_follows_what_changes_and_only_that(watching: Watching, office: Office) -> None:
    await watching.homes.opened(ALICE)
    await watching.homes.opened(BOB)
    watching.shown()
    await watching.look()
    assert watching.shown() == [], "nothing has changed"
    number = await office.incident(private=True)
    await watching.look()
    assert watching.shown() == [ALICE], "the other one sees nothing of it"
    await office.act(number, c.AddNote("a note is nothing that a Home shows"))
    await watching.look()
    assert watching.shown() == []


async def test_after_an_hour_it_follows_no_more(watching: Watching, office: Office) -> None:
    await watching.homes.opened(ALICE)
    watching.shown()
    office.clock.pass_by(minutes=61)
    await office.incident()
    await watching.look()
    assert watching.shown() == []


async def test_a_database_that_is_away_is_looked_at_again_with_the_next_commit(
    watching: Watching, office: Office
) -> None:
    await watching.homes.opened(ALICE)
    watching.shown()
    await office.incident()
    office.reader.down = True
    await watching.look()
    assert watching.shown() == []
    office.reader.down = False
    await watching.look()
    assert watching.shown() == [ALICE]


async def test_who_looks_on_is_never_more_than_a_look_in_its_time(watching: Watching, office: Office) -> None:
    watching.homes.every = 3600.0
    await watching.homes.opened(ALICE)
    watching.homes._looked_at = asyncio.get_running_loop().time()
    await office.incident()
    watching.homes.changed()
    first = watching.homes._next
    watching.homes.changed()
    assert first is not None
    assert watching.homes._next is first
    assert first.when() > asyncio.get_running_loop().time() + 3000


async def test_an_opening_that_cannot_be_read_is_sent_again_by_slack(watching: Watching, office: Office) -> None:
    office.reader.down = True
    with pytest.raises(Unavailable):
        await watching.homes.opened(ALICE)


async def test_the_row_belongs_to_no_incident_and_waits_once(watching: Watching, office: Office) -> None:
    await watching.homes.opened(ALICE)
    (row,) = (row.new for row in office.store.tables.effects.values())
    assert (row.incident, row.show_key, row.lane) == (HOUSE, f"home:{ALICE}", None)


# --- at the door ----------------------------------------------------------------------------------------
HOME: dict[str, Any] = {"id": "V1", "type": "home", "blocks": []}


def pressed(action: str, value: str) -> dict[str, Any]:
    control = {"type": "button", "action_id": action, "block_id": "b", "value": value}
    return {
        "type": "block_actions", "user": {"id": BOB}, "team": {"id": "T1"}, "view": HOME,
        "container": {"type": "view", "view_id": "V1"}, "trigger_id": "T9", "actions": [control],
    }  # fmt: skip


async def press(workspace: Workspace, action: str, value: str) -> None:
    assert await workspace.interact(pressed(action, value)) == (200, "")
    await workspace.settle()


async def test_a_button_of_the_home_does_what_it_says_and_answers_in_a_window(workspace: Workspace) -> None:
    await press(workspace, "ack:0", "1")
    state = workspace.office.store.tables.incidents[1]
    assert state.acknowledged_by == BOB
    method, body = workspace.slack.calls[-1]
    assert (method, body["trigger_id"]) == ("views.open", "T9")
    assert "Acknowledged" in str(body["view"]) or "acknowledged" in str(body["view"])


async def test_declaring_from_the_home_opens_the_form(workspace: Workspace) -> None:
    await press(workspace, "declare", "-")
    assert workspace.slack.view()["callback_id"] == "form_declare"


async def test_an_action_item_is_done_by_its_button(workspace: Workspace) -> None:
    await workspace.office.act(1, c.AddTask("add a lag alert", BOB))
    await press(workspace, "task_done:0", "1:1")
    assert workspace.office.store.tables.incidents[1].tasks[0].done
