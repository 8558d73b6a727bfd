"""A drill is marked wherever it is named, and counted nowhere."""

import re
from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.effects import TellUser
from bot.domain.policy import Policy
from bot.domain.similar import Profiles
from bot.ports.store import Answer
from bot.render.slack.answers import answer_text, query_text
from bot.render.slack.renderer import Renderer
from bot.usecases.cases import Request
from bot.usecases.desk import QueryAnswer
from bot.usecases.digests import digest
from tests.domain.room import Room
from tests.render.slack_cases import Life, declared, room, surroundings
from tests.support.desks import open_office

AROUND = surroundings()
MARK = "drill"


def in_the_channel() -> Life:
    return room(Life(declared(drill=True)))


@pytest.mark.parametrize("what", ["card", "announcement"])
def test_a_live_message_is_marked(what: str) -> None:
    message = Renderer(AROUND).live(what, in_the_channel().state)
    assert MARK in message.text.lower()
    assert MARK in str(message.blocks).lower()


def test_the_topic_is_marked() -> None:
    assert MARK in Renderer(AROUND).topic(in_the_channel().state).lower()


@pytest.mark.parametrize(
    ("template", "event"),
    [
        ("page_requested", e.PageRequested(target="U0002", users=("U0002",), reason="x")),
        ("handoff_offered", e.HandoffOffered(user="U0002", lead="U0001")),
        ("delivery_failed", e.DeliveryFailed(effect="7.1.0", what="open the channel", error="no", mend="try")),
    ],
)
def test_whoever_is_called_reads_that_it_is_a_drill(template: str, event: e.Event) -> None:
    life = in_the_channel().then(event)
    told = Renderer(AROUND).tell_user(TellUser(user="U0002", template=template), life.last, life.state)
    assert MARK in (told.text + str(told.blocks)).lower()


@pytest.mark.parametrize("asked", ["list", "status", "catchup", "postmortem", "public review"])
async def test_an_answer_about_it_is_marked(asked: str) -> None:
    async with open_office() as office:
        outcome = await office.desk.do("declare sev1 Practice --drill", Request("U0ALICE0001"))
        assert isinstance(outcome, Answer)
        assert MARK in answer_text(outcome, AROUND.texts).lower()
        looked = await office.desk.do(f"INC-1 {asked}" if asked != "list" else asked, Request("U0ALICE0001"))
        assert isinstance(looked, QueryAnswer)
        words = query_text(looked.kind, looked.data, AROUND.texts).lower()
        assert re.search(rf"\b{MARK}\b", words), words  # as a word of its own: what follows stands on its own line


def test_it_is_in_no_digest_breaks_no_promise_owes_no_postmortem_and_looks_like_nothing() -> None:
    drill = Room().declare(drill=True).furnish()
    drill.do(c.AddTask("look", "U0ANNA", timedelta(minutes=1)))
    policy = Policy.model_validate({"channels": {"digest": "digest"}})
    told = digest([drill.state], policy, drill.now)
    assert told is not None
    assert (told.fields["open"], told.fields["owed"], told.fields["reviews"]) == ([], [], [])
    assert Profiles().of([drill.state]) == []
    for kind in ("respond", "update"):
        drill.ring(kind)
        assert drill.last.answer.fields == {}, "no breach"
    drill.do(c.Resolve("over"))
    assert drill.state.postmortem_by is None


def test_a_public_update_of_a_drill_leaves_the_house_for_no_vendor() -> None:
    policy = Policy.model_validate({"statuspage": {"providers": ["builtin", "statuspage"]}})
    drill = Room(policy).declare(drill=True).furnish()
    drill.do(c.ApprovePublic(), "U0BOB").do(c.PublishPublic())
    assert "show_status_page" not in [new.effect.kind for new in drill.last.effects]
