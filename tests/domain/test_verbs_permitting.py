"""One definition of a verb: what it makes is what its permission is asked for, whichever way it is asked."""

import inspect
from typing import get_args

import pytest

from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.domain.severity import Status
from bot.domain.verbs import VERBS, OpenForm, Query, Undo, UseRunbook, Wish, permissions_for, verb_of
from bot.domain.verbs.model import FormName
from tests.domain.test_verbs import ctx, parse
from tests.usecases.test_permissions import SAID, policy

OF_NO_VERB = {
    # Whoever may see it may come in.
    "Join",
    # What is reported of the channel, the senders, the clocks and the deliveries: nobody asks for it.
    "Absorb", "Attend", "Enter", "Leave", "HearSender", "ReportAlerts", "FireTimer",
    "RoomOpened", "RoomNamed", "MessagePosted", "PageSent", "PageEscaped", "GiveUp", "PublicDelivered",
    "SilencePlaced", "SilenceEnded", "QuestionPlaced", "QuestionUnasked",
}  # fmt: skip
WISHES = {kind for kind in get_args(Wish) if kind not in (c.Command, Query, OpenForm)}


def commands() -> set[type]:
    found = {kind for _, kind in inspect.getmembers(c, inspect.isclass) if issubclass(kind, c.Command)}
    return found - {c.Command}


def test_whatever_can_be_asked_for_belongs_to_a_verb_and_so_has_a_permission() -> None:
    made = {kind for verb in VERBS.values() for kind in verb.makes}
    left = {kind.__name__ for kind in (commands() | WISHES) - made}
    assert left <= OF_NO_VERB, "name it under `makes` of its verb, or here"
    assert made <= commands() | WISHES


def test_what_two_verbs_make_is_told_apart_by_what_it_says() -> None:
    shared = [kind for kind in commands() if sum(kind in verb.makes for verb in VERBS.values()) > 1]
    assert set(shared) == {c.SetStatus, c.AssignRole}
    said = {status: verb_of(c.SetStatus(status), Policy()) for status in Status}
    assert [verb.name for verb in said.values() if verb] == [
        "status", "status", "mitigate", "resolve", "close", "cancel",
    ]  # fmt: skip
    for word, verb in (("lead", "lead"), ("ic", "lead"), ("scribe", "role"), ("nobody", "role")):
        assert verb_of(c.AssignRole(word, "U0BOB000002"), Policy()) is VERBS[verb]


@pytest.mark.parametrize("verb", sorted(SAID))
def test_what_is_said_with_a_verb_needs_that_verb(verb: str) -> None:
    said = ctx(policy=policy(), find_person={"@alice": "U0ALICE0001", "alice": "U0ALICE0001"}.get, forms=False)
    parsed = parse(SAID[verb], said)
    assert verb_of(parsed.wish, Policy()) is parsed.verb is VERBS[verb]
    assert permissions_for(parsed.wish, Policy())[0][0] == verb


@pytest.mark.parametrize("form", get_args(FormName))
def test_every_form_belongs_to_the_verb_whose_words_it_asks_for(form: FormName) -> None:
    verb = verb_of(OpenForm(form), Policy())
    assert verb is not None
    assert permissions_for(OpenForm(form), Policy()) == (verb.need,)


@pytest.mark.parametrize(
    ("wish", "needs"),
    [
        (c.Declare(), (("declare",),)),
        (c.Declare(private=True), (("declare",), ("private",))),
        (c.DraftPublic(), (("public",),)),
        (c.PublishPublic(), (("public",), ("approve",))),
        (c.Merge(2), (("merge", "close"),)),
        (c.TryPage("U0BOB000002"), (("pagetest", "page"),)),
        (c.OfferHandoff("U0BOB000002"), (("handoff",),)),
        (c.WithdrawHandoff(), (("handoff",),)),
        (c.AcceptHandoff(), ()),
        (c.DeclineHandoff(), ()),
        (c.Join(), ()),
        (Undo(), (("undo",),)),
        (UseRunbook("x"), (("runbook",),)),
        (Query("help"), ()),
        (Query("status"), ()),
        (Query("timeline"), (("timeline",),)),
    ],
)
def test_what_is_needed_is_the_verbs_own_key_then_the_one_that_stands_for_several(
    wish: Wish, needs: tuple[tuple[str, ...], ...]
) -> None:
    assert permissions_for(wish, Policy()) == needs
