"""`tocsin config check` on how long things are kept: a sender's late repeat must still be known for one."""

from pathlib import Path

import pytest

from bot.cli import run


@pytest.mark.parametrize("kept", ["1h", "47h", "0s"])
def test_answers_that_are_kept_for_less_than_pagerduty_repeats_are_refused_by_file_line_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tocsin.yaml").write_text(f"organization: {{name: Example}}\nretention:\n  inbox: {kept}\n")
    assert run(["config", "check"]) == 1
    said = capsys.readouterr().err
    assert "tocsin.yaml:3: retention.inbox: must be 48h or more" in said


@pytest.mark.parametrize("kept", ["48h", "2d", "72h", "1w"])
def test_as_long_as_pagerduty_repeats_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tocsin.yaml").write_text(f"retention: {{inbox: {kept}}}\n")
    assert run(["config", "check"]) == 0
