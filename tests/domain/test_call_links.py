"""Where people talk: an address by the configuration's template, bookmarked and on the card; or one that is given."""

import pytest

from bot.domain import commands as c
from bot.domain.calls import web_url
from bot.domain.policy import Channels, Policy
from bot.domain.refusals import BadArgument, NothingChanged
from bot.domain.timeline import timeline
from bot.domain.verbs import Query, parse
from bot.domain.verbs.model import ParseContext
from tests.domain.room import START, Room

MEET = Policy(channels=Channels(call="https://meet.example/{{ key|lower }}-{{ slug }}"))


def test_a_declaration_brings_its_call_link_onto_the_card_and_among_the_bookmarks() -> None:
    room = Room(MEET).declare("Checkout is down!").furnish()
    assert room.state.call_url == "https://meet.example/inc-1-checkout-is-down"
    assert "show_call" in room.effects


def test_a_private_incidents_link_tells_nothing_of_it() -> None:
    policy = Policy(channels=Channels(call="https://meet.example/{{ number }}-{{ slug }}-{{ service }}"))
    room = Room(policy).declare("Ransom note", private=True, service="payroll")
    assert room.state.call_url == "https://meet.example/1"


@pytest.mark.parametrize(
    "template",
    ["https://meet.example/{{ nothing }}", "https://{{ title }}", "https://meet.example/{{ key }} <x>", "https://{{"],
)
def test_a_template_that_makes_no_address_leaves_the_incident_without_one(template: str) -> None:
    assert Room(Policy(channels=Channels(call=template))).declare().state.call_url == ""


@pytest.mark.parametrize("template", ["javascript:alert(1)", "meet.example/{{ key }}", "", "ftp://x"])
def test_the_configuration_takes_http_addresses_only(template: str) -> None:
    with pytest.raises(ValueError, match="call"):
        Channels(call=template)


def test_it_can_be_changed_and_taken_away_and_the_timeline_says_by_whom() -> None:
    room = Room().declare().furnish().do(c.SetCall("https://zoom.example/j/1"), "U0BEN")
    assert room.state.call_url == "https://zoom.example/j/1"
    assert [e for e in room.effects if e == "call_changed"]
    assert "show_call" in room.effects
    with pytest.raises(NothingChanged):
        room.do(c.SetCall("https://zoom.example/j/1"))
    room.do(c.SetCall(""))
    assert room.state.call_url == ""
    assert "show_call" in room.effects, "the bookmark goes with it"
    events = [new.recorded for new in room.last.events]
    assert timeline(room.state, events, ())[0].text.startswith("<@U0ANNA> set where people talk")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "zoom", "https://", "https://a b", "https://a|b", "https://x/" + "y" * 2000, "//x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert web_url(url) == ""
    with pytest.raises(BadArgument):
        Room().declare().do(c.SetCall(url))


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("call", Query("call")),
        ("call <https://meet.example/inc-7>", c.SetCall("https://meet.example/inc-7")),
        ("call <https://meet.example/x|meet.example/x>", c.SetCall("https://meet.example/x")),
        ("bridge https://meet.example/x?a=1&amp;b=2", c.SetCall("https://meet.example/x?a=1&b=2")),
        ("call none", c.SetCall("")),
        ("call over.", c.SetCall("")),
    ],
)
def test_the_verb_reads_what_slack_makes_of_an_address(text: str, wish: object) -> None:
    context = ParseContext(policy=Policy(), now=START, actor="U0ANNA", escaped=True, forms=True)
    assert parse(text, context).wish == wish
    assert parse(text, context).incident is None
