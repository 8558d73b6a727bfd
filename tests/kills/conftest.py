"""The run that nobody disturbs, once a session."""

from typing import Any

import pytest

from tests.kills.halves import DECLARE, Halves, job, picture, settled
from tests.support.demo import Person


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, Any]]:
    """The boundaries of a run that nobody disturbs, and what the workspace looks like afterwards."""
    halves = Halves(tmp_path_factory.mktemp("undisturbed"))
    try:
        halves.start().wait_for("The bot runs")
        person = Person(halves.peer)
        person.say("general", DECLARE)
        job(person)
        seen = settled(person, picture)
        return (halves.folder / "data" / "boundaries").read_text().splitlines(), seen
    finally:
        halves.close()
