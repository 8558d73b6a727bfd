"""Every recorded webhook, replayed in order: what we answer to each request, and how many incidents there are.

Alertmanager's are real (0.25, 0.28, 0.33); PagerDuty's have the documented shape. A new recording without a line in
these tables fails a test.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Severity, Status
from bot.inbound.alerts import SOURCES
from bot.inbound.alerts.reading import Unusable
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.library import RunbookLibrary
from bot.usecases.sender_news import HearBatch
from tests.support.alerts import scenario, scenarios
from tests.support.ledger import Ledger

OPENED, ATTACHED, UPDATED = "opened", "attached", "updated"
RESOLVED, UNCHANGED, IGNORED, UNUSABLE = "resolved", "unchanged", "ignored", "unusable"

ALERTMANAGER: Mapping[str, tuple[int, list[str]]] = {
    "auth-basic": (1, [OPENED]),
    "auth-bearer": (1, [OPENED]),
    "auth-custom-scheme": (1, [OPENED]),
    "auth-http-headers": (1, [OPENED]),
    "big-group": (1, [OPENED]),
    "continue-route-fan-out": (1, [OPENED, UNCHANGED]),
    "custom-payload-0.32": (0, [UNUSABLE]),
    "flap-between-flushes": (1, [OPENED]),
    "group-by-all": (3, [OPENED, OPENED, OPENED]),
    "grouped-firing-5-alerts-3-groups": (3, [OPENED, OPENED, OPENED]),
    "hostile-text": (8, [OPENED] * 8),
    "lifecycle": (1, [OPENED, ATTACHED, RESOLVED, RESOLVED, ATTACHED, RESOLVED]),
    "minimal-labels": (1, [OPENED, RESOLVED]),
    "notification-reason-0.33": (1, [OPENED, ATTACHED, UNCHANGED, RESOLVED, RESOLVED]),
    "one-receiver-two-webhooks": (1, [OPENED, UNCHANGED]),
    "prometheus-rules": (1, [OPENED, ATTACHED, ATTACHED, RESOLVED, ATTACHED, RESOLVED, RESOLVED, IGNORED]),
    "receiver-name-and-query-string": (1, [OPENED]),
    "repeat-interval-resend": (1, [OPENED, UNCHANGED, UNCHANGED]),
    "resolve-by-endsat-timeout": (1, [OPENED, RESOLVED]),
    # A killed Alertmanager repeats B; a reload with another group_by, and a renamed receiver, repeat E.
    "restarts-and-reloads": (
        5,
        [OPENED, OPENED, UNCHANGED, OPENED, RESOLVED, OPENED, OPENED, UNCHANGED, UNCHANGED],
    ),
    "retry-429": (2, [OPENED, UNCHANGED, UNCHANGED, OPENED, UNCHANGED]),
    "retry-500-then-200": (1, [OPENED, UNCHANGED, UNCHANGED, UNCHANGED]),
    "retry-changed-content": (1, [OPENED, *[UNCHANGED] * 6, ATTACHED, *[UNCHANGED] * 9]),
    "send-resolved-false": (0, [IGNORED, IGNORED]),
    "silenced-after-firing-then-resolved": (1, [OPENED]),
    "single-firing": (1, [OPENED]),
    "truncated-max-alerts": (1, [OPENED, RESOLVED]),
    "undelivered-then-resolved": (1, [OPENED, *[UNCHANGED] * 5]),
    "utf8-label-names": (1, [OPENED]),
}

PAGERDUTY: Mapping[str, tuple[int, list[str], list[str]]] = {
    # incidents, the outcome of each request, and what the timeline says of it besides the incident's own beginnings.
    # A repeated event gets its first answer again, also after a later event.
    "duplicates": (1, [OPENED, OPENED, OPENED, UPDATED, UPDATED, OPENED], ["acknowledged"]),
    # P1 raises the severity; P2 afterwards does not lower it, and is only noted.
    "lifecycle": (
        1,
        [OPENED, *[UPDATED] * 11, RESOLVED, ATTACHED, RESOLVED],
        [
            "acknowledged",
            "unacknowledged",
            "escalated",
            "reassigned",
            "delegated",
            "severity_changed",
            "priority",
            "responder",
            "responder",
            "note",
            "status_update",
            "priority",
        ],
    ),
    "malformed-but-signed": (0, [*[UNUSABLE] * 5, IGNORED], []),
    "official-signature-vector": (1, [OPENED, OPENED], ["priority"]),
    # Starts in the middle, too: an incident that PagerDuty has acknowledged is acknowledged here from the start.
    # Services, the ping and an event of a kind nobody knows are ignored; the merge is no fix: it is told, nothing ends.
    "other-event-types": (
        1,
        [OPENED, *[UPDATED] * 9, *[IGNORED] * 4, UPDATED, IGNORED],
        [
            "service",
            "acknowledged",
            "incident_type",
            "note",
            "call_changed",
            "fields",
            "role",
            "task",
            "workflow",
            "workflow",
            "action",
            "merged",
        ],
    ),
    # The resolve came first: neither the acknowledgement nor the trigger, both older, opens anything any more.
    "out-of-order": (0, [IGNORED, IGNORED, IGNORED], []),
    "over-55kb": (0, [IGNORED], []),
    "signatures": (1, [OPENED] * 17, ["priority", "acknowledged"]),
    "sparse-and-odd": (1, [OPENED, OPENED, UPDATED], ["note"]),
    "starts-in-the-middle": (1, [OPENED, UPDATED, RESOLVED], ["priority", "acknowledged", "note"]),
    "v2-legacy": (0, [IGNORED, IGNORED], []),
}
_BEGINNINGS = ("declared", "alerts_reported", "runbook_attached", "public_drafted")


@cache
def shipped() -> Shelf:
    """The shipped runbooks."""
    return RunbookLibrary(Path(__file__).resolve().parents[2] / "runbooks").shelf()


def replay(source: str, name: str, ledger: Ledger, policy: Policy | None = None) -> list[str]:
    """Send every request of a scenario, at its recorded time; return the outcomes."""
    sender, start = SOURCES[source], ledger.now
    outcomes = []
    for sent in scenario(source, name):
        ledger.now = max(ledger.now, start + timedelta(seconds=sent.at))
        try:
            batch = sender.parse(sent.raw, sent.headers)
        except Unusable:
            outcomes.append(UNUSABLE)
            continue
        if not batch.alerts and not batch.news:
            outcomes.append(IGNORED)
            continue
        asked = Request(f"alert:{source}", sender.delivery_id(sent.raw, sent.headers))
        report = ReportBatch(asked, batch, policy or Policy(), shipped())
        answer = ledger.run(HearBatch.of(report, "acme") if batch.news else report)
        outcomes.append(answer.fields["outcome"])
    return outcomes


@pytest.mark.parametrize("name", scenarios("alertmanager"))
def test_a_recorded_alertmanager_scenario_has_the_outcomes_written_down(name: str) -> None:
    ledger = Ledger()
    incidents, outcomes = ALERTMANAGER[name]
    assert replay("alertmanager", name, ledger) == outcomes
    assert len(ledger.incidents) == incidents


@pytest.mark.parametrize("name", [name for name in scenarios("pagerduty") if name != "outgoing-calls"])
def test_a_pagerduty_scenario_has_the_outcomes_written_down(name: str) -> None:
    ledger = Ledger()
    incidents, outcomes, timeline = PAGERDUTY[name]
    assert replay("pagerduty", name, ledger) == outcomes
    assert len(ledger.incidents) == incidents
    events = [new.recorded.event for changes in ledger.all for new in changes.events]
    told = [event.what if event.type == "sender_reported" else event.type for event in events]
    assert [what for what in told if what not in _BEGINNINGS] == timeline


@pytest.mark.parametrize("name", [name for name, (count, _) in ALERTMANAGER.items() if count])
def test_replaying_a_scenario_whose_alerts_still_fire_declares_nothing_new(name: str) -> None:
    ledger = Ledger()
    replay("alertmanager", name, ledger)
    count = len(ledger.incidents)
    replay("alertmanager", name, ledger)
    assert len(ledger.incidents) == count


def test_one_delivery_is_one_event_on_the_timeline_however_many_alerts_it_has() -> None:
    ledger = Ledger()
    replay("alertmanager", "big-group", ledger)
    assert ledger.events.count("declared") == ledger.events.count("alerts_reported") == 1
    assert ledger.incidents[1].alerts_firing == 40, "20 of the 60 are info: they ask for nobody"
    assert ledger.incidents[1].severity is Severity.SEV1


def test_a_truncated_resolve_does_not_say_that_all_is_well() -> None:
    ledger = Ledger()
    replay("alertmanager", "truncated-max-alerts", ledger)
    last = ledger.all[-1].events[-1].recorded.event
    assert last.type == "alerts_reported"
    assert (last.closed, last.truncated) == (3, 5)
    assert ledger.incidents[1].status is Status.INVESTIGATING


def test_the_resolve_of_everything_leaves_the_status_to_people() -> None:
    ledger = Ledger()
    replay("alertmanager", "resolve-by-endsat-timeout", ledger)
    state = ledger.incidents[1]
    assert (state.alerts_firing, state.status) == (0, Status.INVESTIGATING)
    assert [new.effect.kind for new in ledger.all[-1].effects] == ["tell"]


def test_pagerduty_severity_rises_with_the_priority_and_never_falls() -> None:
    ledger = Ledger()
    replay("pagerduty", "lifecycle", ledger)
    state = ledger.incidents[1]
    assert state.severity is Severity.SEV1
    assert state.severity_reason == '[FIRING:1] HighErrorRate eu-1 (api critical): priority "P1" → SEV1'


def test_a_merge_at_pagerduty_is_not_a_fix() -> None:
    ledger = Ledger()
    replay("pagerduty", "other-event-types", ledger)
    assert ledger.incidents[1].alerts_firing == 1


def test_pagerduty_alerts_that_alertmanager_sent_find_their_runbook() -> None:
    ledger = Ledger()
    replay("pagerduty", "duplicates", ledger)
    attached = ledger.incidents[1].runbook
    assert attached is not None
    assert attached.name == "service-api-down", "the incident key names HighErrorRate"
