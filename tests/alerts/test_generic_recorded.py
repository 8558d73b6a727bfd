"""Payloads of Grafana, Sentry, Datadog, CloudWatch and Uptime Kuma, replayed in order through the ready mappings.

A new file without a line in the table fails a test.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import get_args

import pytest
from multidict import CIMultiDict

from bot.domain.alert_mapping import Preset
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Severity
from bot.inbound.alerts.generic import Delivery
from bot.inbound.alerts.mapping import PRESETS
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from tests.alerts.test_hostile import assert_bounded
from tests.support.generic import FIXTURES, generic, on_file
from tests.support.ledger import Ledger

OPENED, ATTACHED, UPDATED = "opened", "attached", "updated"
RESOLVED, UNCHANGED, IGNORED = "resolved", "unchanged", "ignored"
SEV1, SEV2, SEV3 = Severity.SEV1, Severity.SEV2, Severity.SEV3

EXPECTED: Mapping[str, tuple[list[str], Severity | None]] = {
    "grafana/lifecycle": ([OPENED, UNCHANGED, RESOLVED, RESOLVED], SEV1),
    "grafana/test-notification": ([IGNORED], None),
    "grafana/no-data": ([OPENED], SEV3),
    "grafana/truncated": ([OPENED, RESOLVED], SEV1),
    "grafana/hostile-text": ([OPENED], SEV1),
    "sentry/issue-alert": ([OPENED, UNCHANGED, RESOLVED], SEV2),
    "sentry/metric-alert": ([OPENED, UPDATED, UNCHANGED, RESOLVED], SEV1),
    "sentry/other-resources": ([IGNORED] * 5, None),
    "sentry/fatal": ([OPENED], SEV1),
    "sentry/hostile-text": ([OPENED], SEV2),
    "datadog/lifecycle": ([OPENED, UNCHANGED, RESOLVED], SEV1),
    "datadog/warn-then-alert": ([OPENED, UPDATED, UNCHANGED, RESOLVED], SEV1),
    "datadog/no-data-without-priority": ([OPENED, RESOLVED], SEV2),
    "datadog/out-of-order": ([IGNORED, IGNORED], None),
    "datadog/test": ([IGNORED] * 3, None),
    "datadog/hostile-text": ([OPENED], SEV1),
    "cloudwatch/lifecycle": ([OPENED, UNCHANGED, RESOLVED], SEV3),
    "cloudwatch/out-of-order": ([IGNORED, IGNORED], None),
    "cloudwatch/insufficient-data": ([IGNORED, OPENED, IGNORED], SEV3),
    "cloudwatch/raw-delivery": ([OPENED, RESOLVED], SEV3),
    "cloudwatch/other-messages": ([IGNORED] * 3, None),
    "cloudwatch/subscription": ([IGNORED], None),
    "cloudwatch/hostile-text": ([OPENED], SEV3),
    "uptime-kuma/lifecycle": ([OPENED, UNCHANGED, RESOLVED], SEV1),
    "uptime-kuma/without-tags": ([OPENED], SEV3),
    "uptime-kuma/pending-and-maintenance": ([IGNORED, IGNORED], None),
    "uptime-kuma/test": ([IGNORED, IGNORED], None),
    "uptime-kuma/late": ([IGNORED, IGNORED], None),
    "uptime-kuma/hostile-text": ([OPENED], SEV3),
}


def replay(case: str, ledger: Ledger) -> list[str]:
    """Send every request of a file and return what was answered. Unusable would raise."""
    vendor, _, name = case.partition("/")
    source = generic("feed", preset=vendor)
    outcomes = []
    for sent in on_file(vendor, name):
        batch = Delivery(source).parse(sent.raw, CIMultiDict(sent.headers))
        for alert in batch.alerts:
            assert_bounded(alert)
        for skipped in batch.skipped:
            assert skipped.reason
        if batch.alerts:
            answer = ledger.run(ReportBatch(Request("alert:feed"), batch, Policy(), Shelf()))
            outcomes.append(str(answer.fields["outcome"]))
        else:
            outcomes.append(IGNORED)
        ledger.after(minutes=1)
    return outcomes


def test_every_file_is_in_the_table() -> None:
    assert {f"{path.parent.name}/{path.stem}" for path in FIXTURES.glob("*/*.json")} == set(EXPECTED)


def test_every_preset_has_a_file_and_every_file_is_a_preset() -> None:
    assert {path.stem for path in PRESETS.glob("*.yaml")} == set(get_args(Preset))


@pytest.mark.parametrize("case", EXPECTED)
def test_a_payload_comes_to_what_the_table_says(case: str) -> None:
    ledger = Ledger()
    outcomes, severity = EXPECTED[case]
    assert replay(case, ledger) == outcomes
    assert [state.severity for state in ledger.incidents.values()] == ([severity] if severity else [])


@pytest.mark.parametrize("case", EXPECTED)
def test_sending_everything_twice_changes_nothing_more(case: str) -> None:
    vendor, _, name = case.partition("/")
    ledger, source = Ledger(), generic("feed", preset=vendor)
    for sent in on_file(vendor, name):
        for again in (False, True):
            batch = Delivery(source).parse(sent.raw, CIMultiDict(sent.headers))
            if batch.alerts:
                told = ledger.run(ReportBatch(Request("alert:feed"), batch, Policy(), Shelf())).fields
                assert not again or told["outcome"] in (UNCHANGED, IGNORED)
        ledger.now += timedelta(seconds=1)
    assert len(ledger.incidents) == (1 if EXPECTED[case][1] else 0)


@pytest.mark.parametrize(
    ("case", "title", "service"),
    [
        ("grafana/lifecycle", "High memory usage: This alert was triggered for zone us-1 (shop)", "shop"),
        ("grafana/no-data", "Checkout error rate", "checkout"),
        (
            "sentry/issue-alert",
            "ReferenceError: heck is not defined: Very Important Alert Rule! (front-end)",
            "front-end",
        ),
        ("sentry/metric-alert", "Too many errors: 1000 events in the last 10 minutes Filter: level:error (bar)", "bar"),
        (
            "datadog/lifecycle",
            "CPU is high: system.load.1 over host:web-1 was > 4.0 at least once during the last 5m (shop)",
            "shop",
        ),
        ("cloudwatch/lifecycle", "checkout-5xx: Too many 5xx from the checkout load balancer", None),
        ("uptime-kuma/lifecycle", "Checkout: getaddrinfo ENOTFOUND shop.example", "shop"),
    ],
)
def test_the_incident_says_what_is_wrong_and_whose_it_is(case: str, title: str, service: str | None) -> None:
    ledger = Ledger()
    replay(case, ledger)
    state = ledger.incidents[1]
    assert state.title == title
    assert state.service == service


@pytest.mark.parametrize(
    ("case", "url", "labels"),
    [
        ("grafana/lifecycle", "https://play.grafana.example/alerting/grafana/1afz29v7z/view?orgId=1", {"team": "blue"}),
        (
            "sentry/issue-alert",
            "https://sentry.example/organizations/test-org/issues/1117540176/events/e4874d664c3540c1a32eab185f12c5ab/",
            {"env": "prod", "browser": "Chrome 75.0.3770"},
        ),
        ("datadog/lifecycle", "https://app.datadoghq.example/monitors/1234?group=host%3Aweb-1", {"env": "prod"}),
        (
            "cloudwatch/lifecycle",
            "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarmsV2:alarm/checkout-5xx",
            {"region": "us-east-1", "LoadBalancer": "app/checkout/50dc6c495c0c9188"},
        ),
        ("uptime-kuma/lifecycle", "https://shop.example/checkout", {"type": "http", "severity": "critical"}),
    ],
)
def test_an_alert_keeps_its_link_and_its_labels(case: str, url: str, labels: dict[str, str]) -> None:
    vendor, _, name = case.partition("/")
    sent = on_file(vendor, name)[0]
    alert = Delivery(generic("feed", preset=vendor)).parse(sent.raw, sent.headers).alerts[0]
    assert alert.url == url
    assert labels.items() <= alert.labels.items()
    assert alert.starts_at is not None


def test_truncated_alerts_of_grafana_are_counted_and_not_resolved() -> None:
    ledger = Ledger()
    replay("grafana/truncated", ledger)
    last = ledger.all[-1].events[-1].recorded.event
    assert last.type == "alerts_reported"
    assert (last.closed, last.truncated) == (1, 1)
    assert ledger.incidents[1].alerts_firing == 1


def test_no_link_of_a_hostile_payload_leads_anywhere_but_http() -> None:
    for case in (case for case in EXPECTED if case.endswith("hostile-text")):
        vendor, _, name = case.partition("/")
        for alert in Delivery(generic("feed", preset=vendor)).parse(on_file(vendor, name)[0].raw, {}).alerts:
            links = [alert.url, *(v for k, v in alert.annotations.items() if "url" in k.lower())]
            assert not [link for link in links if link.lower().startswith(("javascript", "data"))]
