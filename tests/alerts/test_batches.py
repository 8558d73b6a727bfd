"""A delivery of alerts against what is known: open, attach, reopen, resolve – and do nothing twice."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.alerts import Alert, AlertBatch, Skipped
from bot.domain.effects import Tell
from bot.domain.policy import Channels, Escalation, Level, Policy, Target
from bot.domain.routes import Route
from bot.domain.runbook_match import Shelf
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity, Status
from bot.ports.store import Changes
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Open, Request
from bot.usecases.explaining import explain
from tests.support.alerts import alert
from tests.support.ledger import START, Ledger

SHELF = Shelf({"default": Runbook("default", "Anything", "d1"), "disk-full": Runbook("disk-full", "Disk full", "d2")})


def report(ledger: Ledger, *alerts: Alert, policy: Policy | None = None, **top: Any) -> dict[str, Any]:
    """Send one delivery and return the answer's fields."""
    batch = AlertBatch(source=alerts[0].source if alerts else "alertmanager", alerts=alerts, **top)
    return ledger.run(ReportBatch(Request(f"alert:{batch.source}"), batch, policy or Policy(), SHELF)).fields


def firing(fingerprint: str = "f1", **labels: str) -> Alert:
    return alert(fingerprint, **{"service": "checkout", "severity": "critical", **labels})


def resolved(fingerprint: str = "f1", **labels: str) -> Alert:
    return alert(fingerprint, status="resolved", **{"service": "checkout", "severity": "critical", **labels})


def test_a_first_firing_opens_an_incident_with_its_reason_and_runbook() -> None:
    ledger = Ledger()
    answer = report(ledger, firing(alertname="DiskFull").model_copy(update={"summary": "97 % of /var"}))
    assert (answer["outcome"], answer["incident"]) == ("opened", "INC-1")
    state = ledger.incidents[1]
    assert state.title == "DiskFull: 97 % of /var (checkout)"
    assert (state.severity, state.severity_assumed) == (Severity.SEV1, False)
    assert state.severity_reason == 'severity="critical" → SEV1'
    assert state.declared_by == "alert:alertmanager"
    assert state.via == "alertmanager"
    assert state.labels["service"] == state.service == "checkout"
    assert state.runbook is not None
    assert state.runbook.name == "disk-full"
    assert ledger.events[:3] == ["declared", "alerts_reported", "runbook_attached"]


def test_a_repeat_changes_nothing_but_last_seen() -> None:
    ledger = Ledger()
    report(ledger, firing())
    before = ledger.incidents[1]
    ledger.after(minutes=5)
    assert report(ledger, firing())["outcome"] == "unchanged"
    changes = ledger.all[-1]
    assert ledger.incidents[1] == before
    assert not [*changes.events, *changes.effects, *changes.incidents]
    assert not [*changes.episodes, *changes.groups]
    assert list(changes.seen.values()) == list(changes.seen_groups.values()) == [START + timedelta(minutes=5)]


def test_four_hundred_alerts_of_one_outage_are_one_incident_and_one_line() -> None:
    ledger = Ledger()
    report(ledger, *[firing(f"f{n}", instance=f"i{n}") for n in range(300)])
    answer = report(ledger, *[firing(f"f{n}", instance=f"i{n}") for n in range(400)])
    assert (len(ledger.incidents), len(answer["results"])) == (1, 400)
    assert ledger.incidents[1].alerts_firing == 400
    assert ledger.events.count("alerts_reported") == 2
    assert not ledger.all[-1].effects
    assert len(ledger.incidents[1].model_dump_json()) < 16_000


def _effects(ledger: Ledger) -> list[str]:
    effects = [new.effect for new in ledger.all[-1].effects]
    return [f"{one.kind}:{getattr(one, 'what', '') or getattr(one, 'template', '')}" for one in effects]


def test_the_alerts_of_an_outage_are_one_message_that_counts() -> None:
    ledger = Ledger()
    report(ledger, firing())
    ledger.act(1, c.RoomOpened("C1", "inc-1"))
    ledger.act(1, c.MessagePosted("card", "C1", "1.1", ledger.incidents[1].seq))
    assert _effects(ledger).count("post_alerts:") == 1
    report(ledger, firing("f2", instance="b"))
    assert _effects(ledger) == ["show_message:card"], "while it is being posted, nobody posts it again"
    ledger.act(1, c.MessagePosted("alerts", "C1", "2.2", ledger.incidents[1].seq - 1))
    assert _effects(ledger) == ["show_message:alerts"], "it showed one alert less"
    report(ledger, firing("f3", instance="c"))
    assert _effects(ledger) == ["show_message:card", "show_message:alerts"]
    assert [one.fingerprint for one in ledger.incidents[1].newest_alerts] == ["f1", "f2", "f3"]


