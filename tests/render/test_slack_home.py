"""App Home: legal whatever it holds, what waits for people first, private incidents for their members only."""

import re
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.incident import Draft, Handoff, Incident, Room, Task
from bot.domain.permissions import Permissions
from bot.domain.policy import Approval, Policy, StatusPage
from bot.domain.severity import Severity, Status
from bot.render.slack import limits
from bot.render.slack.home import OPEN_SHOWN, home
from bot.usecases.home import home as read
from tests.render.slack_cases import T0, surroundings
from tests.render.slack_witness import objections
from tests.support.demo import words_of

ANNA, BEN = "U0ANNA", "U0BEN"
LONG = "<!channel> & `x` 🔥 <https://evil.example|click> " * 200
SHIFTS = [{"schedule": "primary", "user": ANNA, "until": "2026-11-23T09:00:00Z", "next": BEN}]


def incident(number: int = 1, **changes: Any) -> Incident:
    values: dict[str, Any] = {
        "number": number, "seq": 9, "looks": 9, "title": "Checkout is down", "severity": Severity.SEV1,
        "declared_at": T0, "declared_by": BEN, "room_name": f"inc-{number}", "people": (BEN,),
        "room": Room(channel=f"C{number:07}", name=f"inc-{number}"),
    }  # fmt: skip
    return Incident(**{**values, **changes})


def view(*states: Incident, user: str = ANNA, shifts: Any = ()) -> dict[str, Any]:
    data = read(user, states, shifts, Policy(), may_approve=True)
    return home(data, surroundings(), T0, lambda channel: f"https://acme.slack.com/archives/{channel}")


def buttons(shown: dict[str, Any]) -> dict[str, str]:
    """Label → value (or address) of the buttons, in order."""
    found = [b.get("accessory") for b in shown["blocks"]] + [e for b in shown["blocks"] for e in b.get("elements", ())]
    return {one["text"]["text"]: one.get("value") or one["url"] for one in found if one and one.get("type") == "button"}


def test_an_empty_home_says_so_and_offers_to_declare() -> None:
    shown = view()
    assert "No incident is open" in words_of(shown)
    assert "Declare an incident" in buttons(shown)


