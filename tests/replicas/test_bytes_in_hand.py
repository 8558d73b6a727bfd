"""A replica freezes after its last look at the clock and before its bytes leave: they leave when it wakes, too late.

By then another one has done it all, and has looked for late copies, too. What slips out all the same is gone within 5 s
(docs/adr/0017).
"""

import time
from collections.abc import Iterator

import pytest

from tests.support.crew import LEASE, UNHURRIED, Crew, Workspace, alert, doubled
from tests.support.demo import until
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.kill]

GONE_WITHIN = 5.0
LOOKS_ARE_OVER = 7.0
"""Seconds after the repeat: the looks for late copies come 2 and 6 s after it."""


class Freezing(Crew):
    """Replicas that freeze when they are told to."""

    def launch(self, n: int, module: str = "tests.support.freezing_serve") -> None:
        """Start replica `n`, without waiting for it."""
        super().launch(n, module)

    def freeze_at(self, method: str, words: str) -> None:
        """Whichever calls `method` with these words freezes first."""
        (self.folder / "freeze").write_text(f"{method}\n{words}\n")


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory, durable: Cluster) -> Iterator[Freezing]:
    """Two replicas; each test leaves them standing."""
    with Freezing(tmp_path_factory.mktemp("crew"), durable, replicas=2, config=UNHURRIED) as crew:
        yield crew


def done_elsewhere(crew: Crew, key: str) -> None:
    """Wait until another replica has taken everything over, and has looked for late copies as often as it will."""
    still = f"SELECT id FROM effects WHERE incident = {key[4:]} AND state IN ('waiting', 'claimed', 'held')"
    until(lambda: not crew.rows(still), "the end of the work", patience=LEASE + 30)
    until(lambda: not crew.rows("SELECT pos FROM looks"), "the last look", patience=LOOKS_ARE_OVER + 10)


def left_late(crew: Freezing, victim: int, method: str, words: str) -> float:
    """Wake the frozen replica and wait until its call has left; return when, by the monotonic clock.

    Read from the list of calls: what it left behind may be gone before anybody has looked.
    """
    person = crew.person()
    before = person.calls()[-1]["n"]

    def late() -> bool:
        since = (call for call in person.calls() if call["n"] > before)
        return any(call["method"] == method and call["ok"] and words in str(call["args"]) for call in since)

    crew.thaw(victim)
    until(late, "the late call")
    return time.monotonic()


def test_a_message_that_leaves_when_all_is_done_is_taken_back(crew: Freezing) -> None:
    key = crew.deliver(0, alert("Slips", "slips"))
    crew.quiet([])
    crew.freeze_at("chat.postMessage", "this slips out")
    assert crew.run("incident", "update", key, "this slips out")[0] == 0
    victim = crew.froze()
    done_elsewhere(crew, key)
    assert doubled(post.effect for post in Workspace(crew).posts()) == {}
    came = left_late(crew, victim, "chat.postMessage", "this slips out")
    until(lambda: not doubled(post.effect for post in Workspace(crew).posts()), "its end")
    assert time.monotonic() - came < GONE_WITHIN
    assert crew.run("incident", "verify", key)[0] == 0


def test_an_old_picture_that_leaves_when_a_newer_one_stands_is_shown_over(crew: Freezing) -> None:
    key = crew.deliver(1, alert("Fades", "fades"))
    crew.quiet([])
    crew.freeze_at("chat.update", "Looked at")
    assert crew.run("incident", "title", key, "Looked at")[0] == 0
    victim = crew.froze()
    assert crew.run("incident", "title", key, "Told and done")[0] == 0
    done_elsewhere(crew, key)

    def pictures() -> set[str]:
        """Which of the two titles the live messages show."""
        live = [str(said) for said in Workspace(crew).live(key)]
        return {words for words in ("Looked at", "Told and done") if any(words in said for said in live)}

    assert pictures() == {"Told and done"}
    came = left_late(crew, victim, "chat.update", "Looked at")
    until(lambda: pictures() == {"Told and done"}, "the new one")
    assert time.monotonic() - came < GONE_WITHIN


def test_a_channel_that_is_made_twice_since_its_name_was_free_again_is_put_away(crew: Freezing) -> None:
    crew.freeze_at("conversations.create", "twin")
    key = crew.deliver(0, alert("Twin", "twin"))
    victim = crew.froze()
    done_elsewhere(crew, key)
    assert crew.run("incident", "title", key, "Known by another name")[0] == 0
    done_elsewhere(crew, key)

    def rooms() -> list[str]:
        """The names of the incident's channels that are in use."""
        named = (one["name"] for one in Workspace(crew).rooms if not one["is_archived"])
        return [name for name in named if name.startswith(f"{key.lower()}-")]

    assert rooms() == [f"{key.lower()}-known-by-another-name"]
    came = left_late(crew, victim, "conversations.create", "twin")
    assert any("twin" in one["name"] for one in Workspace(crew).rooms)
    until(lambda: rooms() == [f"{key.lower()}-known-by-another-name"], "its end")
    assert time.monotonic() - came < GONE_WITHIN
    told = f"SELECT count(*) FROM contents c JOIN records r ON r.words = c.id WHERE r.incident = {key[4:]}"
    told += " AND c.body LIKE '%second channel that came late was archived%'"
    until(lambda: crew.rows(told) == [["1"]], "a word about it on the timeline")