def test_it_is_said_aloud_when_the_last_alert_ends_and_when_one_fires_again() -> None:
    ledger = Ledger()
    report(ledger, firing(), firing("f2", instance="b"))
    ledger.act(1, c.RoomOpened("C1", "inc-1"))
    ledger.act(1, c.MessagePosted("card", "C1", "1.1", ledger.incidents[1].seq))
    told = []
    for news in (resolved(), resolved("f2", instance="b"), firing(), firing("f2", instance="b")):
        ledger.after(minutes=1)
        report(ledger, news)
        told.append([new.effect.urgent for new in ledger.all[-1].effects if isinstance(new.effect, Tell)])
    assert told == [[], [False], [True], []]


def test_alerts_that_join_what_a_person_declared_are_posted_at_once() -> None:
    ledger = Ledger()
    ledger.run(Open(Request("U0001"), c.Declare(title="Slow", service="checkout"), Policy()))
    ledger.act(1, c.RoomOpened("C1", "inc-1"))
    ledger.act(1, c.MessagePosted("card", "C1", "1.1", ledger.incidents[1].seq))
    assert "post_alerts:" not in _effects(ledger)
    ledger.act(1, c.ReportAlerts(facts=(), opened=1, closed=0, firing=1, total=1))
    assert _effects(ledger) == ["post_alerts:", "show_message:card"]


def test_the_worst_alert_of_a_group_names_the_incident() -> None:
    ledger = Ledger()
    answer = report(ledger, firing("f1", severity="warning"), firing("f2", alertname="Down"), firing("f3"))
    assert [r["outcome"] for r in answer["results"]] == ["opened", "attached", "attached"]
    assert ledger.incidents[1].title == "Down (checkout)"
    assert ledger.incidents[1].severity is Severity.SEV1
    assert "alertname" not in ledger.incidents[1].labels, "only what all of them share"


def test_an_alert_of_the_same_service_and_environment_attaches() -> None:
    ledger = Ledger()
    report(ledger, firing())
    ledger.after(minutes=29)
    answer = report(ledger, firing("f2", alertname="Errors"))
    assert (answer["outcome"], answer["incident"]) == ("attached", "INC-1")
    assert answer["reason"].startswith("joins INC-1: same group (service=checkout), seen within 30m")
    assert report(ledger, firing("f3", env="test"))["outcome"] == "opened"


def test_an_alert_after_the_window_opens_its_own_incident() -> None:
    ledger = Ledger()
    report(ledger, firing())
    ledger.after(minutes=31)
    assert report(ledger, firing("f2"))["incident"] == "INC-2"


def test_a_repeat_in_the_same_delivery_counts_as_just_seen() -> None:
    """Alertmanager sends the whole group when an alert joins it, hours later too."""
    ledger = Ledger()
    report(ledger, firing())
    ledger.after(hours=4)
    answer = report(ledger, firing("f2"), firing())
    assert [r["outcome"] for r in answer["results"]] == ["attached", "unchanged"]


def test_an_alert_without_a_service_attaches_by_the_senders_group() -> None:
    ledger = Ledger()
    report(ledger, alert("f1"))
    assert report(ledger, alert("f2"))["outcome"] == "attached"
    assert report(ledger, alert("f3").model_copy(update={"sender_group": "g2"}))["outcome"] == "opened"


def test_regrouping_at_the_sender_does_not_move_an_alert() -> None:
    ledger = Ledger()
    report(ledger, alert("f1"))
    answer = report(ledger, alert("f1").model_copy(update={"sender_group": "another"}))
    assert (answer["outcome"], answer["incident"]) == ("unchanged", "INC-1")


def test_a_resolve_is_told_and_closes_only_the_alert() -> None:
    ledger = Ledger()
    report(ledger, firing(), firing("f2"))
    assert report(ledger, resolved())["outcome"] == "resolved"
    assert ledger.incidents[1].alerts_firing == 1
    report(ledger, resolved("f2"))
    assert (ledger.incidents[1].alerts_firing, ledger.incidents[1].status) == (0, Status.INVESTIGATING)
    assert report(ledger, resolved("f2"))["outcome"] == "unchanged"


