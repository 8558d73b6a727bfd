"""What looks the same: other words for one outage, and what an old incident still owes."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import commands as c
from bot.domain import similar
from bot.domain.events import AlertFact
from bot.domain.incident import Incident
from bot.domain.similar import Likeness, Profiles
from tests.domain.room import Room


def alike(
    title: str, service: str | None, labels: Mapping[str, str], others: Iterable[Incident], **more: Any
) -> list[Likeness]:
    return similar.alike(title, service, labels, Profiles().of(others), **more)


def incident(title: str, **fields: object) -> Incident:
    return Room().declare(title, **fields).state


@pytest.mark.parametrize(
    ("said", "open_one"),
    [
        ("Checkout is down", "checkout down"),
        ("The checkout fails for all customers", "Checkout failing, customers affected"),
        ("Checkouts failing", "Checkout fails"),
        ("PAYMENT API ERRORS", "payment api: errors"),
        ("Checkout broken again", "Checkout is down"),
        ("HighLatency on the api", "High latency: api"),
    ],
)
def test_the_same_in_other_words_is_found(said: str, open_one: str) -> None:
    found = alike(said, None, {}, [incident(open_one)])
    assert [one.state.title for one in found] == [open_one]


@pytest.mark.parametrize(
    ("said", "open_one"),
    [
        ("Search is slow", "Checkout is down"),
        ("It is down", "Payment is down"),
        ("", "Checkout is down"),
        ("💥", "Checkout 💥"),
        ("Everything is broken again", "It does not work"),
    ],
)
def test_common_words_alone_are_no_likeness(said: str, open_one: str) -> None:
    assert alike(said, None, {}, [incident(open_one)]) == []


def test_the_same_service_makes_a_weak_likeness_strong() -> None:
    other = incident("Checkout: payments time out", service="checkout")
    assert alike("Payments declined", None, {}, [other]) == []
    found = alike("Payments declined", "Checkout", {}, [other])
    assert [one.why for one in found] == ["payment; service checkout"]


def test_a_service_that_the_title_names_is_named() -> None:
    other = incident("Orders are lost", service="checkout")
    (found,) = alike("Checkout: orders vanish", None, {}, [other])
    assert found.why == "order; service checkout"
    assert alike("Search: orders vanish", None, {}, [other]) == []
    assert alike("Checkout: orders vanish", "search", {}, [other]) == [], "another service was named"


def alarmed(title: str = "Something is wrong", **labels: str) -> Incident:
    """What an alert opened."""
    fact = AlertFact(source="alertmanager", fingerprint="f", name="ReplicaLagHigh", summary="", status="firing")
    return incident(title, labels=labels).model_copy(update={"newest_alerts": (fact,)})


@pytest.mark.parametrize("said", ["Replica lag on orders-db", "db: replica lag is high", "ReplicaLagHigh"])
def test_what_an_alert_of_it_is_called_says_what_it_is_about(said: str) -> None:
    (found,) = alike(said, None, {}, [alarmed()])
    assert "replica" in found.why


def test_the_host_in_its_labels_says_what_it_is_about_and_the_environment_does_not() -> None:
    other = alarmed(instance="db-7", env="production", severity="critical", team="payments")
    assert len(alike("db 7 is gone", None, {}, [other])) == 1
    assert alike("Production is down", None, {}, [other]) == []
    assert alike("The payments team has a problem", None, {}, [other]) == []


def test_the_same_labels_make_a_weak_likeness_strong_and_common_ones_do_not() -> None:
    other = alarmed("A disk is lost", alertname="KernelPanic", instance="db-7", env="production")
    assert alike("The disk is strange", None, {}, [other]) == []
    (found,) = alike("The disk is strange", None, {"instance": "db-7", "env": "staging"}, [other])
    assert found.why == "disk; instance"
    assert alike("The disk is strange", None, {"instance": "db-8", "env": "production"}, [other]) == []


def test_a_past_incident_counts_only_while_an_action_item_is_undone() -> None:
    room = Room().declare("Replica lag on orders").do(c.AddTask("add a lag alert")).do(c.Resolve("fixed"))
    assert len(alike("Replica lag", None, {}, [room.state])) == 1
    assert alike("Replica lag", None, {}, [room.do(c.CompleteTask(1)).state]) == []


def test_cancelled_ones_and_drills_are_never_offered() -> None:
    cancelled = Room().declare("Replica lag").do(c.Cancel("no")).state
    assert alike("Replica lag", None, {}, [cancelled, incident("Replica lag", drill=True)]) == []


def test_open_ones_come_before_what_is_past() -> None:
    past = Room().declare("Replica lag").do(c.AddTask("x")).do(c.Resolve("fixed")).state
    past = past.model_copy(update={"number": 2})
    found = alike("Replica lag", None, {}, [past, incident("Replica lag on orders")])
    assert [one.state.is_active for one in found] == [True, False]


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_titles_can_be_compared(one: str, other: str) -> None:
    state = incident("x").model_copy(update={"title": other})
    for found in alike(one, None, {}, [state]):
        assert 0 < found.score <= 1


def test_what_the_asker_may_not_see_takes_no_place_of_what_they_may() -> None:
    secrets = [incident("Replica lag").model_copy(update={"number": n}) for n in range(1, 5)]
    mine = incident("Replica lag of orders")
    found = alike("Replica lag", None, {}, [*secrets, mine], sees=lambda state: state is mine)
    assert [one.state for one in found] == [mine]


def test_a_profile_is_made_once_for_each_state_and_anew_for_the_next() -> None:
    room, other = Room().declare("Replica lag"), incident("Checkout is down").model_copy(update={"number": 2})
    profiles = Profiles()
    before = profiles.of([room.state, other])
    again = profiles.of([room.state, other])
    assert [a is b for a, b in zip(before, again, strict=True)] == [True, True]
    after = profiles.of([room.do(c.SetTitle("Disk is full")).state, other])
    assert after[0].words == {"disk", "full"}
    assert after[1] is before[1]
    assert profiles.of([other]) == [before[1]]
    assert profiles.of([room.state, other])[1] is before[1]
