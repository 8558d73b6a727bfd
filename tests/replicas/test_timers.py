"""Three replicas see the same timers come due at once: each rings once, on time, and is told once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import pytest

from tests.support.crew import Crew, alert
from tests.support.demo import until
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.kill]

INCIDENTS = 24
LATE = 5.0
"""Seconds; on a machine with nothing else to do it is some milliseconds."""
CONFIG = """delivery: {call_timeout: 8s, lease: 10s}
severities:
  sev1: {respond: 6s, update_every: 8s}
"""


@pytest.fixture
def crew(tmp_path: Path, durable: Cluster) -> Iterator[Crew]:
    """Three replicas in a hurry."""
    with Crew(tmp_path, durable, config=CONFIG) as crew:
        yield crew


def rung(crew: Crew) -> list[tuple[str, str]]:
    """(incident, kind) of each ringing, as the replicas say it."""
    lines = [line for process in crew.bots for line in list(process.output) if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    return sorted((str(one["incident"]), one["kind"]) for one in told if one.get("event") == "timer rang")


def test_every_timer_fires_exactly_once_with_three_replicas(crew: Crew) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: crew.deliver(n, alert(f"Timed{n}", f"timed-{n}")), range(INCIDENTS)))
    both = "SELECT count(*) FROM timers WHERE state = 'fired' AND kind IN ('respond', 'update')"
    until(lambda: int(crew.rows(both)[0][0]) >= 2 * INCIDENTS, "both timers of each incident", 60)
    for n in list(crew.running):
        assert crew.running[n].stop() == 0  # nothing rings any more
    fired = crew.rows("SELECT incident, kind, due, late_by FROM timers WHERE state = 'fired' ORDER BY 1, 2, 3")
    assert [row[:2] for row in fired].count(["1", "respond"]) == 1
    assert len({tuple(row[:3]) for row in fired}) == len(fired)
    assert rung(crew) == sorted((row[0], row[1]) for row in fired)
    assert [row for row in fired if float(row[3]) > LATE] == []
    told = crew.rows("SELECT incident, count(*) FROM events WHERE type = 'response_overdue' GROUP BY 1 ORDER BY 1")
    assert [count for _, count in told] == ["1"] * INCIDENTS
    nudges = crew.rows("SELECT incident FROM events WHERE type = 'update_overdue' ORDER BY 1")
    due = {number: len(list(rows)) for number, rows in groupby(row[0] for row in fired if row[1] == "update")}
    assert {number: len(list(rows)) for number, rows in groupby(row[0] for row in nudges)} == due
