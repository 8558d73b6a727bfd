"""The Alertmanager set-up of the documents is one that Alertmanager takes: its own amtool reads it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import programs

ROOT = Path(__file__).resolve().parents[2]


def blocks(*files: str) -> list[str]:
    """Every block of YAML in these documents, else in those about alerts."""
    paths = [ROOT / file for file in files] or sorted((ROOT / "docs").glob("alerts*.md"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return [block for text in texts for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]


@pytest.fixture
def amtool() -> Path:
    found = programs.amtool()
    if found is None:
        pytest.skip(programs.ALERTMANAGER_MISSING)
    return found


def whole() -> dict[str, Any]:
    """The set-up to paste."""
    (config,) = (block for block in blocks() if "receivers:" in block and "webhook_configs:" in block)
    found: dict[str, Any] = yaml.safe_load(config)
    return found


@pytest.mark.alertmanager
def test_the_documented_set_up_is_one_that_amtool_takes(amtool: Path, tmp_path: Path) -> None:
    check(amtool, tmp_path, whole())


@pytest.mark.alertmanager
def test_what_is_to_be_pasted_under_it_is_taken_with_it(amtool: Path, tmp_path: Path) -> None:
    parts = [block for block in blocks() if block.startswith("# alertmanager.yml, under the route above")]
    assert parts
    for part in parts:
        config = whole()
        config["route"] |= yaml.safe_load(part)
        check(amtool, tmp_path, config)


@pytest.mark.alertmanager
def test_the_receiver_of_the_readme_is_taken_below_any_route(amtool: Path, tmp_path: Path) -> None:
    (receiver,) = (block for block in blocks("README.md") if "webhook_configs:" in block)
    check(amtool, tmp_path, {"route": {"receiver": "tocsin"}, **yaml.safe_load(receiver)})


@pytest.mark.alertmanager
def test_a_key_that_alertmanager_does_not_know_would_be_found(amtool: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        check(amtool, tmp_path, {**whole(), "recievers": []})


def check(amtool: Path, folder: Path, config: dict[str, Any]) -> None:
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    told = subprocess.run([amtool, "check-config", file], capture_output=True, text=True, timeout=30, check=False)
    assert told.returncode == 0, told.stderr
    assert "SUCCESS" in told.stdout
