"""What Alertmanager is known to do to whoever trusts it, each by name, from the body's bytes to the incident."""

from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Status
from bot.domain.timeline import timeline
from bot.inbound.alerts import SOURCES
from bot.inbound.alerts.reading import Unusable
from bot.render.slack.alerts import alerts
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from tests.render.slack_cases import surroundings
from tests.support.alerts import body, wire
from tests.support.ledger import Ledger

CRITICAL = {"severity": "critical", "service": "checkout"}


def send(ledger: Ledger, *alerts: dict[str, Any], **top: Any) -> dict[str, Any]:
    """Deliver a body; return the answer."""
    batch = SOURCES["alertmanager"].parse(body(*alerts, **top), {})
    return ledger.run(ReportBatch(Request("alert:alertmanager"), batch, Policy(), Shelf())).fields


def test_truncated_alerts_never_close_an_incident_whatever_the_body_says() -> None:
    ledger = Ledger()
    send(ledger, wire("a" * 16, **CRITICAL), wire("b" * 16, **CRITICAL))
    send(ledger, wire("a" * 16, "resolved", **CRITICAL), status="resolved", truncatedAlerts=5)
    state = ledger.incidents[1]
    assert (state.alerts_firing, state.is_active, state.status) == (1, True, Status.INVESTIGATING)


def test_a_last_resolve_with_truncated_alerts_says_that_more_may_fire() -> None:
    ledger = Ledger()
    send(ledger, wire(**CRITICAL))
    send(ledger, wire(status="resolved", **CRITICAL), status="resolved", truncatedAlerts=3)
    assert ledger.incidents[1].status is Status.INVESTIGATING
    assert ledger.incidents[1].quiet_by is None


@pytest.mark.parametrize("left_out", [4, "4", 4.0])
def test_after_a_truncated_resolve_the_live_message_does_not_say_that_nothing_fires(left_out: object) -> None:
    ledger = Ledger()
    for status in ("firing", "resolved", "firing"):
        send(ledger, wire(status=status, **CRITICAL))
    send(ledger, wire(status="resolved", **CRITICAL), status="resolved", truncatedAlerts=left_out)
    state = ledger.incidents[1]
    assert (state.alerts_firing, state.alerts_left_out) == (0, 4)
    words = alerts(state, surroundings()).words
    assert "None of the 1 alert known here fires any more – but the sender left out 4, which may" in words
    assert "No alert fires any more" not in words
    send(ledger, wire(**CRITICAL), truncatedAlerts=2)
    assert "*1 of 1 alert firing* · the sender left out 2 more" in alerts(ledger.incidents[1], surroundings()).words
    send(ledger, wire(status="resolved", **CRITICAL), status="resolved")
    assert "*No alert fires any more*, of 1" in alerts(ledger.incidents[1], surroundings()).words


def test_what_a_merged_incidents_sender_left_out_is_not_forgotten() -> None:
    ledger = Ledger()
    send(ledger, wire("a" * 16, **CRITICAL), truncatedAlerts=3)
    send(ledger, wire("b" * 16, severity="critical", service="mail"))
    ledger.act(1, c.Merge(2))
    assert ledger.incidents[2].alerts_left_out == 3


def test_an_alert_that_fires_again_is_one_alert() -> None:
    ledger = Ledger()
    for _ in range(3):
        send(ledger, wire(**CRITICAL))
        send(ledger, wire(status="resolved", **CRITICAL), status="resolved")
    send(ledger, wire(**CRITICAL), wire("b" * 16, **CRITICAL))
    state = ledger.incidents[1]
    assert (state.alerts_known, state.alerts_total) == (2, 5)
    words = alerts(state, surroundings()).words
    assert "*2 of 2 alerts firing*" in words
    assert "more" not in words


def test_alerts_of_one_rule_differ_on_their_lines_as_they_do_in_their_labels() -> None:
    ledger = Ledger()
    first = wire("a" * 16, instance="web-1:9100", **CRITICAL)
    send(ledger, first, wire("b" * 16, instance="web-2:9100", pod="p-7", job="node", **CRITICAL))
    words = alerts(ledger.incidents[1], surroundings()).words
    assert "*HighLatency* `instance=web-1:9100` p99 over 2 s" in words
    assert "*HighLatency* `instance=web-2:9100, pod=p-7` p99 over 2 s" in words


def test_a_source_that_is_too_long_to_keep_leads_to_its_page_and_not_to_half_a_query() -> None:
    ledger = Ledger()
    send(ledger, wire(**CRITICAL) | {"generatorURL": "http://prometheus.example/graph?g0.expr=" + "x" * 600})
    assert ledger.incidents[1].newest_alerts[0].url == "http://prometheus.example/graph"


def test_a_resolve_carries_a_start_that_no_firing_had() -> None:
    ledger = Ledger()
    send(ledger, wire(**CRITICAL))
    late = wire(status="resolved", **CRITICAL) | {"startsAt": "2026-11-22T13:30:00Z"}
    assert send(ledger, late)["outcome"] == "resolved"


