"""Routes: when they count, how bad they say it is, what the incident is called and what ends it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.domain.alert_plan import Step
from bot.domain.alert_reports import declaration
from bot.domain.alerts import HOUSE_SOURCE, Alert, AlertBatch
from bot.domain.commands import Declare
from bot.domain.policy import Policy
from bot.domain.routes import Route, Window, unreachable
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Severity
from bot.domain.triage import triage
from bot.settings import BadSettings, read_config
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from tests.support.alerts import alert
from tests.support.ledger import Ledger

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def route(**fields: object) -> Route:
    return Route.model_validate(fields)


def window(**fields: object) -> Window:
    return Window.model_validate(fields)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("about", "moment", "inside"),
    [
        ({"days": ["mon-fri"], "hours": "09:00-17:00"}, "2026-11-23T09:00:00+01:00", True),
        ({"days": ["mon-fri"], "hours": "09:00-17:00"}, "2026-11-23T08:59:59+01:00", False),
        ({"days": ["mon-fri"], "hours": "09:00-17:00"}, "2026-11-23T17:00:00+01:00", False),
        ({"days": ["mon-fri"], "hours": "09:00-17:00"}, "2026-11-22T12:00:00+01:00", False),
        ({"days": "sat, sun"}, "2026-11-22T12:00:00+01:00", True),
        ({"days": ["fri-mon"]}, "2026-11-23T12:00:00+01:00", True),
        ({"days": ["fri-mon"]}, "2026-11-24T12:00:00+01:00", False),
        # a night belongs to the day on which it begins
        ({"days": ["fri"], "hours": "22:00-06:00"}, "2026-11-28T05:59:00+01:00", True),
        ({"days": ["fri"], "hours": "22:00-06:00"}, "2026-11-27T05:59:00+01:00", False),
        ({"days": ["fri"], "hours": "22:00-06:00"}, "2026-11-27T22:00:00+01:00", True),
        ({"hours": "18:00-24:00"}, "2026-11-27T23:59:59+01:00", True),
        ({"hours": "18:00-24:00"}, "2026-11-28T00:00:00+01:00", False),
        # the clock on the wall: 07:30 UTC is 09:30 in summer and 08:30 in winter
        ({"hours": "09:00-17:00"}, "2026-10-23T07:30:00+00:00", True),
        ({"hours": "09:00-17:00"}, "2026-10-26T07:30:00+00:00", False),
        # the hour that comes twice counts twice, the one that is skipped is not missed
        ({"hours": "02:00-03:00"}, "2026-10-25T00:30:00+00:00", True),
        ({"hours": "02:00-03:00"}, "2026-10-25T01:30:00+00:00", True),
        ({"hours": "02:00-03:00"}, "2026-03-29T01:30:00+00:00", False),
    ],
)
def test_a_window_is_told_by_the_clock_on_the_wall(about: dict[str, object], moment: str, inside: bool) -> None:
    assert window(**about, timezone="Europe/Berlin").holds(at(moment), Policy().organization.zone) is inside


def test_a_window_without_a_zone_is_the_organisations() -> None:
    policy = Policy.model_validate({"organization": {"timezone": "America/New_York"}})
    assert window(hours="09:00-10:00").holds(at("2026-11-23T14:30:00+00:00"), policy.organization.zone)


def test_outside_its_hours_a_route_does_not_match_and_the_reason_says_so() -> None:
    office = {"days": ["mon-fri"], "hours": "09:00-17:00", "timezone": "Europe/Berlin"}
    policy = Policy(
        routes=(route(match=['team="a"'], during=[office], severity="sev2"), route(match=['team="a"'], action="ignore"))
    )
    in_hours = triage(alert(team="a"), policy, MONDAY_NOON)
    at_night = triage(alert(team="a"), policy, MONDAY_NOON + timedelta(hours=9))
    assert (in_hours.action, in_hours.severity) == ("open", Severity.SEV2)
    assert at_night.action == "ignore"
    assert at_night.reason == (
        'not route 1, which counts mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin; route 2 (team="a") → ignored'
    )


PRIORITIES = {"label": "priority", "map": {"P1": "sev1", "P2": "sev2"}, "else": "sev3"}


@pytest.mark.parametrize(
    ("value", "severity", "why"),
    [
        ("P1", "sev1", 'route 1 (every alert): priority="P1" → SEV1'),
        (" p2 ", "sev2", 'route 1 (every alert): priority=" p2 " → SEV2'),
        ("Minor", "sev3", 'route 1 (every alert): priority="Minor" is not in its map → SEV3'),
        ("", "sev3", "route 1 (every alert): no priority is not in its map → SEV3"),
    ],
)
def test_a_route_maps_a_label_to_a_severity(value: str, severity: str, why: str) -> None:
    verdict = triage(alert(priority=value), Policy(routes=(route(severity=PRIORITIES),)))
    assert (verdict.severity, verdict.reason) == (Severity(severity), why)


def test_a_value_outside_the_map_without_an_else_is_left_to_the_alert() -> None:
    policy = Policy(routes=(route(severity={"label": "tier", "map": {"gold": "sev1"}}),))
    verdict = triage(alert(tier="silver", severity="high"), policy)
    assert verdict.severity is Severity.SEV2
    assert verdict.reason == 'route 1 (every alert): tier="silver" is not in its map; severity="high" → SEV2'


def test_pagerdutys_fields_can_be_matched_by_name() -> None:
    named = {
        "priority": "P2",
        "urgency": "high",
        "service": "Checkout",
        "team": "Payments",
        "escalation_policy": "Payments first line",
    }
    policy = Policy(routes=(route(match=[f'{name}="{value}"' for name, value in named.items()], severity="sev1"),))
    assert triage(alert(source="pagerduty", **named), policy).severity is Severity.SEV1
    assert triage(alert(source="pagerduty", **named | {"team": "Search"}), policy).severity is Severity.SEV2


def opened(one: Alert, policy: Policy) -> Declare:
    verdict = triage(one, policy)
    return declaration("alertmanager", [Step("open", one, verdict, verdict.reason)], None, Shelf())


def title_of(template: str, **labels: str) -> str:
    return opened(alert(**labels), Policy(routes=(route(title=template),))).title


def test_a_route_gives_the_incident_its_title() -> None:
    template = "{{ name }} in {{ labels.region | upper }}: {{ service }} ({{ severity }})"
    assert title_of(template, service="checkout", region="eu", severity="high") == "HighLatency in EU: checkout (SEV2)"


def test_what_an_alert_lacks_is_empty_in_its_title() -> None:
    assert title_of("{{ labels.a }}{{ labels.b.c }}down", b="") == "down"


@pytest.mark.parametrize("template", ["{{ labels.nothing }}", "{{ labels.n // 0 }}", "{{ labels.s + 1 }}"])
def test_a_title_that_comes_to_nothing_gives_way_to_the_alerts_own(template: str) -> None:
    assert title_of(template, n="1", s="x") == "HighLatency"


def test_a_hostile_label_is_never_a_template_and_never_too_long() -> None:
    title = title_of("Down: {{ labels.x }}", x="{{ 7 * 7 }}\u202e\x00 {% for i in range(9) %}" + "y" * 5000)
    assert title.startswith("Down: {{ 7 * 7 }} {% for i in range(9) %}")
    assert len(title) == 200


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{{ labels.", "title"),
        ("{% for i in labels %}x{% endfor %}", "statements"),
        ("{{ config.secret }}", "'config' is unknown"),
        ("   ", "empty"),
        ("x" * 3000, "at most"),
    ],
)
def test_a_title_that_cannot_be_used_is_refused_with_the_configuration(template: str, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        route(title=template)


@pytest.mark.parametrize("template", ["{{ 'x' * 10 ** 9 }}", "{{ labels.x.__class__ }}", "{{ labels.x.format(1) }}"])
def test_a_title_reaches_nothing_beyond_the_alert(template: str) -> None:
    assert title_of(template, x="y") == "HighLatency"


def test_a_route_says_what_follows_when_its_alerts_end() -> None:
    policy = Policy.model_validate(
        {"routes": [{"match": ['a="1"'], "when_alerts_end": "resolve", "quiet": "5m"}, {"when_alerts_end": "propose"}],
         "triage": {"when_alerts_end": "monitoring", "quiet": "20m"}}
    )  # fmt: skip
    first, second = opened(alert(a="1"), policy), opened(alert(a="2"), policy)
    assert (first.when_alerts_end, first.quiet) == ("resolve", timedelta(minutes=5))
    assert second.when_alerts_end == "propose"
    unrouted = triage(alert(), Policy(triage=policy.triage))
    assert (unrouted.when_alerts_end, unrouted.quiet) == ("monitoring", timedelta(minutes=20))


def test_what_the_house_reports_is_not_lost_in_a_route_that_drops_the_rest() -> None:
    mine = alert(source=HOUSE_SOURCE, severity="sev2")
    assert triage(mine, Policy(routes=(route(action="ignore"),))).action == "open"
    assert triage(mine, Policy(routes=(route(match=['source="tocsin"'], action="ignore"),))).action == "ignore"


def test_a_route_behind_one_that_takes_all_its_alerts_is_named() -> None:
    office = {"hours": "09:00-17:00"}
    routes = [
        route(match=['team="a"']),
        route(match=['team="a", severity="critical"']),
        route(match=['severity="critical"'], during=[office]),
        route(match=['severity="critical"']),
        route(match=['severity="critical"', 'x="y"'], during=[office]),
        route(),
        route(match=['team="b"']),
    ]
    assert unreachable(routes) == [(2, 1), (5, 3), (7, 6)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("routes:\n  - action: open\n    severity: sev9\n", ":3: routes.0.severity: "),
        ("routes:\n  - severity: {label: p, map: {P1: purple}}\n", ":2: routes.0.severity.map.P1: "),
        ("routes:\n  - match: ['a=\"1']\n", ":2: routes.0.match: the quote is not closed"),
        ("routes:\n  - match: ['a=\"1\"']\n    during: [{days: [noday]}]\n", ":3: routes.0.during.0.days.0: "),
        ("routes:\n  - match: ['a=\"1\"']\n    during: {hours: '9-17'}\n", ":3: routes.0.during.0.hours: "),
        ("routes:\n  - title: '{{ nonsense }}'\n", ":2: routes.0.title: 'nonsense' is unknown"),
        ("routes:\n  - when_alerts_end: celebrate\n", ":2: routes.0.when_alerts_end: "),
        ("routes:\n  - when_alert_ends: resolve\n", ":2: routes.0.when_alert_ends: there is no such key"),
    ],
)
def test_a_bad_route_is_named_by_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as caught:
        read_config(file)
    assert message in str(caught.value)


def test_pagerdutys_priority_lowered_there_lowers_nothing_here() -> None:
    ledger = Ledger()

    def updated(priority: str) -> None:
        one = alert("Q1", source="pagerduty", service="checkout", priority=priority)
        batch = AlertBatch(source="pagerduty", alerts=(one,))
        ledger.run(ReportBatch(Request("alert:pagerduty"), batch, Policy(), Shelf()))

    updated("P2")
    updated("P1")
    assert ledger.incidents[1].severity is Severity.SEV1
    updated("P4")
    assert ledger.incidents[1].severity is Severity.SEV1
    assert ledger.events.count("severity_changed") == 1
