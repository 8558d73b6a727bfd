"""The message to somebody who was called follows what becomes of the call, and then leaves them alone."""

import pytest

from bot.domain import commands as c
from bot.domain.effects import ShowMessage
from bot.domain.incident.state import Incident
from bot.render.slack.page import page
from tests.domain.room import Room
from tests.render.slack_cases import surroundings
from tests.render.slack_witness import objections

SENT = c.PageSent("U0ONE", ok=True, channel="D1", ts="2.0", shown=2)


def shown(room: Room) -> list[str]:
    effects = [new.effect for new in room.last.effects]
    return [one.what for one in effects if isinstance(one, ShowMessage) and one.what.startswith("page")]


def words(state: Incident) -> str:
    made = page(state, surroundings())
    assert objections(made.blocks) == []
    return str(made)


def test_it_is_live_from_the_moment_it_was_sent() -> None:
    room = Room().declare().furnish().do(SENT, "tocsin")
    assert (room.state.messages["page:U0ONE"].channel, room.state.messages["page:U0ONE"].ts) == ("D1", "2.0")
    assert shown(room) == []
    assert "Acknowledge'" in words(room.state)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (c.Acknowledge(), "Acknowledged by <@U0ANNA>"),
        (c.Resolve("fixed"), "Resolved"),
        (c.Cancel("a false alarm"), "Cancelled"),
        (c.Cancel("by mistake", undone=True), "Cancelled"),
    ],
)
def test_once_it_needs_nobody_any_more_it_says_so_and_has_no_button(command: c.Command, said: str) -> None:
    room = Room().declare().furnish().do(SENT, "tocsin").do(command)
    assert shown(room) == ["page:U0ONE"]
    assert said in words(room.state)
    assert "Acknowledge'" not in words(room.state)


def test_acknowledged_while_it_was_on_its_way_it_is_brought_up_to_date_at_once() -> None:
    room = Room().declare().furnish().do(c.Acknowledge()).do(SENT, "tocsin")
    assert shown(room) == ["page:U0ONE"]


def test_what_does_not_concern_the_call_leaves_it_alone() -> None:
    room = Room().declare().furnish().do(SENT, "tocsin").do(c.PostUpdate("we look"))
    assert shown(room) == []
    assert shown(room.do(c.SetTitle("Payments are down"))) == []


def test_of_a_private_incident_it_tells_the_number_only() -> None:
    room = Room().declare("Ransom note", private=True).furnish().do(SENT, "tocsin").do(c.Acknowledge())
    assert "Ransom" not in words(room.state)
