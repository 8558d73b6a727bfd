"""The command line reads and writes as a terminal does: tags in a title, options as verbs, people as words."""

from pathlib import Path

import pytest

from bot.cli import run


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and a fresh database."""
    (tmp_path / "tocsin.yaml").write_text(
        "services: {checkout: {}}\noncall: {primary: {people: [U0002, U0003]}}\nroles: {medic: {title: Medic}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{tmp_path / 'tocsin.db'}")
    assert run(["migrate"]) == 0
    return tmp_path


def test_a_tag_in_the_title_names_the_service(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "declare", "sev1", "Checkout is down", "#checkout"]) == 0
    assert run(["incident", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "services:         checkout" in shown
    assert "#checkout" not in shown


def test_roles_of_the_file_stand_beside_those_that_are_there_anyway(
    shell: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "check"]) == 0
    assert run(["incident", "declare", "sev1", "Checkout is down"]) == 0
    assert run(["incident", "role", "1", "medic", "U0002"]) == 0
    assert run(["incident", "lead", "1", "U0003"]) == 0
    assert run(["incident", "timeline", "1"]) == 0
    told = capsys.readouterr()
    assert "<@" not in told.out + told.err


def test_a_required_role_that_nobody_defined_is_a_mistake_of_the_configuration(
    shell: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shell / "tocsin.yaml").write_text("severities: {sev1: {roles: [pilot]}}\n")
    assert run(["config", "check"]) == 1
    assert "severities.sev1.roles: there is no role 'pilot'" in capsys.readouterr().err


def test_an_override_takes_a_bare_id(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "override", "primary", "U0003", "for", "4h"]) == 0


def test_a_refusal_names_people_in_words(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "declare", "sev1", "Checkout is down"]) == 0
    assert run(["incident", "ack", "1", "--as", "U0002"]) == 0
    assert run(["incident", "ack", "1"]) == 1
    refused = capsys.readouterr().err
    assert "already acknowledged by @U0002" in refused


@pytest.mark.parametrize("words", [["pagetest", "U0002"], ["page", "--test", "U0002"], ["page-test", "U0002"]])
def test_a_test_page_is_asked_for_in_any_of_its_spellings(
    shell: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["incident", *words]) == 0


@pytest.mark.parametrize(
    "words",
    [["Foo", "--service", "chekcout"], ["Foo #chekcout"], ["--service", "billing", "Foo"]],
)
def test_a_service_that_is_not_configured_is_refused_as_in_slack(
    shell: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["incident", "declare", "sev1", *words]) == 1
    refused = capsys.readouterr().err
    assert "is not a service in the configuration" in refused
    assert ("Did you mean `checkout`?" in refused) is ("billing" not in refused)
    assert run(["incident", "show", "1"]) == 1


def test_a_channel_in_the_title_stays_there(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "declare", "sev1", "down", "see", "#ops-room"]) == 0
    assert "down see #ops-room" in capsys.readouterr().out


@pytest.mark.parametrize("severity", ["sev1", "SEV-1", "1", "p0", "critical", "sev 1"])
def test_the_first_word_is_the_severity_and_the_rest_is_read_as_in_slack(
    shell: Path, severity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["incident", "declare", severity, "“p2 of the list is down”", "--private", "--drill"]) == 0
    told = capsys.readouterr().out
    assert "INC-1 declared as SEV1 · private · drill: p2 of the list is down" in told


def test_what_is_no_severity_is_refused(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "declare", "purple", "Checkout is down"]) == 1
    assert "`purple` is not a severity" in capsys.readouterr().err


def test_a_merge_names_what_is_missing_and_takes_its_reason(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for title in ("Checkout is down", "Payments are slow"):
        assert run(["incident", "declare", "sev1", title]) == 0
    assert run(["incident", "merge", "1"]) == 1
    refused = capsys.readouterr().err
    assert "The incident to merge into is missing" in refused
    assert "`tocsin incident merge 7 INC-3" in refused
    assert run(["incident", "merge", "2", "INC-1", "because", "the", "same", "pool"]) == 0
    assert run(["incident", "timeline", "2"]) == 0
    assert "merged into INC-1: the same pool" in capsys.readouterr().out


def test_a_mistake_is_taken_back_by_whoever_made_it(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "declare", "sev4", "Oops"]) == 0
    assert run(["incident", "undo", "1", "--as", "U0002"]) == 1
    assert run(["incident", "undo", "1"]) == 0
    assert "INC-1 is taken back" in capsys.readouterr().out


def test_help_of_what_is_no_verb_names_the_closest(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "help", "akc"]) == 1
    assert "Did you mean `ack`?" in capsys.readouterr().err


def test_an_assumed_severity_is_confirmed_and_words_beside_a_status_are_kept(
    shell: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["incident", "declare", "sev3", "Checkout is slow"]) == 0
    assert run(["incident", "mitigate", "1", "rolled", "back"]) == 0
    assert run(["incident", "mitigate", "1", "“and the queue is empty”"]) == 0
    assert "Your update to INC-1 is posted" in capsys.readouterr().out
    assert run(["incident", "show", "1"]) == 0
    assert "and the queue is empty" in capsys.readouterr().out


def test_an_action_item_keeps_its_words_and_its_day(shell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "declare", "sev3", "Checkout is slow"]) == 0
    assert run(["incident", "task", "1", "W3C", "validation", "@U0002", "due", "2126-12-01"]) == 0
    assert "is noted for @U0002, due 2126-12-01 17:00:00 UTC" in capsys.readouterr().out
    assert run(["incident", "show", "1"]) == 0
    assert "W3C validation" in capsys.readouterr().out
