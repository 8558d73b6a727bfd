"""Whoever is in a private incident sees it; whoever was removed from it does so no longer."""

from datetime import timedelta

from bot.domain import commands as c
from bot.usecases.queries import Viewer
from tests.domain.room import Room

ANNA, BEN, CY = "U0ANNA", "U0BEN", "U0CY"


def sees(room: Room, user: str) -> bool:
    return Viewer(user).may_see(room.state)


def private() -> Room:
    return Room().declare(private=True).furnish()


def test_a_private_incident_is_there_for_its_declarer_and_for_whoever_was_asked_in() -> None:
    room = private()
    assert sees(room, ANNA)
    assert not sees(room, BEN)
    for n, command in enumerate((c.AssignRole("ops", "U0OPS"), c.OfferHandoff("U0NEXT"), c.PageSomeone("U0PAGED"))):
        room.do(command)
        assert sees(room, ["U0OPS", "U0NEXT", "U0PAGED"][n])


def test_whoever_was_let_into_the_channel_sees_it_until_they_leave_it() -> None:
    room = private()
    room.do(c.Enter(BEN), "tocsin")
    assert sees(room, BEN)
    room.do(c.Leave(BEN), "tocsin")
    assert not sees(room, BEN)
    room.do(c.Enter(BEN), "tocsin")
    assert sees(room, BEN)


def test_neither_a_role_nor_the_declaration_outlives_a_removal() -> None:
    room = private()
    room.do(c.AssignRole("lead", BEN))
    for user in (ANNA, BEN):
        room.do(c.Leave(user), "tocsin")
        assert not sees(room, user)


def test_whoever_is_asked_in_again_sees_it_again() -> None:
    room = private()
    room.do(c.Leave(BEN), "tocsin").do(c.Leave(CY), "tocsin")
    room.do(c.AssignRole("ops", BEN))
    assert sees(room, BEN)
    assert not sees(room, CY)
    assert room.state.departed == (CY,)


def test_coming_and_going_answers_no_call_and_keeps_nothing_awake() -> None:
    room = private()
    room.do(c.PageSomeone(BEN))
    stale = room.state.stale_by
    room.wait(minutes=1).do(c.Enter(BEN), "tocsin")
    assert room.state.calls[BEN].answered_at is None
    assert room.state.stale_by == stale
    assert room.effects == []


def test_in_a_public_incident_it_matters_to_nobody_who_is_in_the_channel() -> None:
    room = Room().declare().furnish()
    room.do(c.Leave(ANNA), "tocsin")
    assert room.events == []
    assert sees(room, BEN)


def test_a_task_of_a_private_incident_is_brought_to_mind_only_of_those_in_it() -> None:
    for owner, told in ((ANNA, True), (BEN, False)):
        room = private()
        room.do(c.AddTask("rotate the key", owner, timedelta(hours=1))).ring("task")
        assert ("tell_user" in [new.effect.kind for new in room.last.effects]) is told
