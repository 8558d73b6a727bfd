"""SIGKILL of the real bot at a boundary, the workspace in its own process; started again, the end is the same."""

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo import Person, Process, free_port, until, words_of

ROOM = "inc-1-checkout-is-down"
DECLARE = "/incident declare sev1 Checkout is down #checkout"
EVERY = int(os.environ.get("KILL_EVERY", "4"))
"""Kill at every n-th boundary of the undisturbed run; 1 walks all of them."""
_CHANGING = re.compile(
    r"<!date\^[^>]*>|\d{4}-\d\d-\d\dT[\d:.]+Z?|\d\d:\d\d(:\d\d)?|\b\d+ ?(s|ms|m|min)\b|127\.0\.0\.1:\d+"
)


class Halves:
    """A workspace process, and a bot process that can be killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.slack, self.bot_port = folder, free_port(), free_port()
        self.peer = f"http://127.0.0.1:{self.slack}"
        self.workspace = Process(
            *("demo", "--no-open", "--only", "workspace", "--port", str(self.slack), "--data", str(folder / "data")),
            *("--peer", f"http://127.0.0.1:{self.bot_port}"),
            cwd=folder,
            ready="Tocsin is ready",
        )
        self.bot: Process | None = None

    def start(self, kill_at: int = 0) -> Process:
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
def test_killed_at_any_boundary_the_incident_ends_as_if_nothing_had_happened(
    undisturbed: tuple[list[str], dict[str, Any]], tmp_path: Path
) -> None:
    boundaries, expected = undisturbed
    assert len(boundaries) > 20
    for at in range(1, len(boundaries) + 1, EVERY):
        folder = tmp_path / str(at)
        folder.mkdir()
        halves = Halves(folder)
        try:
            bot = halves.start(kill_at=at)
            bot.wait_for("The bot runs")
            person = Person(halves.peer)
            person.say("general", DECLARE)
            until(lambda bot=bot: bot.ended, f"the kill at boundary {at} ({boundaries[at - 1]})")  # type: ignore[misc]
            halves.start().wait_for("The bot runs")
            if not person.channel(ROOM) and boundaries[at - 1] == "commit:before":
                person.say("general", DECLARE)  # nothing was acknowledged: the person says it again
            job(person)
            seen = settled(person, picture)
            assert seen == expected, f"killed at boundary {at}: {boundaries[at - 1]}"
        finally:
            halves.close()