def test_a_resolve_with_a_start_that_nobody_saw_still_closes() -> None:
    ledger = Ledger()
    report(ledger, firing())
    later = resolved().model_copy(update={"starts_at": START + timedelta(hours=9)})
    assert report(ledger, later)["outcome"] == "resolved"


def test_a_resolve_of_an_unknown_alert_opens_nothing() -> None:
    ledger = Ledger()
    answer = report(ledger, resolved())
    assert (answer["outcome"], answer["incident"]) == ("ignored", None)
    last = ledger.all[-1]
    assert last == Changes(last.answer, last.command_id)


def test_a_refire_of_an_open_incident_joins_it() -> None:
    ledger = Ledger()
    report(ledger, firing())
    report(ledger, resolved())
    ledger.after(minutes=20)
    answer = report(ledger, firing())
    assert (answer["outcome"], answer["incident"]) == ("attached", "INC-1")
    assert (ledger.incidents[1].alerts_firing, ledger.incidents[1].alerts_total) == (1, 2)


def test_a_refire_soon_after_the_resolve_reopens_and_calls_people_again() -> None:
    policy = Policy(escalations={"default": Escalation(levels=(Level(targets=(Target(user="U0002"),)),))})
    ledger = Ledger()
    report(ledger, firing(), policy=policy)
    report(ledger, resolved(), policy=policy)
    ledger.act(1, c.Resolve("restarted"))
    ledger.after(minutes=29)
    answer = report(ledger, firing(), policy=policy)
    assert (answer["outcome"], answer["incident"]) == ("attached", "INC-1")
    assert "reopened" in answer["reason"]
    assert ledger.incidents[1].status is Status.INVESTIGATING
    assert [new.recorded.event.type for new in ledger.all[-1].events] == [
        "alerts_reported", "reopened", "page_requested",
    ]  # fmt: skip


def test_a_refire_later_opens_a_new_incident_that_links_the_old_one() -> None:
    ledger = Ledger()
    report(ledger, firing())
    report(ledger, resolved())
    ledger.act(1, c.Resolve("restarted"))
    ledger.after(minutes=31)
    assert report(ledger, firing())["incident"] == "INC-2"
    assert ledger.incidents[2].previous == 1
    assert ledger.incidents[1].status is Status.RESOLVED


@pytest.mark.parametrize("end", [[c.Resolve("x"), c.Close()], [c.Cancel("a test")]])
def test_a_refire_never_reopens_what_is_closed_or_cancelled(end: list[c.Command]) -> None:
    ledger = Ledger()
    report(ledger, firing())
    report(ledger, resolved())
    for command in end:
        ledger.act(1, command)
    assert report(ledger, firing())["incident"] == "INC-2"


def test_another_alert_does_not_reopen_a_resolved_incident() -> None:
    ledger = Ledger()
    report(ledger, firing())
    ledger.act(1, c.Resolve("restarted"))
    assert report(ledger, firing("f2"))["incident"] == "INC-2"


def test_an_alert_that_goes_on_firing_does_not_reopen_what_people_resolved() -> None:
    ledger = Ledger()
    report(ledger, firing())
    ledger.act(1, c.Resolve("known and harmless"))
    assert report(ledger, firing())["outcome"] == "unchanged"
    assert ledger.incidents[1].status is Status.RESOLVED


def test_the_severity_rises_by_itself_pages_and_never_falls() -> None:
    policy = Policy(escalations={"default": Escalation(levels=(Level(targets=(Target(user="U0002"),)),))})
    ledger = Ledger()
    report(ledger, firing(severity="warning"), policy=policy)
    report(ledger, firing("f2", severity="critical"), policy=policy)
    assert ledger.incidents[1].severity is Severity.SEV1
    assert ledger.incidents[1].reached == {"U0002": "paged"}
    report(ledger, firing("f3", severity="warning"), policy=policy)
    assert ledger.incidents[1].severity is Severity.SEV1


def test_an_assumed_severity_raises_nothing() -> None:
    ledger = Ledger()
    report(ledger, firing(severity="low"))
    report(ledger, firing("f2", severity=""))
    assert ledger.incidents[1].severity is Severity.SEV4


