"""The database goes away and comes back; replicas are replaced one after another: nothing taken is lost."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.support.crew import BROKEN, NOBODY, UNHURRIED, Crew, Workspace, alert, doubled
from tests.support.demo import fetch, until
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.kill, pytest.mark.timeout(300)]

ANSWER_DUE = 6.0
"""Seconds: who asks waits three, and a machine may be slow. Whoever waited for the database would wait for ever."""
RECOVERED_WITHIN = 10.0
"""Seconds until twenty more alerts are taken."""
PAUSE = 0.03
"""Seconds between two alerts of a sender: the replicas shall be busy, not the machine."""
STOPS_WITHIN = 10.0
"""Seconds: what is promised (docs/operations.md). Whatever is under way, nothing is waited for beyond 8.5."""
GONE_FOR = 12
"""Requests that are refused before the database comes back."""


@pytest.fixture
def crew(tmp_path: Path, durable: Cluster) -> Iterator[Crew]:
    """Three replicas whose response timers stay silent."""
    with Crew(tmp_path, durable, config=UNHURRIED) as crew:
        yield crew


NEW = ("opened", "attached")
"""What becomes of an alert that nobody knew."""


class Load:
    """Senders that deliver one alert after another, each to the next replica; a refused one is sent again."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._names = count(1)
        self._stop = threading.Event()
        self.answers: Counter[int] = Counter()
        self.taken: dict[str, str] = {}
        """Alert → incident."""
        self.known: list[str] = []
        """Alerts of which a replica knew already when it first said that it had taken them."""
        self.slowest = 0.0

    def send(self) -> None:
        """Send until told to stop, and then until the last one is taken."""
        while not self._stop.wait(PAUSE):
            n = next(self._names)
            body = alert(f"Load{n}", f"load-{n % 5}")
            for turn in count(n):
                began = time.monotonic()
                status, told = self._crew.post(turn % 3, body)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answers[status] += 1
                if status == 202:
                    if told["outcome"] not in NEW:
                        self.known.append(f"Load{n}")
                    self.taken[f"Load{n}"] = str(told["incident"])
                    break

    @contextmanager
    def running(self, senders: int = 3) -> Iterator[None]:
        """Send from several threads while the block lasts."""
        with ThreadPoolExecutor(senders) as pool:
            work: list[Future[None]] = [pool.submit(self.send) for _ in range(senders)]
            try:
                yield
            finally:
                self._stop.set()
                for one in work:
                    one.result(timeout=60)

    def goes_on(self, more: int = 20) -> None:
        """Wait until so many more alerts are taken."""
        wanted = len(self.taken) + more
        until(lambda: len(self.taken) >= wanted, "more alerts to be taken")


def assert_kept(crew: Crew, load: Load) -> None:
    """Every alert that was taken is in the incident that was named, once; five outages, five incidents."""
    crew.quiet([])
    rows = crew.rows("SELECT incident, data::json ->> 'name' FROM episodes")
    names = [row[1] for row in rows]
    assert doubled(names) == {}
    assert {name: f"INC-{number}" for number, name in rows} == load.taken
    assert {number for number, _ in rows} == {"1", "2", "3", "4", "5"}
    seen = Workspace(crew)
    assert len(seen.rooms) == 5
    assert doubled(post.effect for post in seen.posts()) == {}
    code, said = crew.run("incident", "verify")
    assert code == 0, said


@contextmanager
def power_cut(cluster: Cluster) -> Iterator[None]:
    """Connections break, and nobody listens."""
    cluster.stop_immediate()
    yield
    cluster.start()


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """Connections stand, and nobody answers."""
    cluster.pause()
    yield
    cluster.resume()


def test_while_the_database_is_away_all_is_refused_in_words_and_afterwards_taken(crew: Crew, durable: Cluster) -> None:
    load = Load(crew)
    with load.running():
        for away in (power_cut, frozen):
            load.goes_on()
            refused = load.answers[503] + GONE_FOR
            with away(durable):
                until(lambda refused=refused: load.answers[503] >= refused, "refusals")
                assert_it_is_said(crew)
            began = time.monotonic()
            load.goes_on()
            assert time.monotonic() - began < RECOVERED_WITHIN
        for n in range(3):
            until(lambda n=n: fetch(f"{crew.at(n)}/health/ready")[0] == 200, f"replica {n} to recover")
    assert set(load.answers) == {202, 503}
    assert load.slowest < ANSWER_DUE
    assert_kept(crew, load)


def assert_it_is_said(crew: Crew) -> None:
    """Machines and people hear that the database is away; the processes themselves are well."""
    for n in range(3):
        status, said = fetch(f"{crew.at(n)}/health")
        assert (status, '"status": "down"' in said) == (503, True), said
        assert fetch(f"{crew.at(n)}/health/live")[0] == 200
    said = str(crew.person().say("general", "/incident declare sev1 Nobody hears").get("text"))
    assert "Not saved" in said or "Not confirmed" in said, said


def test_a_rolling_restart_under_load_refuses_nothing_it_has_accepted(crew: Crew) -> None:
    load, writer = Load(crew), Writer(crew)
    with load.running(), ThreadPoolExecutor(1) as pool:
        load.goes_on()
        writing = pool.submit(writer.write)
        for n in range(3):
            load.goes_on()
            began = time.monotonic()
            assert crew.running[n].stop() == 0
            assert time.monotonic() - began < STOPS_WITHIN
            crew.launch(n)
            crew.ready(n)
        load.goes_on()
        writer.stop.set()
        writing.result(timeout=60)
    # who stops takes nothing new, and says so, until nobody is there; a line that was not taken up yet breaks
    assert set(load.answers) <= {202, 503, NOBODY, BROKEN}
    assert load.answers[503] < load.answers[202]
    assert load.known == [], "what was refused, and what got no answer, had not been taken"
    assert_kept(crew, load)
    writer.assert_each_answer_is_true()


class Writer:
    """Somebody who writes one update after the other in Slack, none of them twice."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self.stop = threading.Event()
        self.told: dict[str, str] = {}
        """What was written → the answer; empty where Slack said that there was none."""

    def write(self) -> None:
        """Write until told to stop."""
        person = self._crew.person("U0004")
        for n in count(1):
            if self.stop.wait(PAUSE):
                return
            words = f"word {n} of many"
            self.told[words] = str(person.say("general", f"/incident update INC-1 {words}").get("text") or "")

    def assert_each_answer_is_true(self) -> None:
        """What was said to be posted is on the timeline, once; and nothing else that was written."""
        code, listed = self._crew.run("incident", "timeline", "1", "--json")
        assert code == 0, listed
        lines = [line["text"] for line in json.loads(listed)]
        true = {words: int("is posted" in said) for words, said in self.told.items()}
        assert {words: sum(words in line for line in lines) for words in self.told} == true
        posts = [one for one in Workspace(self._crew).texts() if one.startswith("*Update*")]
        assert {words: sum(words in one for one in posts) for words in self.told} == true
        # Socket Mode knows no goodbye: an envelope may cross our closing of the socket, unread
        unanswered = [words for words, said in self.told.items() if "is posted" not in said]
        assert len(unanswered) <= len(self._crew.ports), {words: self.told[words] for words in unanswered}
        assert len(self.told) > 3 * len(self._crew.ports)
