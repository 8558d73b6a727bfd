"""What one alert means here, and the reason that is given for it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from bot.domain.policy import Policy, Service
from bot.domain.routes import Route
from bot.domain.severity import Severity
from bot.domain.triage import triage
from tests.support.alerts import alert


@pytest.mark.parametrize(
    ("word", "severity", "assumed"),
    [
        ("critical", "sev1", False),
        ("page", "sev1", False),
        ("error", "sev2", False),
        ("high", "sev2", False),
        ("warning", "sev3", False),
        ("CRITICAL!!", "sev1", False),
        ("sev2", "sev2", False),
        ("P1", "sev2", False),
        ("purple", "sev3", True),
        ("", "sev3", True),
        ("info", None, False),
        ("none", None, False),
    ],
)
def test_the_severity_label_decides(word: str, severity: str | None, assumed: bool) -> None:
    verdict = triage(alert(severity=word), Policy())
    assert verdict.severity == (Severity(severity) if severity else None)
    assert verdict.action == ("open" if severity else "ignore")
    assert verdict.assumed is assumed


def test_an_alert_without_a_severity_is_sev3_and_says_that_this_is_assumed() -> None:
    verdict = triage(alert(), Policy())
    assert (verdict.severity, verdict.assumed) == (Severity.SEV3, True)
    assert verdict.reason == "no severity label → SEV3, assumed"


def test_watchdog_opens_nothing_whatever_its_severity() -> None:
    for severity in ("none", "critical"):
        verdict = triage(alert(alertname="Watchdog", severity=severity), Policy())
        assert verdict.action == "ignore"
        assert "Watchdog" in verdict.reason


def test_watchdog_opens_nothing_by_a_route_that_does_not_name_it() -> None:
    broad = Policy(routes=(Route(match=('team="a"',), severity=Severity.SEV1),))
    exact = Policy(routes=(Route(match=('alertname="Watchdog"',), severity=Severity.SEV1),))
    watchdog = alert(alertname="Watchdog", team="a")
    assert triage(watchdog, broad).action == "ignore"
    assert triage(watchdog, exact).action == "open"


@pytest.mark.parametrize(
    ("labels", "service", "group"),
    [
        ({"service": "checkout", "app": "x", "env": "prod"}, "checkout", "service=checkout, env=prod"),
        ({"app": "checkout", "job": "x", "cluster": "eu"}, "checkout", "service=checkout, env=eu"),
        ({"job": "node"}, "node", "service=node"),
        ({}, None, "the sender's own group"),
    ],
)
def test_service_and_environment_group_by_default(labels: dict[str, str], service: str | None, group: str) -> None:
    verdict = triage(alert(**labels), Policy())
    assert (verdict.service, verdict.group) == (service, group)


def test_the_same_service_groups_across_senders_and_environments_apart() -> None:
    def key(source: str, env: str) -> str:
        return triage(alert(source=source, service="checkout", env=env), Policy()).group_key

    assert key("alertmanager", "prod") == key("pagerduty", "prod")
    assert key("alertmanager", "prod") != key("alertmanager", "test")


def test_the_first_route_that_matches_wins_and_is_named_in_the_reason() -> None:
    policy = Policy(
        routes=(
            Route(match=('team="other"',), action="ignore"),
            Route(
                match=('severity="critical"', 'team=~"pay.*"'),
                severity=Severity.SEV1,
                service="checkout",
                runbook="disk-full",
                group_by=("service", "region"),
                window=timedelta(minutes=5),
            ),
            Route(action="ignore"),
        )
    )
    verdict = triage(alert(severity="critical", team="payments", region="eu"), policy)
    assert verdict.reason == 'route 2 (severity="critical", team=~"pay.*") → SEV1'
    assert (verdict.service, verdict.runbook, verdict.window) == ("checkout", "disk-full", timedelta(minutes=5))
    assert verdict.group == "service=checkout, region=eu"
    assert triage(alert(severity="critical"), policy).reason == "route 3 (every alert) → ignored"


def test_a_route_without_a_severity_leaves_it_to_the_label() -> None:
    policy = Policy(routes=(Route(match=('team="a"',), service="checkout"),))
    verdict = triage(alert(team="a", severity="high"), policy)
    assert verdict.severity is Severity.SEV2
    assert verdict.reason == 'route 1 (team="a"); severity="high" → SEV2'
    assert triage(alert(team="a", severity="info"), policy).action == "ignore"


def test_a_route_can_match_the_source_and_the_runbook_url() -> None:
    policy = Policy(routes=(Route(match=('source="pagerduty"',), action="ignore"),))
    assert triage(alert(source="pagerduty"), policy).action == "ignore"
    assert triage(alert(), policy).action == "open"


def test_a_private_route_never_shares_a_group_with_a_public_one() -> None:
    secret = Policy(routes=(Route(private=True),))
    labels = {"service": "checkout"}
    assert triage(alert(**labels), secret).group_key != triage(alert(**labels), Policy()).group_key
    assert triage(alert(**labels), secret).private


def test_a_service_is_found_whatever_its_case() -> None:
    policy = Policy(services={"checkout": Service()})
    assert triage(alert(service="Checkout"), policy).service == "checkout"


@pytest.mark.parametrize(
    ("labels", "severity", "assumed"),
    [
        ({"priority": "P1", "urgency": "low"}, "sev1", False),
        ({"priority": "P4"}, "sev4", False),
        ({"priority": "P5 - Info"}, "sev4", False),
        ({"priority": "Sev-2"}, "sev2", False),
        ({"priority": "Whatever", "urgency": "high"}, "sev2", False),
        ({"urgency": "high"}, "sev2", False),
        ({"urgency": "low"}, "sev3", False),
        ({}, "sev3", True),
    ],
)
def test_pagerduty_goes_by_priority_then_urgency(labels: dict[str, str], severity: str, assumed: bool) -> None:
    verdict = triage(alert(source="pagerduty", **labels), Policy())
    assert (verdict.severity, verdict.assumed) == (Severity(severity), assumed)


def test_a_group_key_stays_short_however_long_the_labels_are() -> None:
    assert len(triage(alert(service="x" * 5000), Policy()).group_key) < 250


def test_a_route_with_an_unreadable_matcher_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValidationError, match="expected one of"):
        Route(match=("severity",))
