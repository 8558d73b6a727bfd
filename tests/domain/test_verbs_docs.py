"""The documentation of the commands is the table of verbs."""

from pathlib import Path

from bot.domain.verbs import VERBS, completions
from bot.domain.verbs.docs import commands_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"


def test_the_commands_page_is_what_the_table_of_verbs_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == commands_page()


def test_every_verb_completes() -> None:
    assert [c["text"] for c in completions()] == [f"/incident {name}" for name in VERBS]
