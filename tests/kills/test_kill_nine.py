"""SIGKILL of the real bot at a boundary, the workspace in its own process; started again, the end is the same."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.kills.halves import DECLARE, Halves, job, picture, settled
from tests.support.demo import Person, until

PARTS = int(os.environ.get("KILL_PARTS", "12"))
"""Kill at so many boundaries, spread evenly over the undisturbed run; as many as there are walks them all."""


@pytest.mark.kill
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_a_boundary_the_incident_ends_as_if_nothing_had_happened(
    undisturbed: tuple[list[str], dict[str, Any]], tmp_path: Path, part: int
) -> None:
    boundaries, expected = undisturbed
    assert len(boundaries) > 20
    at = 1 + part * (len(boundaries) - 1) // max(PARTS, 1)
    halves = Halves(tmp_path)
    try:
        bot = halves.start(kill_at=at)
        bot.wait_for("The bot runs")
        person = Person(halves.peer)
        person.say("general", DECLARE)
        try:
            until(lambda: bot.ended, f"the kill at boundary {at}", patience=8)
        except AssertionError:
            bot.kill()  # commits were shared differently this time, so there were fewer boundaries: killed at rest
        halves.start().wait_for("The bot runs")
        if at == 1:
            person.say("general", DECLARE)  # killed before the commit, nothing was acknowledged: said again
        job(person)
        seen = settled(person, picture)
        assert seen == expected, f"killed at boundary {at}: {boundaries[at - 1]}"
    finally:
        halves.close()


@pytest.mark.kill
def test_what_a_killed_process_held_goes_on_within_two_seconds_of_the_next_start(
    undisturbed: tuple[list[str], dict[str, Any]], tmp_path: Path
) -> None:
    """Its leases would hold for a minute; that its process is gone is known at once."""
    boundaries, expected = undisturbed
    halves = Halves(tmp_path, delivery="{call_timeout: 8s, lease: 60s}")
    try:
        bot = halves.start(kill_at=boundaries.index("call:post_card:before") + 1)
        bot.wait_for("The bot runs")
        person = Person(halves.peer)
        person.say("general", DECLARE)
        until(lambda: bot.ended, "the kill")
        halves.start().wait_for("The bot runs")
        started = time.monotonic()
        job(person)
        assert time.monotonic() - started < 2
        assert settled(person, picture) == expected
    finally:
        halves.close()