def test_a_severity_that_people_lowered_is_left_alone_by_repeats() -> None:
    ledger = Ledger()
    report(ledger, firing())
    ledger.act(1, c.SetSeverity(Severity.SEV3, "only one of ten"))
    assert report(ledger, firing())["outcome"] == "unchanged"
    assert ledger.incidents[1].severity is Severity.SEV3


def test_an_attach_route_joins_but_never_opens() -> None:
    policy = Policy(routes=(Route(match=('alertname="Noise"',), action="attach"),))
    ledger = Ledger()
    assert report(ledger, firing("n1", alertname="Noise"), policy=policy)["outcome"] == "ignored"
    report(ledger, firing(), policy=policy)
    assert report(ledger, firing("n1", alertname="Noise"), policy=policy)["outcome"] == "attached"


def test_where_nobody_can_be_asked_an_incident_opens_with_a_severity_that_waits_for_confirmation() -> None:
    policy = Policy(routes=(Route(action="triage", severity=Severity.SEV2),), channels=Channels(announce=None))
    ledger = Ledger()
    report(ledger, firing(), policy=policy)
    assert (ledger.incidents[1].severity, ledger.incidents[1].severity_assumed) == (Severity.SEV2, True)


def test_a_merged_incident_passes_its_alerts_on() -> None:
    ledger = Ledger()
    report(ledger, firing(), firing("f2", service="search"))
    ledger.act(2, c.Merge(into=1))
    report(ledger, resolved("f2", service="search"))
    answer = report(ledger, firing("f2", service="search"))
    assert (answer["outcome"], answer["incident"]) == ("attached", "INC-1")


def test_a_delivery_that_names_an_alert_twice_counts_it_once() -> None:
    ledger = Ledger()
    answer = report(ledger, firing(), resolved())
    assert [r["outcome"] for r in answer["results"]] == ["opened", "ignored"]


def test_two_outages_in_one_delivery_are_two_incidents_and_the_strongest_outcome_leads() -> None:
    ledger = Ledger()
    report(ledger, firing("f1"))
    answer = report(
        ledger,
        firing("f1"),
        firing("f2", service="search"),
        firing("f3", service="mail"),
        skipped=(Skipped(reason="odd"),),
    )
    assert [r["incident"] for r in answer["results"]] == ["INC-1", "INC-2", "INC-3", None]
    assert (answer["outcome"], answer["incident"]) == ("opened", "INC-2")


def test_a_delivery_without_alerts_is_ignored_with_a_reason() -> None:
    assert report(Ledger())["reason"] == "the delivery holds no alert"


def test_a_late_event_never_undoes_a_newer_state() -> None:
    ledger = Ledger()
    done = resolved("P1", source="pagerduty").model_copy(update={"occurred_at": START})
    early = firing("P1", source="pagerduty").model_copy(update={"occurred_at": START - timedelta(minutes=1)})
    again = firing("P1", source="pagerduty").model_copy(update={"occurred_at": START + timedelta(minutes=1)})
    assert report(ledger, done)["outcome"] == "ignored"
    assert report(ledger, early)["outcome"] == "ignored"
    assert not ledger.incidents
    assert report(ledger, again)["outcome"] == "opened"


def test_a_long_summary_is_cut_and_the_service_stays_readable() -> None:
    ledger = Ledger()
    report(ledger, firing().model_copy(update={"summary": "x" * 1000}))
    title = ledger.incidents[1].title
    assert len(title) == 200
    assert title.endswith("… (checkout)")


def test_explain_tells_what_would_happen_and_writes_nothing() -> None:
    ledger = Ledger()
    report(ledger, firing())
    batch = AlertBatch(source="alertmanager", alerts=(firing("f2", alertname="DiskFull"), firing("f3", service="mail")))
    before = (dict(ledger.incidents), dict(ledger.loaded.episodes))
    told = explain(batch, Policy(), SHELF, ledger.loaded, ledger.now)
    assert (dict(ledger.incidents), dict(ledger.loaded.episodes)) == before
    assert [a["outcome"] for a in told["alerts"]] == ["attached", "opened"]
    assert told["alerts"][0]["runbook"] == "disk-full"
    assert [o["key"] for o in told["opens"]] == ["INC-2"]
    assert told["outcome"] == ledger.run(ReportBatch(Request("a"), batch, Policy(), SHELF)).fields["outcome"]
    assert explain(batch, Policy(), SHELF, None, START)["opens"][0]["key"] == "INC-1"
