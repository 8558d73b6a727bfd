"""What PagerDuty tells besides states, and that our own words, come back from there, are not told again."""

import json
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.alerts import AlertBatch
from bot.domain.effects import AnswerSender, Tell
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Status
from bot.domain.timeline import sentence
from bot.inbound.alerts import SOURCES
from bot.ports.store import Answer
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.sender_news import HearBatch
from tests.support.ledger import Ledger
from tests.support.pagerduty import PERSON, incident, reference

HOME = "acme"


class Desk:
    """PagerDuty, as it sends; each event is a second later than the one before."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._count = 0

    def read(self, kind: str, data: Any, agent: Any = PERSON, at: str = "") -> tuple[AlertBatch, str]:
        """Return what such an event means, and its id."""
        self._count += 1
        event = {"id": f"E{self._count}", "event_type": kind, "agent": agent, "data": data}
        event["occurred_at"] = at or f"2026-11-22T12:00:{self._count:02}Z"
        raw = json.dumps({"event": event}).encode()
        source = SOURCES["pagerduty"]
        return source.parse(raw, {}), source.delivery_id(raw, {})

    def send(self, kind: str, data: Any, agent: Any = PERSON, at: str = "") -> Answer:
        """Send an event, as the door does."""
        batch, name = self.read(kind, data, agent, at)
        report = ReportBatch(Request("alert:pagerduty", name), batch, Policy(), Shelf())
        self.ledger.after(seconds=1)
        return self.ledger.run(HearBatch.of(report, HOME) if batch.news else report)

    def effects(self) -> list[Any]:
        """What the last event brought."""
        return [new.effect for new in self.ledger.all[-1].effects]

    def last(self) -> str:
        """The last event, as the timeline has it."""
        return sentence(self.ledger.all[-1].events[-1].recorded, "INC-1")


@pytest.fixture
def desk() -> Desk:
    """PagerDuty has opened INC-1."""
    made = Desk()
    assert made.send("incident.triggered", incident()).fields["outcome"] == "opened"
    return made


# --- acknowledgements -------------------------------------------------------------------------------------


def test_an_acknowledgement_in_pagerduty_stops_the_response_timer_under_the_persons_name(desk: Desk) -> None:
    desk.send("incident.acknowledged", incident(status="acknowledged"))
    state = desk.ledger.incidents[1]
    assert state.respond_by is None
    assert state.acknowledged_by == "pagerduty:Dana Whitfield"
    assert desk.ledger.loaded.timers.get((1, "respond")) is None
    assert desk.last() == "Dana Whitfield (PagerDuty) acknowledged after 1s"


def test_an_acknowledgement_in_pagerduty_is_not_sent_back_there(desk: Desk) -> None:
    desk.send("incident.triggered", incident(2))
    desk.send("incident.acknowledged", incident(status="acknowledged"))
    assert not [one for one in desk.effects() if isinstance(one, AnswerSender)]


def test_an_acknowledgement_here_reaches_every_incident_that_pagerduty_opened_and_its_echo_is_not_told(
    desk: Desk,
) -> None:
    desk.send("incident.triggered", incident(2))
    desk.ledger.act(1, c.Acknowledge())
    told = [one for one in desk.effects() if isinstance(one, AnswerSender)]
    assert [(one.remote, one.action) for one in told] == [("Q1", "acknowledge"), ("Q2", "acknowledge")]
    echo = desk.send("incident.acknowledged", incident(status="acknowledged"))
    assert (echo.fields["outcome"], desk.effects()) == ("unchanged", [])
    assert desk.ledger.incidents[1].acknowledged_by == "U0001"


def test_a_resolve_here_reaches_pagerduty_and_its_echo_is_on_the_timeline_only(desk: Desk) -> None:
    desk.ledger.act(1, c.Resolve("restarted"))
    told = [one for one in desk.effects() if isinstance(one, AnswerSender)]
    assert [(one.remote, one.action) for one in told] == [("Q1", "resolve")]
    echo = desk.send("incident.resolved", incident(status="resolved"))
    assert echo.fields["outcome"] == "resolved"
    assert not [one for one in desk.effects() if isinstance(one, Tell | AnswerSender)]
    assert desk.ledger.incidents[1].remotes == ()
    assert desk.ledger.incidents[1].status is Status.RESOLVED


def test_what_pagerduty_has_resolved_is_not_resolved_there_again(desk: Desk) -> None:
    desk.send("incident.resolved", incident(status="resolved"))
    assert [one for one in desk.effects() if isinstance(one, Tell)], "a fix over there is news here"
    desk.ledger.act(1, c.Resolve("restarted"))
    assert not [one for one in desk.effects() if isinstance(one, AnswerSender)]


def test_a_merge_here_ends_nothing_at_pagerduty(desk: Desk) -> None:
    desk.send("incident.triggered", incident(2, service={"id": "P2", "summary": "search"}))
    desk.ledger.act(1, c.Merge(2))
    assert not [one for one in desk.effects() if isinstance(one, AnswerSender)]


def test_the_echo_of_an_old_acknowledgement_does_not_answer_for_a_reopened_incident(desk: Desk) -> None:
    desk.ledger.act(1, c.Acknowledge())
    desk.ledger.act(1, c.Resolve("restarted"))
    desk.ledger.after(minutes=5)
    desk.ledger.act(1, c.Reopen("it is back"))
    late = desk.send("incident.acknowledged", incident(status="acknowledged"), at="2026-11-22T12:00:30Z")
    assert late.fields["outcome"] == "unchanged"
    assert desk.ledger.incidents[1].respond_by is not None


def test_an_acknowledgement_older_than_what_is_known_changes_nothing(desk: Desk) -> None:
    desk.send("incident.unacknowledged", incident(), agent=None, at="2026-11-22T12:30:00Z")
    late = desk.send("incident.acknowledged", incident(status="acknowledged"), at="2026-11-22T12:10:00Z")
    assert late.fields["outcome"] == "ignored"
    assert desk.ledger.incidents[1].acknowledged_at is None


def test_an_acknowledgement_that_pagerduty_takes_back_is_told(desk: Desk) -> None:
    desk.send("incident.acknowledged", incident(status="acknowledged"))
    desk.send("incident.unacknowledged", incident(), agent=None)
    assert [one.template for one in desk.effects() if isinstance(one, Tell)] == ["sender_reported"]
    assert desk.last() == "PagerDuty took the acknowledgement back: it calls people again"


def test_who_first_hears_of_an_acknowledged_incident_does_not_call_for_a_response() -> None:
    desk = Desk()
    desk.send("incident.priority_updated", incident(status="acknowledged", priority={"summary": "P1"}))
    state = desk.ledger.incidents[1]
    assert state.acknowledged_by == "pagerduty:"
    assert (1, "respond") not in desk.ledger.loaded.timers
    assert not [one for one in desk.effects() if one.kind in ("page_pager", "tell_user")]


def test_an_acknowledgement_from_before_the_reopening_does_not_answer_for_it_by_the_state_of_a_later_event(
    desk: Desk,
) -> None:
    desk.ledger.act(1, c.Acknowledge())
    desk.ledger.act(1, c.Resolve("restarted"))
    desk.ledger.after(minutes=5)
    desk.ledger.act(1, c.Reopen("it is back"))
    desk.send("incident.reassigned", incident(status="acknowledged"), at="2026-11-22T13:00:00Z")
    assert desk.ledger.incidents[1].acknowledged_at is None
    desk.send("incident.acknowledged", incident(status="acknowledged"), at="2026-11-22T13:01:00Z")
    assert desk.ledger.incidents[1].acknowledged_by == "pagerduty:Dana Whitfield"


# --- the rest -----------------------------------------------------------------------------------------------


def test_a_note_is_on_the_timeline_with_its_author_and_time_and_told_in_the_channel(desk: Desk) -> None:
    desk.send("incident.annotated", reference(content="Rolled back.\nFalling.", type="incident_note"))
    event = desk.ledger.all[-1].events[-1].recorded.event
    assert isinstance(event, e.SenderReported)
    assert (event.who, event.text, event.what) == ("Dana Whitfield", "Rolled back.\nFalling.", "note")
    assert event.happened_at is not None
    assert [one.template for one in desk.effects() if isinstance(one, Tell)] == ["sender_reported"]


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (
            "escalated",
            incident(assignees=[{"summary": "Ravi Menon"}]),
            "Dana Whitfield (PagerDuty) escalated to Ravi Menon",
        ),
        (
            "reassigned",
            incident(assignees=[{"summary": "Ravi"}, {"summary": "Eve"}]),
            "Dana Whitfield (PagerDuty) assigned it to Ravi, Eve",
        ),
        (
            "delegated",
            incident(escalation_policy={"summary": "Database"}),
            "Dana Whitfield (PagerDuty) delegated it to Database",
        ),
        (
            "status_update_published",
            reference(message="Rolling back."),
            "Dana Whitfield (PagerDuty) published a status update: Rolling back.",
        ),
        (
            "responder.replied",
            reference(user={"summary": "Eve"}, state="declined"),
            "Dana Whitfield (PagerDuty): Eve declined",
        ),
        (
            "task.completed",
            reference(name="Tell support", status="done"),
            "Dana Whitfield (PagerDuty): task Tell support (done)",
        ),
        (
            "action_invocation.terminated",
            reference(action={"summary": "Restart"}, state="terminated"),
            "Dana Whitfield (PagerDuty): action Restart: terminated",
        ),
    ],
)
def test_what_else_happens_there_is_on_the_timeline_and_floods_no_channel(
    desk: Desk, kind: str, data: Any, told: str
) -> None:
    assert desk.send(f"incident.{kind}", data).fields["outcome"] == "updated"
    assert desk.last() == told
    assert not [one for one in desk.effects() if isinstance(one, Tell)]


def test_a_call_is_a_link_on_the_card_and_at_the_top_of_the_channel(desk: Desk) -> None:
    desk.ledger.act(1, c.RoomOpened("C1", "inc-1"))
    desk.ledger.act(1, c.MessagePosted("card", "C1", "1.1", 1))
    desk.send("incident.conference_bridge.updated", reference(conference_url="https://meet.example/1"))
    assert desk.ledger.incidents[1].call_url == "https://meet.example/1"
    assert {"show_call", "tell", "show_message"} <= {one.kind for one in desk.effects()}
    again = desk.send("incident.conference_bridge.updated", reference(conference_url="https://meet.example/1"))
    assert again.fields["outcome"] == "unchanged"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x.example/", "https://x.example/ <!channel>", 7, None])
def test_a_call_that_is_no_web_address_is_no_link(desk: Desk, url: Any) -> None:
    desk.send(
        "incident.conference_bridge.updated", reference(conference_url=url, conference_numbers=[{"number": "+1-555"}])
    )
    assert (desk.ledger.incidents[1].call_url, desk.ledger.incidents[1].call_dial) == ("", "+1-555")


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (
            "priority_updated",
            incident(priority={"summary": "P3"}),
            "heard: Dana Whitfield (PagerDuty) set the priority to P3",
        ),
        ("annotated", reference(content="on\nit"), "heard: Dana Whitfield (PagerDuty) noted: on it"),
        (
            "delegated",
            incident(escalation_policy={"summary": "DB"}),
            "heard: Dana Whitfield (PagerDuty) delegated it to DB",
        ),
    ],
)
def test_the_answer_says_all_that_was_heard(desk: Desk, kind: str, data: Any, reason: str) -> None:
    assert desk.send(f"incident.{kind}", data).fields["reason"] == reason


def test_news_about_what_was_never_an_incident_here_is_ignored() -> None:
    desk = Desk()
    answer = desk.send("incident.annotated", reference(content="hello"))
    assert answer.fields["outcome"] == "ignored"
    assert not desk.ledger.incidents


def test_news_of_a_merged_incident_goes_to_the_one_that_goes_on(desk: Desk) -> None:
    desk.send("incident.triggered", incident(2, service={"id": "P2", "summary": "search"}))
    desk.ledger.act(1, c.Merge(2))
    assert desk.send("incident.annotated", reference(content="hello")).fields["incident"] == "INC-2"


@pytest.mark.parametrize("name", ["<!channel>", "<@U0002>", "*Dana* `x`", "@here\n\u202e", "[a](http://x)", "x" * 500])
def test_a_name_from_outside_means_nothing_but_a_name(desk: Desk, name: str) -> None:
    desk.send("incident.acknowledged", incident(status="acknowledged"), agent={**PERSON, "summary": name})
    actor = desk.ledger.incidents[1].acknowledged_by or ""
    assert actor.startswith("pagerduty:")
    assert not set(actor) & set("<>@*`[]()#&|~_\n\u202e")
    assert len(actor) <= 70


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], [7], {"summary": None}, {"id": []}])
@pytest.mark.parametrize("key", ["incident", "user", "assignees", "content", "custom_fields", "conference_numbers"])
def test_no_junk_in_any_place_stops_the_door(key: str, junk: Any) -> None:
    desk = Desk()
    for kind in (
        "annotated",
        "responder.added",
        "role.assigned",
        "custom_field_values.updated",
        "escalated",
        "conference_bridge.updated",
        "task.created",
        "workflow.started",
        "action_invocation.created",
    ):
        data = {
            **incident(),
            **reference(),
            key: junk,
            "changed_custom_fields": junk,
            "incident_role_assignments": junk,
        }
        try:
            desk.send(f"incident.{kind}", data)
        except Exception as exc:
            assert type(exc).__name__ == "Unusable", exc  # noqa: PT017 -- the only one that the door knows


# --- our own pages -----------------------------------------------------------------------------------------


def ours(number: int = 1, home: str = HOME) -> str:
    """The key under which we page."""
    return f"tocsin/{home}/INC-{number}/default"


@pytest.fixture
def paged() -> Desk:
    """We have declared INC-1 and paged for it."""
    made = Desk()
    made.send("incident.triggered", incident(9))
    return made


def test_what_pagerduty_opens_for_our_page_opens_nothing_here_and_adds_no_alert(paged: Desk) -> None:
    answer = paged.send("incident.triggered", incident(5, incident_key=ours(), title="SEV1 INC-1: Checkout"))
    assert (answer.fields["outcome"], answer.fields["incident"]) == ("updated", "INC-1")
    assert list(paged.ledger.incidents) == [1]
    assert paged.ledger.incidents[1].alerts_total == 1
    assert paged.last() == "Dana Whitfield (PagerDuty) opened its incident for our page"


def test_who_acknowledges_our_page_in_pagerduty_acknowledges_our_incident(paged: Desk) -> None:
    paged.send("incident.triggered", incident(5, incident_key=ours()))
    paged.send("incident.acknowledged", incident(5, incident_key=ours(), status="acknowledged"))
    assert paged.ledger.incidents[1].acknowledged_by == "pagerduty:Dana Whitfield"


def test_a_note_on_the_incident_of_our_page_is_ours(paged: Desk) -> None:
    paged.send("incident.triggered", incident(5, incident_key=ours()))
    assert paged.send("incident.annotated", reference(5, content="on it")).fields["incident"] == "INC-1"


def test_the_echo_of_our_own_quieting_says_nothing(paged: Desk) -> None:
    paged.send("incident.triggered", incident(5, incident_key=ours()))
    paged.ledger.act(1, c.Resolve("restarted"))
    for kind, status in (("acknowledged", "acknowledged"), ("resolved", "resolved")):
        echo = paged.send(f"incident.{kind}", incident(5, incident_key=ours(), status=status))
        assert (echo.fields["outcome"], paged.effects()) == ("unchanged", [])


def test_another_tocsins_page_is_an_alert_like_every_other(paged: Desk) -> None:
    data = incident(5, incident_key=ours(home="other"), service={"id": "P7", "summary": "search"})
    assert paged.send("incident.triggered", data).fields["outcome"] == "opened"


def test_a_page_for_an_incident_that_is_not_here_is_ignored() -> None:
    desk = Desk()
    answer = desk.send("incident.triggered", incident(5, incident_key=ours(77)))
    assert answer.fields["outcome"] == "ignored"
    assert not desk.ledger.incidents
