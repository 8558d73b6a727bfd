"""Alerts with very many labels, and with labels that do not come in as they were sent: judged by all that they say."""

from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.alert_labels import KEPT_MAX
from bot.domain.policy import Policy
from bot.domain.routes import Route, SeverityByLabel, Watchdog
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Severity
from bot.domain.silences import choose, inexact
from bot.inbound.alerts import SOURCES
from bot.inbound.alerts.reading import PAIRS_MAX
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from tests.support.alert_door import door_house
from tests.support.alerts import body, wire
from tests.support.ledger import Ledger

MANY = {f"a{n:04}": "x" for n in range(100)}
"""Go sends labels sorted by name: these stand before every one that matters."""


def report(policy: Policy, *alerts: dict[str, Any]) -> Ledger:
    ledger = Ledger()
    batch = SOURCES["alertmanager"].parse(body(*alerts), {})
    ledger.run(ReportBatch(Request("alert:alertmanager"), batch, policy, Shelf()))
    return ledger


def test_an_alert_with_a_hundred_labels_keeps_its_name_severity_and_service() -> None:
    ledger = report(Policy(), wire(**MANY, severity="critical", service="checkout"))
    state = ledger.incidents[1]
    assert (state.title, state.severity, state.service) == (
        "HighLatency: p99 over 2 s (checkout)",
        Severity.SEV1,
        "checkout",
    )
    (episode,) = ledger.loaded.episodes.values()
    assert len(episode.labels) == KEPT_MAX
    assert {"alertname", "severity", "service"} <= episode.labels.keys()


@pytest.mark.parametrize(
    "route",
    [
        Route(match=('zone="z9"',), severity=Severity.SEV2),
        Route(severity=SeverityByLabel(label="zone", map={"z9": Severity.SEV2})),
        Route(group_by=("zone",), severity=Severity.SEV2),
        Route(title="{{ labels.zone }} is down", severity=Severity.SEV2),
        Route(title="{{ labels['zone'] }} is down", severity=Severity.SEV2),
    ],
)
def test_the_labels_that_a_route_goes_by_are_kept(route: Route) -> None:
    ledger = report(Policy(routes=(route,)), wire(**MANY, zone="z9"))
    assert ledger.incidents[1].severity is Severity.SEV2
    (episode,) = ledger.loaded.episodes.values()
    assert episode.labels["zone"] == "z9"


def test_a_watchdog_is_known_by_whichever_label_it_has() -> None:
    dog = Watchdog(match=('zone="z9"',), name="w")
    ledger = report(Policy.model_validate({"triage": {"watchdogs": [dog.model_dump()]}}), wire(**MANY, zone="z9"))
    assert ledger.incidents == {}


def test_a_summary_after_very_many_annotations_is_read() -> None:
    item = wire(severity="critical") | {
        "annotations": {**MANY, "summary": "97 % of /var", "runbook_url": "https://x.example/r"}
    }
    ledger = report(Policy(), item)
    assert "97 % of /var" in ledger.incidents[1].title
    assert ledger.incidents[1].newest_alerts[0].runbook_url == "https://x.example/r"


def test_more_labels_than_anybody_has_are_not_even_read() -> None:
    labels = {f"a{n:06}": "x" for n in range(PAIRS_MAX + 500)}
    (alert,) = SOURCES["alertmanager"].parse(body(wire() | {"labels": labels}), {}).alerts
    assert len(alert.labels) == PAIRS_MAX
    assert len(alert.inexact) == 500


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "a  b"),
        ("path", "a\tb"),
        ("path", "a\nb"),
        ("path", " a"),
        ("path", "a "),
        ("path", "e\u0301"),
        ("path", "a\u200bb"),
        ("path", "x" * 501),
        ("pa\u200bth", "x"),
        ("x" * 121, "x"),
        ("path", ["a"]),
        ("path", None),
    ],
)
def test_what_is_not_here_as_alertmanager_has_it_is_never_matched(name: str, value: Any) -> None:
    """The silence would fit nothing; without that label it would fit more than was meant."""
    item = wire(severity="critical") | {"labels": {"alertname": "A", "severity": "critical", name: value}}
    ledger = report(Policy(), item)
    (episode,) = ledger.loaded.episodes.values()
    assert choose([episode], "all") == ()
    assert len(inexact([episode], "a")) == 1
    assert ledger.incidents[1].newest_alerts[0].inexact
    with pytest.raises(r.NotAsSent, match="is not known here as Alertmanager has it"):
        ledger.act(1, c.SilenceAlerts((), c.timedelta(hours=1), "all", inexact([episode], "all")))


@pytest.mark.parametrize(
    "value", ["a b", "ü", "javascript:alert(1)", "x" * 500, "👨\u200d👩", "{{ x }}", "<!channel>", "ftp://x"]
)
@pytest.mark.parametrize("name", ["path", "target_url", "größe"])
def test_what_is_here_as_it_was_sent_is_matched_exactly(name: str, value: str) -> None:
    ledger = report(Policy(), wire(severity="critical", **{name: value}))
    (episode,) = ledger.loaded.episodes.values()
    (found,) = choose([episode], "all")
    assert found.matchers == {"alertname": "HighLatency", "severity": "critical", name: value}


def test_a_label_that_looks_like_a_link_is_matched_by_routes_and_never_a_link() -> None:
    policy = Policy(routes=(Route(match=('target_url="ftp://db.example/x"',), severity=Severity.SEV1),))
    ledger = report(policy, wire(target_url="ftp://db.example/x"))
    assert ledger.incidents[1].severity is Severity.SEV1


def test_a_name_that_only_looks_like_another_does_not_take_its_place() -> None:
    for labels in (
        {"severity": "critical", "severity\u200b": "info"},
        {"severity\u200b": "info", "severity": "critical"},
    ):
        ledger = report(Policy(), wire() | {"labels": {"alertname": "A", **labels}})
        assert ledger.incidents[1].severity is Severity.SEV1


def test_of_several_alerts_those_that_are_known_exactly_are_silenced() -> None:
    odd = wire("b" * 16, severity="critical", path="a  b")
    ledger = report(Policy(), wire("a" * 16, severity="critical", path="a"), odd)
    (found,) = choose(ledger.loaded.episodes.values(), "all")
    assert found.matchers["path"] == "a"


async def test_an_alert_with_odd_labels_is_stored_with_what_is_odd(database_url: str) -> None:
    async with door_house(database_url) as house:
        await house.alertmanager(wire(severity="critical", path="a  b", **MANY))
        (episode,) = await house.database.episodes(1)
        assert episode.labels["severity"] == "critical"
        assert choose([episode], "all") == ()
        assert (await house.state(1)).newest_alerts[0].inexact[0] == "path"
