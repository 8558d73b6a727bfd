"""SIGKILL of the real bot in a call: what it held goes on at once. (Every boundary: test_every_boundary.py.)"""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.kills.halves import DECLARE, Halves, job, picture, settled
from tests.support.demo import Person, until


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
