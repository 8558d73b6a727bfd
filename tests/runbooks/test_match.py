"""Which runbook fits an alert, and why."""

import json
from pathlib import Path

import pytest

from bot.domain.runbook_match import Shelf
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity
from bot.usecases.library import RunbookLibrary

ROOT = Path(__file__).resolve().parents[2]


def shelf(own: dict[str, str] | None = None, **matches: str | list[str]) -> Shelf:
    books = {}
    for name, entries in matches.items():
        key = name.replace("_", "-")
        books[key] = Runbook(key, key, "d", matches=(entries,) if isinstance(entries, str) else tuple(entries))
    return Shelf(books, by_service=own or {})


def choose(books: Shelf, url: str = "", service: str | None = None, **labels: str) -> tuple[str | None, str]:
    annotations = {"runbook_url": url} if url else {}
    book, reason = books.match({"alertname": "HighLatency", **labels}, annotations, service, Severity.SEV1)
    return (book.name if book else None), reason


def test_the_order_is_url_then_name_then_pattern_then_service_then_default() -> None:
    books = shelf(
        by_url='runbook_url=~".*/latency"',
        by_name='alertname="HighLatency"',
        by_pattern='alertname=~"High.*", severity="critical"',
        by_service='service="checkout"',
        default=[],
    )
    seen = []
    runbooks = dict(books.runbooks)
    for _ in range(5):
        name, _reason = choose(Shelf(runbooks), "https://wiki.example/latency", "checkout", severity="critical")
        seen.append(name)
        runbooks.pop(name or "")
    assert seen == ["by-url", "by-name", "by-pattern", "by-service", "default"]


@pytest.mark.parametrize(
    "url",
    [
        "https://runbooks.example/runbooks/general/diskfull",
        "https://runbooks.example/DiskFull.md",
        "https://runbooks.example/disk_full.html#steps",
        "https://runbooks.example/disk-full/",
    ],
)
def test_a_runbook_url_names_a_runbook_by_its_last_part(url: str) -> None:
    assert choose(shelf(disk_full=[], default=[]), url) == ("disk-full", "the alert's runbook_url names it")


@pytest.mark.parametrize(
    "url", ["https://runbooks.example/unknown", "javascript:disk-full", "see the wiki", "https://[x"]
)
def test_a_url_that_names_no_runbook_is_passed_over(url: str) -> None:
    assert choose(shelf(disk_full=[], default=[]), url) == ("default", "no other runbook fits")


def test_an_alert_name_is_compared_without_case_and_an_expression_with_it() -> None:
    books = shelf(exact='alertname="highlatency"', pattern='alertname=~"highlat.*"')
    assert choose(books)[0] == "exact"


def test_more_conditions_fit_more_closely() -> None:
    books = shelf(a='alertname="HighLatency"', b='alertname="HighLatency", severity="critical"')
    assert choose(books, severity="critical")[0] == "b"
    assert choose(books, severity="warning")[0] == "a"


def test_a_runbook_named_like_the_alert_needs_no_matcher() -> None:
    name, reason = choose(shelf(high_latency=[], default=[]))
    assert (name, reason) == ("high-latency", "it is named like the alert HighLatency")


def test_a_service_can_name_its_runbook_in_the_settings() -> None:
    assert choose(shelf({"checkout": "mine"}, mine=[], default=[]), service="checkout")[0] == "mine"


def test_an_unreadable_entry_leaves_the_others_of_its_file_in_force() -> None:
    assert choose(shelf(a=["severity", 'alertname="HighLatency"']))[0] == "a"


def test_a_tie_is_decided_by_name_and_said_aloud() -> None:
    name, reason = choose(shelf(b='alertname="HighLatency"', a='alertname="HighLatency"'))
    assert name == "a"
    assert "so does b" in reason


def test_with_nothing_that_fits_and_no_default_there_is_none() -> None:
    assert choose(Shelf({}, default=None)) == (None, "no runbook fits")


@pytest.mark.parametrize(
    ("alert", "name"),
    [
        ("TargetDown", "service-api-down"),
        ("HighErrorRate", "service-api-down"),
        ("HighRequestLatency", "high-api-latency"),
        ("NodeFilesystemAlmostOutOfSpace", "disk-full"),
        ("PostgresqlTooManyConnections", "database-connection-pool-exhausted"),
        ("KubeDeploymentRolloutStuck", "deployment-rollback"),
        ("SomethingNobodyWroteDown", "default"),
    ],
)
def test_the_shipped_runbooks_find_their_alerts(alert: str, name: str) -> None:
    book, reason = RunbookLibrary(ROOT / "runbooks").match({"alertname": alert}, {}, None, Severity.SEV2)
    assert book is not None
    assert book.name == name
    assert reason


def test_every_known_alert_rule_gets_some_runbook(shared_fixtures: Path) -> None:
    path = shared_fixtures / "alert-rules.json"
    if not path.is_file():
        return
    books = RunbookLibrary(ROOT / "runbooks").shelf()
    rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
    for rule in rules:
        name = rule.get("alert") or rule.get("name")
        annotations = {"runbook_url": rule["runbook_url"]} if rule.get("runbook_url") else {}
        assert books.match({"alertname": name}, annotations, None, Severity.SEV3)[0] is not None
