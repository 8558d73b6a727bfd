"""A merged incident's alerts go on in the one it was merged into."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.alerts import Alert, AlertBatch
from bot.domain.effects import Invite, Tell
from bot.domain.policy import Policy
from bot.domain.refusals import PrivateMeetsPublic
from bot.domain.runbook_match import Shelf
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Act, Open, Request
from tests.support.alerts import alert
from tests.support.ledger import Ledger


def report(ledger: Ledger, *alerts: Alert) -> list[dict[str, object]]:
    batch = AlertBatch(source="alertmanager", alerts=alerts)
    told = ledger.run(ReportBatch(Request("alert:alertmanager"), batch, Policy(), Shelf())).fields["results"]
    assert isinstance(told, list)
    return told


def two_incidents() -> Ledger:
    """INC-1 with alerts a and b of checkout, INC-2 with c of search, merged into INC-1's place: INC-1 → INC-2."""
    ledger = Ledger()
    report(ledger, alert("a", service="checkout", severity="critical"), alert("b", service="checkout"))
    report(ledger, alert("c", service="search"))
    ledger.act(1, c.Merge(2))
    return ledger


def counts(ledger: Ledger, number: int) -> tuple[int, int]:
    state = ledger.incidents[number]
    return state.alerts_firing, state.alerts_total


def test_the_alerts_of_a_merged_incident_count_in_the_other_one() -> None:
    ledger = two_incidents()
    assert counts(ledger, 2) == (3, 3)
    assert ledger.incidents[2].absorbed == (1,)
    assert {fact.fingerprint for fact in ledger.incidents[2].newest_alerts} == {"a", "b", "c"}


def test_a_resolve_of_a_merged_incidents_alert_counts_in_the_other_one() -> None:
    ledger = two_incidents()
    (told,) = report(ledger, alert("a", "resolved", service="checkout"))
    assert (told["outcome"], told["incident"]) == ("resolved", "INC-2")
    assert counts(ledger, 2) == (2, 3)
    assert ledger.incidents[1].alerts_firing == 2  # it is over: nothing moves in it any more
    told = report(ledger, alert("b", "resolved", service="checkout"), alert("c", "resolved", service="search"))[0]
    assert counts(ledger, 2) == (0, 3)
    assert ledger.loaded.episodes["alertmanager", "a"].incident == 2


def test_a_merged_incidents_group_leads_to_the_other_one() -> None:
    ledger = two_incidents()
    (told,) = report(ledger, alert("d", service="checkout"))
    assert (told["outcome"], told["incident"]) == ("attached", "INC-2")
    assert counts(ledger, 2) == (4, 4)


def test_an_alert_that_goes_on_firing_is_seen_in_the_other_one() -> None:
    (told,) = report(two_incidents(), alert("b", service="checkout"))
    assert (told["outcome"], told["incident"]) == ("unchanged", "INC-2")


def test_what_was_merged_twice_leads_to_the_last_one() -> None:
    ledger = two_incidents()
    report(ledger, alert("e", service="pay"))
    ledger.act(2, c.Merge(3))
    assert counts(ledger, 3) == (4, 4)
    assert ledger.incidents[3].absorbed == (2, 1)
    (told,) = report(ledger, alert("a", "resolved", service="checkout"))
    assert told["incident"] == "INC-3"
    assert counts(ledger, 3) == (3, 4)


def test_a_merge_raises_no_severity_by_itself() -> None:
    assert two_incidents().incidents[2].severity.value == "sev3"


def test_a_worse_alert_of_a_merged_incident_raises_the_other_one() -> None:
    ledger = two_incidents()
    report(ledger, alert("b", service="checkout", severity="critical"))
    assert ledger.incidents[2].severity.value == "sev1"


def test_an_alert_of_a_merged_incident_reopens_the_other_one() -> None:
    ledger = two_incidents()
    report(ledger, *(alert(one, "resolved", service="checkout") for one in "ab"), alert("c", "resolved"))
    ledger.act(2, c.Resolve("rolled back"))
    ledger.now += timedelta(minutes=5)
    (told,) = report(ledger, alert("a", service="checkout"))
    assert (told["outcome"], told["incident"]) == ("attached", "INC-2")
    assert ledger.incidents[2].is_active


def test_the_other_one_learns_of_the_merge_and_takes_the_people_over() -> None:
    """Without alerts as well."""
    ledger = Ledger()
    for title in ("Checkout is down", "Payments fail"):
        ledger.run(Open(Request("U0000001"), c.Declare(title), Policy()))
    for number in (1, 2):
        ledger.act(number, c.RoomOpened(f"C000000{number}", f"inc-{number}"))
    ledger.run(Act(Request("U0000002"), 1, c.Acknowledge(), Policy()))
    changes = Act(Request("U0000009"), 1, c.Merge(2), Policy()).run(ledger.loaded, ledger.now)
    (event,) = [new.recorded.event for new in changes.events if new.incident == 2]
    assert isinstance(event, e.Absorbed)
    assert (event.number, event.title, event.channel) == (1, "Checkout is down", "C0000001")
    assert event.people == ("U0000002",), "the declarer of both is here already"
    effects = [new.effect for new in changes.effects if new.incident == 2]
    assert [one.template for one in effects if isinstance(one, Tell)] == ["absorbed"]
    assert [one.users for one in effects if isinstance(one, Invite)] == [("U0000002",)]
    assert "U0000002" in changes.incidents[2].people


@pytest.mark.parametrize(("mine", "theirs"), [(True, False), (False, True)])
def test_private_and_public_incidents_are_not_merged(mine: bool, theirs: bool) -> None:
    """Either way what was said in the private one would be read by others."""
    ledger = Ledger()
    for title, private in (("Payroll leak", mine), ("Search is slow", theirs)):
        ledger.run(Open(Request("U0000001"), c.Declare(title, private=private), Policy()))
    with pytest.raises(PrivateMeetsPublic):
        ledger.act(1, c.Merge(2))
    assert [state.is_active for state in ledger.incidents.values()] == [True, True]


def test_the_title_of_a_private_incident_stays_in_it_when_it_is_merged_into_another_private_one() -> None:
    ledger = Ledger()
    for title in ("Payroll leak", "Somebody is in the network"):
        ledger.run(Open(Request("U0000001"), c.Declare(title, private=True), Policy()))
    changes = Act(Request("U0000001"), 1, c.Merge(2), Policy()).run(ledger.loaded, ledger.now)
    (event,) = [new.recorded.event for new in changes.events if new.incident == 2]
    assert isinstance(event, e.Absorbed)
    assert event.title == ""
