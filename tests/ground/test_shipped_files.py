"""What the repository ships beside the code is true: example settings, lock files, runbooks."""

import re
import tomllib
from pathlib import Path

import frontmatter
import pytest
import yaml

from bot.assets import asset_dir
from bot.domain.permissions import Permissions
from bot.domain.section import Section
from bot.domain.templates import fill
from bot.settings import Config, read_config
from tests.support.postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = sorted(asset_dir("runbooks").glob("*.md"))
SECTIONS = [
    "Symptoms",
    "Impact",
    "Diagnosis",
    "Resolution",
    "Verification",
    "Escalation",
    "Communication",
    "Prevention",
]


def test_the_example_settings_are_valid() -> None:
    read_config(ROOT / "tocsin.example.yaml")


def test_the_example_settings_show_every_key() -> None:
    loaded = yaml.safe_load((ROOT / "tocsin.example.yaml").read_text())
    assert set(loaded) == set(Config.model_fields)
    hidden = []
    for name, field in Config.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section) and section is not Permissions:
            hidden += [f"{name}.{key}" for key in section.model_fields if key not in loaded[name]]
    assert hidden == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_pins_by_hash_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--(extra-)?index|find-links|^/|\s@\s", text, re.MULTILINE)
    pinned = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert pinned
    assert all("--hash=sha256:" in part for part in pinned)


def test_the_lock_files_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    locked = (ROOT / "requirements.lock").read_text()
    names = {re.split(r"[\[<>=!~ ]", line)[0].lower() for line in wanted}
    assert {name for name in names if f"\n{name}==" not in locked} == set()


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_has_its_sections_in_order_and_counts_its_steps_through(path: Path) -> None:
    content = frontmatter.load(str(path)).content
    assert re.findall(r"^## (.+)$", content, re.MULTILINE) == SECTIONS
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", content, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_query_in_a_runbook_runs(path: Path, postgres: Cluster) -> None:
    """A typo in SQL is found here, not at 3 a.m."""
    database = f"runbook_{path.stem.replace('-', '_')}"
    postgres.create(database)
    postgres.sql("CREATE TABLE t (n int); CREATE TABLE alembic_version (n text)", database)
    postgres.sql(f'CREATE ROLE "{database}"')
    try:
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL):
            for query in re.findall(r'(?<= -c )"((?:[^"\\]|\\.)*)"', block):
                plain = query.replace('\\"', '"').replace("$P", "0").replace("$TABLE", "t")
                postgres.sql(plain.replace("$U", database), database)
    finally:
        postgres.sql("ALTER SYSTEM RESET ALL")
        postgres.drop(database)
        postgres.sql(f'DROP ROLE "{database}"')


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_block_that_asks_the_reader_does_not_swallow_the_next_pasted_line(path: Path) -> None:
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL):
        lines = block.strip().splitlines()
        for line in lines[:-1]:
            if "read -r -p" in line:
                assert line.endswith(("&&", "{")), line


def test_filling_a_runbook_needs_only_labels_annotations_and_the_incident() -> None:
    class Any(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    for path in RUNBOOKS:
        values = {"labels": Any(), "annotations": Any(), "incident": {"number": 7}}
        assert "{{" not in fill(frontmatter.load(str(path)).content, values)
