"""What lint finds in a runbook, and where."""

from datetime import date

import pytest

from bot.domain.regex_samples import samples
from bot.domain.runbook_file import read_page
from bot.domain.runbook_lint import Surroundings, lint
from tests.runbooks.pages import page

AROUND = Surroundings(
    today=date(2026, 11, 22),
    escalations=("checkout",),
    services=("checkout",),
    runbooks=("a", "b"),
    exists=lambda path: path == "other.md",
)


def complaints(*texts: str) -> list[str]:
    pages = [read_page(text, name) for name, text in zip("abcdef", texts, strict=False)]
    return [str(problem) for problem in lint(pages, AROUND)]


def test_a_good_runbook_has_no_problem() -> None:
    assert complaints(page(matches=['alertname="X", service="checkout"'], escalation="default", related=["b"])) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Impact": None}, "the section Impact is missing"),
        ({"Impact": ""}, "the section Impact is empty"),
        ({"Impact": "x\n\n## Symptoms\n\nagain\n"}, "the section Symptoms must come before Impact"),
        ({"Impact": "x\n\n## Impact\n\nagain\n"}, "the section Impact comes twice"),
        ({"Impact": "x\n\n## Notes\n\ny\n"}, "Notes is none of the eight sections"),
        ({"Resolution": "2. Think.\n"}, "Resolution has no step with a command"),
        ({"matches": ["severity"]}, "matches: expected one of"),
        ({"matches": ['service="mail"']}, "service 'mail' is not under `services`"),
        ({"escalation": "mail"}, "escalation 'mail' is not under `escalations`"),
        ({"related": ["zzz"]}, "there is no runbook 'zzz'"),
        ({"match": ["x"]}, "there is no key 'match'"),
        ({"Symptoms": "See [it](gone.md).\n"}, "the link 'gone.md' leads to no file"),
        ({"Symptoms": "See [it](ftp://x/y).\n"}, "neither http(s) nor a file"),
        ({"Symptoms": "{{ label.x }}\n"}, "{{ label }} is undefined"),
        ({"Symptoms": "{{ incident.lead }}\n"}, "{{ incident.lead }} is undefined"),
        ({"Symptoms": "{{ labels.x \n"}, "a placeholder cannot be read"),
        ({"Symptoms": "Use ${#name}.\n"}, "a placeholder cannot be read"),
        ({"Resolution": '2. X.\n\n   ```sh\n   ssh "{{ labels.x }}"\n   ```\n'}, "stands inside quotes"),
        ({"Resolution": "2. X.\n\n   ```sh\n   ssh 'a {{ labels.x }}'\n   ```\n"}, "stands inside quotes"),
        ({"Verification": "1. X.\n"}, "warning: this is step 3 but is numbered 1"),
        ({"last_reviewed": "2026-10-01"}, "warning: its review is overdue: the last one was 52 days ago"),
        ({"last_reviewed": None}, "warning: it was never reviewed"),
        ({"last_reviewed": "2027-10-01"}, "lies in the future"),
    ],
)
def test_a_mistake_is_named_with_its_line(changes: dict[str, object], complaint: str) -> None:
    found = complaints(page(**changes))
    assert len(found) == 1, found
    assert complaint in found[0]
    assert found[0].startswith("a.md:")


@pytest.mark.parametrize(
    "text",
    [
        "[x](https://a.example) [y](other.md) [z](other.md#part) [here](#there) [m](mailto:a@b.example)\n",
        "{{ labels.instance }} {{ labels['my label'] }} {{ annotations.x }} {{ incident.number }} {{ incident.key }}\n",
        "`curl -w '%{http_code}'`\n",
        "[dash]({{annotations.dashboard}})\n",
    ],
)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert complaints(page(Symptoms=text)) == []


def test_a_placeholder_after_closed_quotes_is_right() -> None:
    command = "2. X.\n\n   ```sh\n   echo 'a \"b' \"it's\" \\' {{ labels.x }}\n   ```\n"
    assert complaints(page(Resolution=command)) == []


def test_two_runbooks_that_fit_one_alert_equally_well_are_named() -> None:
    found = complaints(page(matches=['alertname=~"Disk(Full|Low)"']), page(matches=['alertname=~".*Full|Other"']))
    assert found == ['a.md:1: error: ties with b on the alert alertname="DiskFull": make one of them more exact']


def test_a_more_exact_entry_is_no_tie() -> None:
    a, b = page(matches=['alertname="X"']), page(matches=['alertname="X", severity="critical"'])
    assert complaints(a, b) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a|b", ["a", "b"]),
        ("x(a|b)?y", ["xy", "xay", "xby"]),
        ("[sS]et", ["set", "Set"]),
        ("a.*b", ["ab", "axb"]),
        ("(?:a|b)+", ["a", "b"]),
        ("a\\.b", ["a.b"]),
        ("a{2}", []),
        ("(?i)a", []),
        ("(a", []),
    ],
)
def test_examples_are_made_of_simple_expressions(pattern: str, expected: list[str]) -> None:
    assert samples(pattern) == expected
