"""`tocsin config check` on routes."""

from pathlib import Path

import pytest

from bot.cli import run
from tests.support.alerts import body, wire

TEXT = """\
routes:
  - match: ['team="a"']
    severity: sev2
  - action: ignore
  - match: ['team="b"']
    severity: sev1
"""


def test_a_route_that_is_never_reached_is_named_with_its_line_and_does_not_fail_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tocsin.yaml").write_text(TEXT, encoding="utf-8")
    assert run(["config", "check"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "WARN  tocsin.yaml:5: routes.2: never reached: route 2 (every alert) before it takes all its alerts",
        "tocsin.yaml: fine.",
    ]


def test_explain_says_who_is_asked_what_it_is_called_and_what_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tocsin.yaml").write_text(
        "routes:\n"
        "  - {match: ['severity=\"warning\"'], action: triage}\n"
        "  - {title: '{{ service }} is ill', when_alerts_end: resolve, quiet: 5m}\n"
        "triage: {channel: triage}\n",
        encoding="utf-8",
    )
    asked = wire(severity="warning", service="checkout")
    opened = wire("00000000000000f2", severity="critical", service="search")
    (tmp_path / "payload.json").write_bytes(body(asked, opened))
    assert run(["explain", "payload.json"]) == 0
    text = capsys.readouterr().out
    assert "Title: search is ill" in text
    assert "it resolves by itself 5m later, if nothing fires and nobody has joined" in text
    assert "asked: route 1" in text
    assert "people are asked in #triage · Declare or Dismiss, no incident until then" in text