def test_a_firing_after_its_resolve_counts_also_with_the_start_of_the_one_before() -> None:
    """So Alertmanager says it when Prometheus comes back to it (tests/peers). A late copy of the first firing looks the
    same; taken for one, an outage could stay unseen until the next repeat, hours later."""
    ledger = Ledger()
    send(ledger, wire(**CRITICAL))
    send(ledger, wire(status="resolved", **CRITICAL), status="resolved")
    again = send(ledger, wire(**CRITICAL))
    assert (again["outcome"], again["incident"]) == ("attached", "INC-1")
    assert "fires again" in again["reason"]
    assert ledger.incidents[1].alerts_firing == 1


def test_a_resolve_of_an_unknown_fingerprint_is_taken_and_opens_nothing() -> None:
    ledger = Ledger()
    assert send(ledger, wire(status="resolved", **CRITICAL))["outcome"] == "ignored"
    assert ledger.incidents == {}


def test_a_changed_group_key_moves_no_alert() -> None:
    ledger = Ledger()
    send(ledger, wire(severity="critical"), groupKey='{}:{alertname="A"}')
    again = send(ledger, wire(severity="critical"), groupKey='{}/{x="y"}:{cluster="c"}')
    assert (again["outcome"], again["incident"]) == ("unchanged", "INC-1")


def test_unknown_keys_are_taken_and_none_of_the_new_ones_is_needed() -> None:
    ledger = Ledger()
    new = {"notification_reason": "first notification", "routeLabels": {"a": "b"}, "from_the_future": [{}]}
    assert send(ledger, wire(**CRITICAL) | {"alsoNew": 7}, **new)["outcome"] == "opened"


@pytest.mark.parametrize("raw", [b'{"text": "an alert"}', b"[]", b'{"alerts": {}}', b'"x"', b"{"])
def test_a_replaced_payload_is_unusable_with_a_reason(raw: bytes) -> None:
    with pytest.raises(Unusable) as caught:
        SOURCES["alertmanager"].parse(raw, {})
    assert str(caught.value)


@pytest.mark.parametrize("ends", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00-12:00", "9999-12-31T23:59:59+14:00"])
def test_a_time_at_the_edge_of_the_calendar_breaks_nothing(ends: str) -> None:
    assert send(Ledger(), wire(**CRITICAL) | {"endsAt": ends})["outcome"] == "opened"


@pytest.mark.parametrize("digits", range(10))
def test_a_start_may_have_any_number_of_digits(digits: int) -> None:
    fraction = f".{'1' * digits}" if digits else ""
    (found,) = SOURCES["alertmanager"].parse(body(wire() | {"startsAt": f"2026-11-22T12:00:00{fraction}Z"}), {}).alerts
    assert found.starts_at is not None
    assert found.starts_at.microsecond == int(f"{'1' * digits:0<6}"[:6] or 0)


def test_label_names_may_be_any_utf8() -> None:
    ledger = Ledger()
    names = {"größe": "7", "日本": "x", "with space": "y", 'quote"d': "z"}
    send(ledger, wire(**CRITICAL, **names))
    assert names.items() <= ledger.incidents[1].labels.items()


@pytest.mark.parametrize("labels", [{"severity": "none"}, {"severity": "info"}, {"alertname": "Watchdog", **CRITICAL}])
def test_watchdog_and_severity_none_open_nothing(labels: dict[str, str]) -> None:
    ledger = Ledger()
    assert send(ledger, wire(**labels))["outcome"] == "ignored"
    assert ledger.incidents == {}


def test_the_same_alert_through_several_receivers_counts_once() -> None:
    ledger = Ledger()
    answers = [send(ledger, wire(**CRITICAL), receiver=name)["outcome"] for name in ("team", "tocsin", "audit")]
    assert answers == ["opened", "unchanged", "unchanged"]
    assert ledger.incidents[1].alerts_total == 1


def test_a_resolve_that_never_comes_leaves_when_it_was_last_seen() -> None:
    ledger = Ledger()
    send(ledger, wire(**CRITICAL))
    ledger.after(hours=2)
    send(ledger, wire(**CRITICAL))
    (known,) = ledger.loaded.episodes.values()
    assert known.is_open
    assert ledger.all[-1].seen == {known.id: ledger.now}


def test_every_decision_stands_on_the_timeline_with_its_reason() -> None:
    ledger = Ledger()
    send(ledger, wire("a" * 16, **CRITICAL))
    send(ledger, wire("b" * 16, **CRITICAL))
    send(ledger, wire("b" * 16, "resolved", **CRITICAL))
    log = [new.recorded for changes in ledger.all for new in changes.events]
    told = "\n".join(line.text for line in timeline(ledger.incidents[1], log, []))
    for reason in ('severity="critical" → SEV1', "joins INC-1: same group (service=checkout)", "resolved"):
        assert reason in told
