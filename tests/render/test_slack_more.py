"""Behind More…: every block legal whatever stands in it, and offered only what can be done."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain import events as e
from bot.domain.incident import Incident
from bot.domain.incident.state import Silence
from bot.domain.policy import Policy, Role, Service
from bot.domain.rotations import Rotation
from bot.domain.severity import Status
from bot.render.slack import legal, limits, message_forms
from bot.render.slack import more as m
from bot.render.slack.windows import View
from tests.inbound.slack.conftest import buttons
from tests.render.slack_cases import T0, Life, crowded, room
from tests.render.slack_witness import objections
from tests.render.test_slack_views import LARGE, LONG, incident
from tests.support.demo import words_of

LARGE_HOUSE = LARGE.model_copy(
    update={
        "roles": {f"{LONG[:60]}{n}": Role(title=LONG, duties=LONG) for n in range(150)},
        "oncall": {f"{LONG[:60]}{n}": Rotation(people=("U0001",)) for n in range(150)},
    }
)
OTHERS = [{"number": n, "key": f"INC-{n}", "title": LONG[:200]} for n in range(2, 200)]
FORMS: dict[str, Callable[[Incident, Policy], View]] = {
    "more": lambda state, policy: m.more(state, "", undoable=True),
    "page": m.page_form,
    "handoff": lambda state, policy: m.handoff_form(state),
    "role": m.role_form,
    "service": m.service_form,
    "call": lambda state, policy: m.call_form(state),
    "reopen": lambda state, policy: m.reopen_form(state),
    "cancel": lambda state, policy: m.cancel_form(state),
    "merge": lambda state, policy: m.merge_form(state, OTHERS),
    "merge into none": lambda state, policy: m.merge_form(state, []),
    "override": lambda state, policy: m.override_form(policy),
    "note": lambda state, policy: message_forms.note_form((), "", ""),
    "task": lambda state, policy: message_forms.task_form((), "", ""),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("policy", [Policy(), LARGE_HOUSE], ids=["empty", "large"])
@pytest.mark.parametrize(
    "state",
    [incident(), crowded("<!channel> & `x` 🔥 " * 1000).state, incident(private=True, title_assumed=True)],
    ids=["plain", "crowded", "private"],
)
def test_every_window_is_legal_whatever_stands_in_it(name: str, policy: Policy, state: Incident) -> None:
    view = FORMS[name](state, policy)
    legal.check(view)
    assert objections(view["blocks"]) == []
    assert len(view["title"]["text"]) <= limits.VIEW_TITLE
    assert "<!channel>" not in words_of(view)


def offered(state: Incident, **how: Any) -> list[str]:
    return list(buttons(m.more(state, **how)))


def test_an_open_incident_offers_people_facts_looks_and_its_ends() -> None:
    assert offered(room(Life()).state) == [
        "open:page", "open:handoff", "open:role",
        "open:note", "open:task", "open:title", "open:service", "open:call",
        "ask:catchup", "ask:timeline", "ask:timers",
        "open:merge", "open:cancel",
    ]  # fmt: skip


def test_an_offer_of_command_can_be_withdrawn_while_it_stands() -> None:
    life = room(Life()).then(e.HandoffOffered(user="U0002", lead="U0001"))
    assert "withdraw_handoff" in offered(life.state)


def test_undo_is_offered_to_whom_it_is_open_and_silences_are_lifted_where_there_are_some() -> None:
    assert "undo" in offered(incident(), undoable=True)
    assert "unsilence" in offered(incident(silences={"3.0": Silence(name="HighLatency", until=T0, remote="a")}))
    ending = Silence(name="HighLatency", until=T0, remote="a", ending=True)
    assert "unsilence" not in offered(incident(silences={"3.0": ending}))


@pytest.mark.parametrize("event", [e.Resolved(took=1), e.Closed()])
def test_one_that_is_over_offers_what_can_still_be_put_on_record(event: e.Event) -> None:
    life = room(Life()).then(e.Resolved(took=1)).then(event)
    assert offered(life.state, undoable=True) == [
        "open:note", "open:task", "open:title", "ask:catchup", "ask:timeline", "ask:timers",
    ]  # fmt: skip


def test_roles_are_offered_with_their_duties_and_services_by_name() -> None:
    text = words_of(m.role_form(incident(), Policy()))
    assert "Incident commander" in text
    assert "Decides, delegates" in text
    assert "checkout" in words_of(m.page_form(incident(), Policy(services={"checkout": Service()})))


def test_cancelling_says_what_the_public_will_read() -> None:
    life = room(Life())
    assert "The public will read" not in words_of(m.cancel_form(life.state))
    life.then(e.PublicPublished(version=1, title="x", text="x", status=Status.IDENTIFIED))
    assert "The public will read that it was a false alarm" in words_of(m.cancel_form(life.state))
