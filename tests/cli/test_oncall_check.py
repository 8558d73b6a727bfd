"""`tocsin config check` names what on-call points at and is not there."""

from pathlib import Path

from bot.settings import Settings, read_config, read_environment
from bot.wiring.tools import cross_check

YAML = """
oncall:
  primary: {people: [Ann Lee, U0002]}
  theirs: {pagerduty_schedule: PX1}
people: {ann: {quiet: "22:00-07:00"}}
escalations: {default: {levels: [{targets: [{schedule: nights}, {user: "@ben"}]}]}}
"""


def test_names_that_point_nowhere_are_told(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(YAML)
    found = "\n".join(cross_check(Settings(read_environment({}), read_config(file), file)))
    for part in ("'Ann Lee'", "'@ben'", "people.ann", "no rotation 'nights'", "oncall.theirs.pagerduty_schedule"):
        assert part in found
    assert "U0002" not in found