def test_what_is_owed_stands_before_everything_and_has_the_button_that_ends_it() -> None:
    asked = incident(
        1, reached={ANNA: "sent"}, respond_by=T0, handoff=Handoff(user=ANNA, at=T0),
        tasks=(Task(number=2, text="Add a lag alert", owner=ANNA, due=T0 - timedelta(days=1)),),
    )  # fmt: skip
    led = incident(2, roles={"lead": ANNA}, update_by=T0 - timedelta(minutes=1), acknowledged_at=T0)
    over = incident(3, status=Status.RESOLVED, roles={"lead": ANNA}, postmortem_by=T0 + timedelta(days=3))
    shown = view(asked, led, over, shifts=SHIFTS)
    text = words_of(shown)
    order = ["You were called", "offered the command", "action item 2", "Update of INC-2", "Postmortem of INC-3"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert text.index("Postmortem of") < text.index("Your incidents") < text.index("On call")
    assert text.count("was due") == 2
    assert "&lt;#" not in text
    assert re.search(r"Update of INC-2.* · <#C0000002>", text)
    offered = buttons(shown)
    assert offered["Acknowledge"] == offered["Accept the command"] == "1"
    assert offered["Decline"] == "1"
    assert (offered["Done"], offered["Postmortem"]) == ("1:2", "3")


def draft(**changes: Any) -> Draft:
    values = {
        "version": 3,
        "title": "Payments fail",
        "text": "We look into it.",
        "status": Status.IDENTIFIED,
        "author": BEN,
    }
    return Draft(**{**values, **changes})


APPROVERS = Policy(
    statuspage=StatusPage(approval=Approval(second_person=(Severity.SEV1,))),
    permissions=Permissions(approve=(ANNA,)),
)


def waiting(state: Incident, user: str = ANNA, policy: Policy = APPROVERS, may: bool = True) -> dict[str, Any]:
    data = read(user, [state], (), policy, may)
    return home(data, surroundings(), T0, lambda channel: "")


def test_a_public_update_waits_for_whoever_approves_and_is_approved_as_it_was_read() -> None:
    shown = waiting(incident(draft=draft()))
    assert "A public update of INC-1 waits for approval" in words_of(shown)
    assert "We look into it." in words_of(shown)
    assert buttons(shown)["Approve"] == "1:3"


def test_a_public_update_too_long_to_show_is_read_before_it_is_approved() -> None:
    shown = waiting(incident(draft=draft(text="x" * 1001)))
    assert buttons(shown)["Read it"] == "1"
    assert "Approve" not in buttons(shown)


@pytest.mark.parametrize(
    ("state", "user", "policy", "may"),
    [
        (incident(draft=draft(automatic=True)), ANNA, APPROVERS, True),
        (incident(draft=draft(approved_by=BEN)), ANNA, APPROVERS, True),
        (incident(draft=draft(), private=True, people=(ANNA,)), ANNA, APPROVERS, True),
        (incident(draft=draft(), status=Status.CANCELLED), ANNA, APPROVERS, True),
        (incident(draft=draft()), BEN, APPROVERS, True),
        (incident(draft=draft()), ANNA, APPROVERS, False),
        (incident(draft=draft(), people=(BEN,)), ANNA, Policy(), True),
    ],
    ids=["automatic", "approved", "private", "cancelled", "their own", "not allowed", "not theirs"],
)
def test_no_approval_is_asked_of_whoever_cannot_or_need_not_give_it(
    state: Incident, user: str, policy: Policy, may: bool
) -> None:
    assert "waits for approval" not in words_of(waiting(state, user, policy, may))


def test_where_nobody_is_named_to_approve_whoever_works_on_it_may() -> None:
    assert "waits for approval" in words_of(waiting(incident(draft=draft(), people=(ANNA,)), policy=Policy()))


def test_an_overdue_postmortem_stays_until_it_is_closed() -> None:
    due = T0 - timedelta(days=9)
    over = incident(status=Status.RESOLVED, roles={"lead": ANNA}, postmortem_due=due, postmortem_by=T0)
    assert re.search(r"Postmortem of INC-1.*was due", words_of(view(over)))
    assert "Postmortem of" not in words_of(view(over.model_copy(update={"status": Status.CLOSED})))


def test_nothing_is_owed_by_others_nor_of_what_was_cancelled() -> None:
    task = Task(number=1, text="Add a lag alert", owner=ANNA)
    cancelled = incident(1, status=Status.CANCELLED, tasks=(task,))
    bens = incident(2, roles={"lead": BEN}, update_by=T0)
    assert "You owe" not in words_of(view(cancelled, bens))


def test_a_private_incident_is_there_for_its_members_only() -> None:
    secret = incident(private=True, title="A secret leak", roles={"comms": BEN})
    assert "secret" not in words_of(view(secret))
    assert "A secret leak" in words_of(view(secret, user=BEN))
    assert "PRIVATE" in words_of(view(secret, user=BEN))


def test_who_is_in_the_channel_opens_it_and_others_join_first() -> None:
    assert buttons(view(incident()))["Join"] == "1"
    assert buttons(view(incident(), user=BEN))["Open channel"] == "https://acme.slack.com/archives/C0000001"


@pytest.mark.parametrize("how_many", [1, 60])
def test_it_is_legal_whatever_it_holds(how_many: int) -> None:
    tasks = tuple(Task(number=n + 1, text=LONG[:1000], owner=ANNA, due=T0) for n in range(50))
    long = draft(text=LONG[:9000], title=LONG[:200])
    mine = [incident(n, title=LONG[:200], people=(ANNA,), tasks=tasks, draft=long) for n in range(1, how_many + 1)]
    others = [incident(n + 1000, title=LONG[:200], call_url="https://x.example/" + "x" * 1900) for n in range(how_many)]
    shown = view(*mine, *others, shifts=SHIFTS * how_many)
    assert objections(shown["blocks"]) == []
    assert len(shown["blocks"]) <= limits.BLOCKS_IN_VIEW
    text = words_of(shown)
    assert "<!channel>" not in text
    assert "|click>" not in text
    assert (f"{how_many - OPEN_SHOWN} more: `/incident list`" in text) is (how_many > OPEN_SHOWN)
