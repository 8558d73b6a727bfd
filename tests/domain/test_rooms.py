"""What stands in the channels follows the incident: names, announcements, and what waited for the archive to open."""

from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.effects import NameRoom, RestoreRoom, ShowMessage
from bot.domain.events import DeliveryFailed
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from tests.domain.room import POLICY, Room

ARCHIVES = Policy.model_validate({**POLICY.model_dump(), "channels": {"archive_after": "1h", "digest": "daily"}})


def furnished(policy: Policy = ARCHIVES, **fields: Any) -> Room:
    """An incident with its channel, its card, and its announcement here and there."""
    room = Room(policy).declare(**fields).furnish()
    for what, channel in (("announcement", "C2"), ("announcement:daily", "C3")):
        room.do(c.MessagePosted(what, channel, "2.0", room.state.seq), "tocsin")
    return room


def archived() -> Room:
    room = furnished().do(c.Resolve("done")).do(c.Close()).ring("archive")
    assert room.state.archived
    return room


def names(room: Room) -> list[str]:
    """What the channel is to be called."""
    return [new.effect.name for new in room.last.effects if isinstance(new.effect, NameRoom)]


@pytest.mark.parametrize(
    "command",
    [
        c.SetService("checkout"),
        c.AssignRole("lead", "U0BEN"),
        c.SetTitle("Payments are down"),
        c.PostUpdate("We restart"),
        c.SetSeverity(Severity.SEV2, "only one shop"),
        c.Resolve("done"),
    ],
    ids=["service", "lead", "title", "update", "severity", "resolve"],
)
def test_every_announcement_follows_what_it_says(command: c.Command) -> None:
    room = furnished().do(command)
    shown = {new.effect.what for new in room.last.effects if isinstance(new.effect, ShowMessage)}
    assert {"card", "announcement", "announcement:daily"} <= shown


def test_a_role_that_no_announcement_names_changes_none() -> None:
    room = furnished().do(c.AssignRole("scribe", "U0BEN"))
    assert [what for what in room.effects if what.startswith("announcement")] == []


def test_a_channel_in_the_archive_is_not_renamed_and_gets_its_name_when_it_is_back() -> None:
    room = archived().do(c.SetTitle("Payments are down"))
    assert names(room) == []
    room.do(c.Reopen("it is back"))
    (again,) = [new.effect for new in room.last.effects if isinstance(new.effect, RestoreRoom)]
    assert again.name == "inc-1-payments-are-down-again"
    room.do(c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")
    assert names(room) == ["inc-1-payments-are-down"]
    assert "show_call" in room.effects


@pytest.mark.parametrize("name", ["inc-1-checkout-is-down", "inc-1-checkout-is-down-2", "inc-1-checkout-is-down-again"])
def test_a_channel_whose_name_is_made_of_the_incidents_keeps_it(name: str) -> None:
    assert names(Room().declare().do(c.RoomOpened("C1", name), "tocsin")) == []


def test_a_title_that_changed_while_the_channel_was_being_opened_names_it_too() -> None:
    room = Room().declare().do(c.SetTitle("Payments are down"))
    assert names(room) == []
    assert names(room.do(c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")) == ["inc-1-payments-are-down"]


def test_a_name_that_came_too_late_for_a_channel_that_was_put_away_is_no_failure() -> None:
    late = c.GiveUp("1.9.0", "rename the channel", "is_archived", "", kind="name_room")
    assert archived().do(late, "tocsin").last.events == []
    room = furnished().do(late, "tocsin")
    assert isinstance(room.last.events[0].recorded.event, DeliveryFailed)
