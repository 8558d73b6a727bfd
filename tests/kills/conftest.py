"""The runs that nobody disturbs, once a session."""

from typing import Any

import pytest

from tests.kills.halves import DECLARE, Halves, job, picture, settled
from tests.support.demo import Person


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the workspace looks like after an incident was declared and furnished."""
    halves = Halves(tmp_path_factory.mktemp("undisturbed"))
    try:
        halves.start().wait_for("The bot runs")
        person = Person(halves.peer)
        person.say("general", DECLARE)
        job(person)
        return dict(settled(person, picture))
    finally:
        halves.close()
