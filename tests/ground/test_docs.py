"""The documents say nothing that isn't so: links, paths, commands, variables, metrics, scopes exist."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.domain.verbs.table import SPOKEN
from bot.render.slack.manifest import SCOPES
from bot.settings import Config, Environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FILES = [*PAGES, ROOT / "tocsin.example.yaml", *sorted(path for path in ROOT.glob("deploy/*") if path.suffix != ".env")]
FOLDERS = ("bot/", "docs/", "tests/", "templates/", "runbooks/", "migrations/", "deploy/", "benchmarks/", ".ci/")
ENVIRONMENT = {str(field.alias) for field in Environment.model_fields.values()}


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|~~~.*?~~~|`[^`\n]*`", "", text, flags=re.DOTALL)


def _code(text: str) -> list[str]:
    """Inline code, and each line of a block: where commands and paths stand."""
    blocks = re.findall(r"^(`{3,})[^\n]*\n(.*?)^\1", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`([^`]+)`", re.sub(r"^(`{3,})[^\n]*\n.*?^\1", "", text, flags=re.DOTALL | re.MULTILINE))
    return [" ".join(span.split()) for span in inline] + [line for _, body in blocks for line in body.splitlines()]


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        there = (page.parent / place).resolve() if place else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_path_that_is_named_exists(page: Path) -> None:
    lost = []
    for span in _code(page.read_text(encoding="utf-8")):
        for word in re.findall(r"[\w.*/-]+", span):
            path = word.rstrip(".")
            if path.startswith(FOLDERS) and not list(ROOT.glob(path.rstrip("/"))):
                lost.append(path)
    assert lost == []


@pytest.mark.parametrize("page", FILES, ids=_named)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spans = _code(text) if page.suffix == ".md" else text.splitlines()
    said = [line for span in spans for line in re.findall(r"(?:^|[\s(`/])tocsin((?: [^|`;&#>]+)?)", span)]
    wrong = [f"tocsin{words}" for words in said if not _is_command(words.split())]
    assert wrong == []


@cache
def _commands() -> Any:
    from bot.cli import _app

    return typer.main.get_command(_app())


def _is_command(words: list[str]) -> bool:
    """True if the words begin with a command there is, and use only options it has."""
    command = _commands()
    while words and hasattr(command, "commands") and re.fullmatch(r"[a-z-]+", words[0]):
        if words[0] not in command.commands:
            return False
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--config"}
    free = command.context_settings.get("ignore_unknown_options")
    return bool(free) or all(word.partition("=")[0] in known for word in words if re.match(r"--[a-z]", word))


@pytest.mark.parametrize("page", FILES, ids=_named)
def test_every_variable_that_is_named_is_a_setting(page: Path) -> None:
    named = set(re.findall(r"\b(?:TOCSIN|SLACK|PAGERDUTY|STATUSPAGE)_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    assert named - ENVIRONMENT == set()


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_command_to_slack_that_is_named_is_understood(page: Path) -> None:
    spans = _code(page.read_text(encoding="utf-8"))
    said = {word for span in spans for word in re.findall(r"/incident ([a-z][a-z-]*)", span)}
    assert said - set(SPOKEN) == set()


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_piece_of_tocsin_yaml_that_is_shown_is_valid(page: Path) -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        shown = yaml.safe_load(block)
        if "alertmanager.yml" not in block and set(shown) <= set(Config.model_fields):
            Config.model_validate(shown)


def test_every_setting_of_the_environment_is_explained() -> None:
    table = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert {name for name in ENVIRONMENT if f"`{name}`" not in table} == set()


def test_the_metrics_are_those_that_are_exposed() -> None:
    source = (ROOT / "bot/wiring/observability.py").read_text(encoding="utf-8")
    made = re.findall(r'\b(Gauge|Counter|Histogram)\(\s*"(tocsin_\w+)"', source)
    exposed = {f"{name}_total" if kind == "Counter" else name for kind, name in made}
    told = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\btocsin_\w+", told)) == exposed


def test_the_scopes_and_their_reasons_are_those_of_the_manifest() -> None:
    page = (ROOT / "docs/connect-slack.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_:.]+:[a-z.]+|commands)` \| (.+) \|$", page, re.MULTILINE))
    assert rows == SCOPES


def test_the_checks_of_doctor_that_are_explained_are_made() -> None:
    page = (ROOT / "docs/connect-slack.md").read_text(encoding="utf-8")
    table = page[page.index("| line | says | do |") :].split("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("bot/wiring/*.py")))
    assert told == set(re.findall(r'(?:Finding\(\s*|^_CHECK\b[^"\n]*)"([^"]+)"', source, re.MULTILINE))


def test_every_decision_is_in_the_index_and_has_its_four_parts() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for page in sorted(folder.glob("0*.md")):
        assert f"({page.name})" in index
        heads = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert heads == ["Context", "Decision", "Consequences", "What was measured"], page.name
