"""SIGKILL of the real bot at a boundary, the workspace in its own process; started again, the end is the same."""

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo import ROOT, Person, Process, free_port, until, words_of

DEMO_CONFIG = ROOT / "bot" / "wiring" / "demo.yaml"
ROOM = "inc-1-checkout-is-down"
DECLARE = "/incident declare sev1 Checkout is down #checkout"
PARTS = int(os.environ.get("KILL_PARTS", "12"))
"""Kill at so many boundaries, spread evenly over the undisturbed run; as many as there are walks them all."""
_CHANGING = re.compile(
    r"<!date\^[^>]*>|\d{4}-\d\d-\d\dT[\d:.]+Z?|\d\d:\d\d(:\d\d)?|\b\d+ ?(s|ms|m|min)\b|127\.0\.0\.1:\d+"
)


class Halves:
    """A workspace process, and a bot process that can be killed and started again on the same data."""

    def __init__(self, folder: Path, delivery: str = "{call_timeout: 2s, lease: 3s}") -> None:
        self.folder, self.slack, self.bot_port = folder, free_port(), free_port()
        (folder / "tocsin.yaml").write_text(f"{DEMO_CONFIG.read_text()}\ndelivery: {delivery}\n")
        self.peer = f"http://127.0.0.1:{self.slack}"
        self.workspace = Process(
            *("demo", "--no-open", "--only", "workspace", "--port", str(self.slack), "--data", str(folder / "data")),
            *("--peer", f"http://127.0.0.1:{self.bot_port}"),
            cwd=folder,
            ready="Tocsin is ready",
        )
        self.bot: Process | None = None

    def start(self, kill_at: int = 0) -> Process:
        if self.bot:
            self.bot.stop()
        arguments = (str(kill_at), str(self.bot_port), str(self.folder / "data"), self.peer)
        self.bot = Process(*arguments, cwd=self.folder, module="tests.support.killable")
        return self.bot

    def close(self) -> None:
        for process in (self.bot, self.workspace):
            if process:
                process.stop()


def job(person: Person) -> None:
    """Declare, have it furnished, acknowledge, resolve: a whole incident."""
    person.sees(ROOM, "Diagnosis")
    until(lambda: (c := person.channel(ROOM)) and c["pins"] and len(c["bookmarks"]) >= 2, "pin and bookmarks")


def picture(person: Person) -> dict[str, Any]:
    """Everything a person sees of the incident, without times and time stamps."""
    room = person.channel(ROOM)
    assert room is not None
    other = [c["name"] for c in person.get("/simulator/state")["channels"] if c["name"].startswith("inc-")]

    def said(channel: str) -> Counter[str]:
        return Counter(_CHANGING.sub("…", words_of(message)) for message in person.messages(channel))

    return {
        "rooms": other,
        "members": sorted(room["members"]),
        "topic": _CHANGING.sub("…", room["topic"]),
        "pins": len(room["pins"]),
        "bookmarks": sorted(bookmark["title"] for bookmark in room["bookmarks"]),
        "room": said(ROOM),
        "incidents": said("incidents"),
    }


def settled(person: Person, look: Callable[[Person], Any]) -> Any:
    """Return what `look` sees once it stays the same for half a second."""
    last, since = look(person), time.monotonic()

    def still() -> bool:
        nonlocal last, since
        now = look(person)
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > 0.5

    until(still, "the workspace to settle")
    return last


@pytest.fixture(scope="module")
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
