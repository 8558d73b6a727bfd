"""The bot and its workspace in two processes, so that one can end while the other watches; and what is seen of it."""

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.demo import ROOT, Person, Process, free_port, until, words_of

DEMO_CONFIG = ROOT / "bot" / "wiring" / "demo.yaml"
ROOM = "inc-1-checkout-is-down"
DECLARE = "/incident declare sev1 Checkout is down #checkout"
NOTHING_RINGS = "severities: {sev1: {respond: 1d, update_every: 1d, roles_within: 1d}}"
"""However long a row of lives takes, the timers of the first ones disturb no later one."""
PEOPLE = ("U0001", "U0002", "U0003", "U0004")
CHANGING = re.compile(
    r"<!date\^[^>]*>|\d{4}-\d\d-\d\dT[\d:.]+Z?|\d\d:\d\d(:\d\d)?|\b\d+ ?(s|ms|m|min)\b|127\.0\.0\.1:\d+"
)


class Halves:
    """A workspace process, and a bot process that can be killed and started again on the same data."""

    def __init__(self, folder: Path, delivery: str = "{call_timeout: 2s, lease: 3s}") -> None:
        self.folder, self.slack, self.bot_port = folder, free_port(), free_port()
        (folder / "tocsin.yaml").write_text(f"{DEMO_CONFIG.read_text()}\n{NOTHING_RINGS}\ndelivery: {delivery}\n")
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
        return Counter(CHANGING.sub("…", words_of(message)) for message in person.messages(channel))

    return {
        "rooms": other,
        "members": sorted(room["members"]),
        "topic": CHANGING.sub("…", room["topic"]),
        "pins": len(room["pins"]),
        "bookmarks": sorted(bookmark["title"] for bookmark in room["bookmarks"]),
        "room": said(ROOM),
        "incidents": said("incidents"),
        "direct": {user: Counter(CHANGING.sub("…", words_of(m)) for m in direct(person, user)) for user in PEOPLE},
    }


def direct(person: Person, user: str) -> list[dict[str, Any]]:
    """What the bot wrote to `user` alone."""
    return [m for m in Person(person.base, user).direct() if m.get("bot_id")]


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
