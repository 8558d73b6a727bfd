"""`tocsin explain`: the trace of an alert, from a file, without a database."""

import json
from pathlib import Path

import pytest

from bot.cli import run

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
