"""`tocsin explain`: the trace of an alert, from a file, held against what is on record if there is anything."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.cli import run
from bot.domain.alerts import Episode
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.inbound.alerts import SOURCES
from bot.ports.clock import utc_now
from bot.storage.database import open_database
from bot.usecases.committer import Committer
from bot.usecases.explaining import case_of
from tests.support.alerts import body, wire
from tests.support.pagerduty import event_body, incident, merged, reference

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def payload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    recorded = json.loads((FIXTURES / "alertmanager" / "single-firing.json").read_text())
    file = tmp_path / "payload.json"
    file.write_text(recorded["requests"][0]["body"])
    monkeypatch.chdir(tmp_path)
    return file


def test_it_says_route_severity_runbook_and_what_would_open(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(payload)]) == 0
    said = capsys.readouterr().out
    assert said.startswith('opened: severity="warning" → SEV3')
    assert "inc-1-kubepodcrashlooping" in said
    assert "fits the alert's name" in said


def test_json_is_for_machines_and_nothing_is_written(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(payload), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["opens"][0]["key"] == "INC-1"
    assert [file.name for file in payload.parent.iterdir()] == ["payload.json"]


def test_a_warning_is_no_part_of_what_a_machine_reads(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A runbook that cannot be read is said beside it."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    (payload.parent / "books").mkdir()
    (payload.parent / "books" / "bad.md").write_text("no front matter")
    (payload.parent / "tocsin.yaml").write_text("runbooks: {dir: books}")
    try:
        assert run(["explain", str(payload), "--json"]) == 0
    finally:
        structlog.reset_defaults()
        if before is not None:
            structlog.configure(**before)
    said = capsys.readouterr()
    assert json.loads(said.out)["opens"][0]["key"] == "INC-1"
    assert "bad.md" in said.err


def test_without_a_database_it_says_that_nothing_was_looked_at(
    payload: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(payload)]) == 0
    assert "Nothing on record was held against it: there is no database yet." in capsys.readouterr().out


def test_it_says_that_no_route_matched_or_which_one_did(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(payload)]) == 0
    assert "no route matched: default triage" in capsys.readouterr().out
    route = "{match: ['alertname=\"KubePodCrashLooping\"'], severity: sev2}"
    (payload.parent / "tocsin.yaml").write_text(f"routes: [{{match: ['team=\"x\"']}}, {route}]")
    assert run(["explain", str(payload)]) == 0
    said = capsys.readouterr().out
    assert 'route 2 (alertname="KubePodCrashLooping") → SEV2' in said
    assert "no route matched" not in said


def test_it_says_what_would_be_posted_in_words_and_where(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(payload), "--json"]) == 0
    posts = {one["what"]: one for one in json.loads(capsys.readouterr().out)["posts"]}
    assert {"card", "announcement", "alerts", "topic"} <= posts.keys()
    assert posts["announcement"]["where"] == "#incidents"
    assert "KubePodCrashLooping" in posts["announcement"]["text"]
    assert posts["card"]["where"].startswith("#inc-1-")
    assert "1 of 1 alert firing" in posts["alerts"]["text"]
    assert not [one for one in posts.values() if "<!date" in one["text"] or "&lt;" in one["text"]]


# --- held against what is on record -----------------------------------------------------------------------------------


class Record:
    """A database beside the command, and a file for payloads."""

    def __init__(self, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.url = url
        self.file = folder / "payload.json"
        self._capsys = capsys

    def send(self, source: str, *bodies: bytes) -> None:
        """Let deliveries come in."""

        async def go() -> None:
            async with open_database(self.url) as database, Committer(database, utc_now) as committer:
                for raw in bodies:
                    batch = SOURCES[source].parse(raw, {})
                    await committer.submit(case_of(batch, Policy(), Shelf(), utc_now(), database.installation_id))

        asyncio.run(go())

    def kept(self) -> tuple[list[Incident], list[Episode]]:
        """Return what is on record."""

        async def look() -> tuple[list[Incident], list[Episode]]:
            async with open_database(self.url) as database:
                return await database.incidents(), await database.episodes(1)

        return asyncio.run(look())

    def explain(self, source: str, raw: bytes) -> dict[str, Any]:
        """Explain a delivery; it must change nothing."""
        before = self.kept()
        self.file.write_bytes(raw)
        assert run(["explain", str(self.file), "--source", source, "--json"]) == 0
        assert self.kept() == before
        found: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        assert found["record"] == ""
        return found


@pytest.fixture
def record(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Record:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", database_url)
    return Record(database_url, tmp_path, capsys)


def test_it_says_what_the_alert_would_join_of_what_is_on_record(record: Record) -> None:
    fires = wire("a" * 16, service="checkout", severity="critical")
    record.send("alertmanager", body(fires))
    again = record.explain("alertmanager", body(fires))
    assert (again["outcome"], again["incident"], again["reason"]) == ("unchanged", "INC-1", "still firing")
    joins = record.explain("alertmanager", body(wire("b" * 16, service="checkout", severity="critical")))
    assert (joins["outcome"], joins["incident"], joins["opens"]) == ("attached", "INC-1", [])
    opens = record.explain("alertmanager", body(wire("c" * 16, service="mail", severity="critical")))
    assert [one["key"] for one in opens["opens"]] == ["INC-2"]
    over = record.explain("alertmanager", body(wire("a" * 16, "resolved", service="checkout")))
    assert over["outcome"] == "resolved"
    assert "All alerts of INC-1 have resolved" in "".join(one["text"] for one in over["posts"])


def test_news_of_pagerduty_is_explained_as_the_door_would_hear_it(record: Record) -> None:
    record.send("pagerduty", event_body("E1", "triggered", incident(), "2026-11-22T12:00:01Z"))
    acked = event_body("E2", "acknowledged", incident(status="acknowledged"), "2026-11-22T12:00:02Z")
    told = record.explain("pagerduty", acked)
    assert (told["outcome"], told["incident"]) == ("updated", "INC-1")
    assert [one["reason"] for one in told["heard"]] == ["acknowledged: Dana Whitfield (PagerDuty) acknowledged"]
    note = record.explain(
        "pagerduty", event_body("E3", "annotated", reference(content="on it"), "2026-11-22T12:00:03Z")
    )
    assert [one["reason"] for one in note["heard"]] == ["heard: Dana Whitfield (PagerDuty) noted: on it"]
    assert "on it" in note["posts"][0]["text"]
    merge = record.explain("pagerduty", event_body("E4", "resolved", merged(1, 2), "2026-11-22T12:00:04Z"))
    assert merge["alerts"][0]["reason"].startswith("merged at the sender")


def test_our_own_page_that_comes_back_is_explained_as_news_and_no_alert(record: Record) -> None:
    record.send("pagerduty", event_body("E1", "triggered", incident(), "2026-11-22T12:00:01Z"))

    async def name() -> str:
        async with open_database(record.url) as database:
            return database.installation_id

    page = incident(5, incident_key=f"tocsin/{asyncio.run(name())}/INC-1/default")
    told = record.explain("pagerduty", event_body("E2", "triggered", page, "2026-11-22T12:00:02Z"))
    assert (told["alerts"], told["opens"], told["incident"]) == ([], [], "INC-1")
    assert told["heard"][0]["reason"].endswith("opened its incident for our page")


def test_an_old_schema_is_named_and_the_rest_is_explained(
    empty_database_url: str, payload: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", empty_database_url)
    assert run(["explain", str(payload)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("opened:")
    assert "Nothing on record was held against it: " in said


def test_a_database_that_is_away_is_named_and_the_rest_is_explained(
    payload: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert run(["explain", str(payload)]) == 0
    assert "the database cannot be reached (tocsin doctor)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.json"], "cannot be read"),
        (["payload.json", "--source", "nagios"], "use one of"),
        (["x.json"], "x.json"),
    ],
)
def test_a_wrong_file_or_source_is_one_clear_line(
    payload: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["explain", *arguments]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
