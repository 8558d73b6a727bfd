"""SIGTERM with calls in flight: what can be finished is, the rest is handed back, and nothing is lost."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.kills.halves import DECLARE, Halves, job, picture, settled
from tests.support.demo import Person, until

WITHIN = 10.0
WEATHER: dict[str, dict[str, Any]] = {
    "slow answers": {"latency_ms": 2000},
    "no answers": {"faults": [{"method": "chat.postMessage", "kind": "silence", "times": 3}]},
}


@pytest.mark.kill
@pytest.mark.parametrize("weather", WEATHER)
def test_told_to_stop_with_calls_in_flight_it_ends_in_time_and_the_next_start_loses_nothing(
    undisturbed: tuple[list[str], dict[str, Any]], tmp_path: Path, weather: str
) -> None:
    halves = Halves(tmp_path, delivery="{call_timeout: 8s, lease: 10s}")
    try:
        bot = halves.start()
        bot.wait_for("The bot runs")
        person = Person(halves.peer)
        person.control(**WEATHER[weather])
        person.say("general", DECLARE)

        def in_flight() -> bool:
            return any(c["method"] == "chat.postMessage" and c["done_at"] is None for c in person.calls())

        until(in_flight, "a message on its way")
        told = time.monotonic()
        assert bot.stop() == 0, "\n".join(bot.output[-20:])
        assert time.monotonic() - told < WITHIN
        person.control(reset=True)
        halves.start().wait_for("The bot runs")
        job(person)
        assert settled(person, picture) == undisturbed[1]
    finally:
        halves.close()
