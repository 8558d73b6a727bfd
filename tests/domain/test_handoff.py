"""The command moves when somebody takes it, and not before."""

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.effects import Tell
from bot.domain.events import Recorded
from bot.domain.policy import Policy
from bot.domain.timeline import timeline
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from tests.domain.room import Room
from tests.render.slack_cases import TEMPLATES

OLD, NEXT, OTHER = "U0OLD", "U0NEXT", "U0OTHER"


def led() -> Room:
    return Room().declare().furnish().do(c.AssignRole("lead", OLD), OLD)


def offered() -> Room:
    return led().do(c.OfferHandoff(NEXT), OLD)


def test_an_offer_moves_nothing_and_hands_the_receiver_the_packet() -> None:
    room = offered()
    assert room.state.lead == OLD
    assert room.state.handoff is not None
    assert room.state.relief_by is not None, "the clock of the one who leads goes on"
    told = [new.effect.user for new in room.last.effects if new.effect.kind == "tell_user"]
    assert told == [NEXT]
    assert "invite" in room.effects


def test_nobody_accepts_what_was_offered_to_another() -> None:
    room = offered()
    before = room.state
    for user in (OLD, OTHER):
        with pytest.raises(r.NoHandoff) as refused:
            room.do(c.AcceptHandoff(), user)
        assert refused.value.denied
    assert room.state == before


def test_without_an_offer_there_is_nothing_to_accept_and_nobody_is_denied() -> None:
    with pytest.raises(r.NoHandoff) as refused:
        led().do(c.AcceptHandoff(), NEXT)
    assert not refused.value.denied


def test_a_second_offer_takes_the_place_of_the_first() -> None:
    room = offered().do(c.OfferHandoff(OTHER), OLD)
    with pytest.raises(r.NoHandoff):
        room.do(c.AcceptHandoff(), NEXT)
    assert room.do(c.AcceptHandoff(), OTHER).state.lead == OTHER
    with pytest.raises(r.NoHandoff):
        room.do(c.AcceptHandoff(), OTHER)


def test_an_offer_ends_when_somebody_is_put_in_command_or_the_work_ends() -> None:
    for command in (c.AssignRole("lead", OTHER), c.Resolve("over"), c.Cancel("none")):
        room = offered().do(command, OLD)
        assert room.state.handoff is None
        with pytest.raises(r.Refused):
            room.do(c.AcceptHandoff(), NEXT)


def test_another_role_leaves_the_offer_alone() -> None:
    assert offered().do(c.AssignRole("scribe", OTHER), OLD).do(c.AcceptHandoff(), NEXT).state.lead == NEXT


def test_who_leads_is_not_offered_the_command() -> None:
    with pytest.raises(r.NothingChanged):
        led().do(c.OfferHandoff(OLD), OTHER)


def test_whoever_gets_a_role_is_told_its_duties() -> None:
    policy = Policy.model_validate({"roles": {"keeper": {"title": "Record keeper", "duties": "Writes all down."}}})
    renderer = Renderer(Surroundings(Texts(TEMPLATES), policy, Links("https://tocsin.example")))
    room = Room(policy).declare().furnish()
    for role, title, duties in (
        ("lead", "Incident commander", "Decides, delegates, keeps the updates coming. Does not debug."),
        ("keeper", "Record keeper", "Writes all down."),
    ):
        room.do(c.AssignRole(role, NEXT), OLD)
        assert "role_assigned" in room.effects
        said = renderer.tell(Tell(template="role_assigned"), room.last.events[0].recorded, room.state).words
        assert said.splitlines() == [f"<@{NEXT}> is now *{title}* (set by <@{OLD}>).", f"> {duties}"]


def test_offer_and_acceptance_are_both_on_the_timeline() -> None:
    room, log = led(), list[Recorded]()
    for command, user in ((c.OfferHandoff(NEXT), OLD), (c.AcceptHandoff(), NEXT)):
        room.do(command, user)
        log += [new.recorded for new in room.last.events]
    lines = timeline(room.state, log, ())
    assert [line.kind for line in lines] == ["handoff_offered", "role_assigned"]
    assert [line.actor for line in lines] == [OLD, NEXT]
    assert all(f"<@{NEXT}>" in line.text for line in lines)


def test_whoever_was_asked_may_decline_and_the_commander_is_told() -> None:
    room = offered().do(c.DeclineHandoff("I am on a train"), NEXT)
    assert room.state.handoff is None
    assert room.state.lead == OLD
    told = [new.effect for new in room.last.effects if new.effect.kind == "tell"]
    assert [(one.template, one.urgent) for one in told] == [("handoff_declined", True)]
    assert "card" in room.effects
    with pytest.raises(r.NoHandoff):
        room.do(c.AcceptHandoff(), NEXT)


def test_nobody_declines_what_was_offered_to_another() -> None:
    for room, denied in ((offered(), True), (led(), False)):
        with pytest.raises(r.NoHandoff) as refused:
            room.do(c.DeclineHandoff(), OTHER)
        assert refused.value.denied is denied


def test_an_offer_is_taken_back_and_whoever_had_it_is_told() -> None:
    room = offered().do(c.WithdrawHandoff("she is asleep"), OLD)
    assert room.state.handoff is None
    assert room.state.lead == OLD
    assert [new.effect.user for new in room.last.effects if new.effect.kind == "tell_user"] == [NEXT]
    with pytest.raises(r.NoHandoff):
        room.do(c.AcceptHandoff(), NEXT)
    with pytest.raises(r.NothingOffered, match="handoff @someone"):
        room.do(c.WithdrawHandoff(), OLD)


def test_a_declined_and_a_withdrawn_offer_are_on_the_timeline_with_their_reasons() -> None:
    room, log = led(), list[Recorded]()
    for command, user in (
        (c.OfferHandoff(NEXT), OLD), (c.DeclineHandoff("on a train"), NEXT),
        (c.OfferHandoff(OTHER), OLD), (c.WithdrawHandoff("asleep"), OLD),
    ):  # fmt: skip
        room.do(command, user)
        log += [new.recorded for new in room.last.events]
    assert [line.text for line in timeline(room.state, log, ())][1::2] == [
        f"<@{NEXT}> declined the command: on a train",
        f"<@{OLD}> took back the offer of the command to <@{OTHER}>: asleep",
    ]
