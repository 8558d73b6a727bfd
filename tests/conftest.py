"""What every test stands on: no network, no skips in CI, databases, programs, recorded payloads."""

import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.support import network, programs
from tests.support.databases import Databases
from tests.support.postgres import Cluster

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "fixtures"
ABSENT = "not beside this checkout"  # in the reason of a skip that only a fuller checkout avoids
SHARED_MISSING = f"Slack's own method and manifest data are {ABSENT}"
NO_SKIPS = os.environ.get("TOCSIN_NO_SKIPS") == "1"

settings.register_profile("dev", max_examples=200, deadline=None)
# The same examples each time: more of them would find out nothing more, only take longer.
settings.register_profile("ci", settings.get_profile("dev"), max_examples=100, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure() -> None:
    """Start from an environment of ours: no settings or tokens of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(("TOCSIN_", "SLACK_", "PAGERDUTY_", "STATUSPAGE_", "OTEL_")):
            if name not in ("TOCSIN_NO_SKIPS", "TOCSIN_CHROMIUM", "TOCSIN_STORM"):
                del os.environ[name]
        elif name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            del os.environ[name]
    # Odd on purpose: code that leans on the machine's own time zone shows.
    os.environ["TZ"] = "Pacific/Chatham"
    time.tzset()
    network.install()
    # rich's tracebacks take a third of the time of a test in which much goes wrong
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], console])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that reached for the network, even if the code swallowed the refusal."""
    network.attempts.clear()
    result = yield
    if network.attempts:
        pytest.fail(f"reached for the network: {', '.join(network.attempts)}", pytrace=False)
    return result


# --- skips: named and counted; in CI, an error -------------------------------------------------


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure, except where only the owners of the data could run it."""
    reason = _reason(report)
    if ABSENT in reason and not SHARED.exists():
        return
    report.outcome = "failed"
    report.longrepr = f"skipped where nothing may be skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Refuse a test's skip under TOCSIN_NO_SKIPS=1."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse a whole module's skip under TOCSIN_NO_SKIPS=1."""
    report = yield
    if NO_SKIPS and report.outcome == "skipped":
        _refuse(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped, and why, and count it; in CI, say how long each folder of tests took."""
    if os.environ.get("CI"):
        _write_times(terminalreporter)
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    by_reason: dict[str, list[str]] = defaultdict(list)
    for report in skipped:
        by_reason[_reason(report)].append(report.nodeid)
    terminalreporter.section(f"{len(skipped)} skipped")
    for reason, names in sorted(by_reason.items()):
        terminalreporter.line(f"{len(names)} because: {reason}")
        for name in sorted(names):
            terminalreporter.line(f"    {name}")


def _write_times(terminalreporter: pytest.TerminalReporter) -> None:
    spent: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                spent["/".join(report.nodeid.split("/")[:2])] += report.duration
    terminalreporter.section("time by folder, workers added up")
    for folder, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        terminalreporter.line(f"{seconds:7.1f} s  {folder}")


# --- programs ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Chromium's program, for Playwright's `executable_path`."""
    path = programs.chromium()
    if path is None:
        pytest.skip(programs.CHROMIUM_MISSING)
    return path


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    """Alertmanager's program."""
    path = programs.alertmanager()
    if path is None:
        pytest.skip(programs.ALERTMANAGER_MISSING)
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL cluster of this session (under xdist: of this worker)."""
    if programs.postgres_bin() is None:
        pytest.skip(programs.POSTGRES_MISSING)
    with Cluster() as cluster:
        yield cluster


# --- databases ---------------------------------------------------------------------------------


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Where fresh databases come from, for each kind that Tocsin supports."""
    folder = tmp_path_factory.mktemp("databases")
    if request.param == "sqlite":
        return Databases(folder)
    return Databases(folder, request.getfixturevalue("postgres"))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a fresh database with today's schema, on SQLite and on PostgreSQL."""
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """The address of a fresh database without a schema, on SQLite and on PostgreSQL."""
    url = databases.empty()
    yield url
    databases.drop(url)


# --- recorded payloads -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared_fixtures() -> Path:
    """The recorded payloads: alertmanager/ and pagerduty/ are always there."""
    return SHARED if SHARED.is_dir() else ROOT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def slack_fixtures() -> Path:
    """Slack's recorded payloads, method data and manifest schema; skips where they are absent."""
    path = SHARED / "slack"
    if not path.is_dir():
        pytest.skip(SHARED_MISSING)
    return path
