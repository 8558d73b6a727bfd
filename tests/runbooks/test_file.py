"""A runbook's file, read into data."""

import hashlib
from datetime import date, timedelta
from textwrap import dedent

import pytest

from bot.domain.runbook_file import SECTIONS, read_page
from bot.domain.runbooks import Runbook, fill_steps
from bot.domain.severity import Severity
from tests.runbooks.pages import page


def read(text: str, name: str) -> Runbook:
    return read_page(text, name).runbook


def test_the_front_matter_is_read_with_its_defaults() -> None:
    book = read("---\ntitle: Disk full\n---\n", "disk-full")
    assert (book.name, book.title, book.owner, book.severity) == ("disk-full", "Disk full", "", None)
    assert (book.review_every, book.last_reviewed, book.matches) == (timedelta(days=30), None, ())
    full = read(
        page(severity="P1", matches=['a="b"'], review_every="2w", last_reviewed="2026-11-01", related=["x"]), "n"
    )
    assert full.severity is Severity.SEV2
    assert (full.matches, full.review_every, full.last_reviewed) == (('a="b"',), timedelta(weeks=2), date(2026, 11, 1))


def test_the_steps_are_counted_through_the_sections_that_hold_them() -> None:
    book = read(page(), "n")
    assert [(s.number, s.section) for s in book.steps] == [(1, "Diagnosis"), (2, "Resolution"), (3, "Verification")]


def test_a_step_has_its_text_command_expectation_and_way_out() -> None:
    item = dedent(
        """\
        1. Look at **the pods**,
           all of them.

           - a list
             inside

           ```sh title=x
           kubectl get pods \\
             --output wide
           ```

           Expect: all `Running`,
           none restarted.
           If not: step 3.
        """
    )
    (step, *_) = read(page(Diagnosis=item), "n").steps
    assert step.text == "Look at **the pods**,\nall of them.\n- a list\n  inside"
    assert (step.command, step.language) == ("kubectl get pods \\\n  --output wide", "sh")
    assert (step.expect, step.if_not) == ("all `Running`,\nnone restarted.", "step 3.")


@pytest.mark.parametrize("mark", ["Expect:", "expect:", "**Expect:**", "*Expect*:"])
def test_expectations_are_found_however_they_are_set(mark: str) -> None:
    (step, *_) = read(page(Diagnosis=f"1. Look.\n\n   {mark} nothing.\n"), "n").steps
    assert (step.text, step.expect) == ("Look.", "nothing.")


def test_a_list_elsewhere_is_no_step() -> None:
    book = read(page(Symptoms="1. It is slow.\n2. It is red.\n"), "n")
    assert len(book.steps) == 3


def test_the_digest_changes_with_every_byte_and_the_sections_are_kept() -> None:
    text = page()
    assert read(text, "n").digest == hashlib.sha256(text.encode()).hexdigest() != read(text + " ", "n").digest
    sections = read(text, "n").sections
    assert sections is not None
    assert tuple(sections) == SECTIONS


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    book = read("\ufeff" + page().replace("\n", "\r\n"), "n")
    assert len(book.steps) == 3
    assert "\r" not in book.steps[1].command


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no front matter"),
        ("# Only Markdown", "no front matter"),
        ("---\nowner: x\n---\n", "title: Field required"),
        ("---\ntitle: [\n---\n", "not YAML"),
        ("---\ntitle: x\nseverity: purple\n---\n", "none of sev1"),
        ("---\ntitle: x\nreview_every: often\n---\n", "is not a duration"),
        ("---\ntitle: x\nlast_reviewed: soon\n---\n", "last_reviewed"),
        ("---\n- a\n- b\n---\n", "no front matter"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(text, "n")
    assert complaint in str(caught.value)


def test_lines_are_those_of_the_file() -> None:
    text = page()
    headings = read_page(text, "n").headings
    lines = text.split("\n")
    assert [lines[h.line - 1] for h in headings] == [f"## {name}" for name in SECTIONS]


def test_a_hostile_label_cannot_leave_its_quotes_in_a_command() -> None:
    book = read(page(Resolution="1. Restart.\n\n   ```sh\n   ssh -- {{ labels.instance }} reboot\n   ```\n"), "n")
    steps = fill_steps(book, {"instance": "x; rm -rf /"}, {}, {"number": 7})
    assert steps[1].command == "ssh -- 'x; rm -rf /' reboot"
