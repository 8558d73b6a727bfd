"""SIGKILL of the real bot in a call: what it held goes on at once. (Every boundary: test_every_boundary.py.)"""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.kills.halves import DECLARE, Halves, job, picture, settled
from tests.support.demo import Person, until
from tests.support.killable import Passage, passages

RESUMES_WITHIN = 2.0
"""Seconds from the start of a process, its imports included, to its first call for a dead one: the promise …"""
SLOWER = 3
"""… for a machine at leisure. Those that test this may be half as fast, and busy: seconds in the queue for a CPU do not
count, but what others take of caches and disks does."""


@pytest.mark.kill
def test_what_a_killed_process_held_goes_on_within_two_seconds_of_the_next_start(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """Its leases would hold for a minute; that its process is gone is known at once."""
    halves = Halves(tmp_path, delivery="{call_timeout: 8s, lease: 60s}")
    try:
        bot = halves.start("once", "call:post_card:before")
        bot.wait_for("The bot runs")
        person = Person(halves.peer)
        person.say("general", DECLARE)
        until(lambda: bot.ended, "the kill")
        before, started = len(passages(halves.data)), time.monotonic()
        halves.start()

        def resumed() -> list[Passage]:
            return [one for one in passages(halves.data)[before:] if one.name == "call:post_card:before"]

        first = until(resumed, "the call")[0]
        assert first.at - started - first.starved < RESUMES_WITHIN * SLOWER
        job(person)
        assert settled(person, picture) == undisturbed
    finally:
        halves.close()
