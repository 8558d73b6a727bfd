"""The bot and its workspace in two processes, so that one can end while the other watches; and what is seen of it."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
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
    r"<!date\^[^>]*>|\d{4}-\d\d-\d\dT[\d:.]+Z?|\d\d:\d\d(:\d\d)?|(\b\d+ ?(s|ms|m|min|h)\b ?)+|127\.0\.0\.1:\d+|<#C\w+>"
)
"""Times, addresses, and channels' ids: each attempt to open one takes the next."""


class Halves:
    """A workspace process, and a bot process that can be killed and started again on the same data."""

    def __init__(
        self,
        folder: Path,
        delivery: str = "{call_timeout: 2s, lease: 3s}",
        config: str = f"{DEMO_CONFIG.read_text()}\n{NOTHING_RINGS}\n",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.slack, self.bot_port = folder, free_port(), free_port()
        self.data, self._env = folder / "data", dict(env or {})
        (folder / "tocsin.yaml").write_text(f"{config}delivery: {delivery}\n")
        self.peer = f"http://127.0.0.1:{self.slack}"
        self.workspace = Process(
            *("demo", "--no-open", "--only", "workspace", "--port", str(self.slack), "--data", str(self.data)),
            *("--peer", f"http://127.0.0.1:{self.bot_port}"),
            cwd=folder,
            ready="Tocsin is ready",
        )
        self.bot: Process | None = None

    def start(self, *doom: str) -> Process:
        """Start the bot; `doom` says where it dies (`tests.support.killable`)."""
        if self.bot:
            self.bot.stop()
        arguments = (str(self.bot_port), str(self.data), self.peer, *doom)
        self.bot = Process(*arguments, cwd=self.folder, env=self._env, module="tests.support.killable")
        return self.bot

    def close(self) -> None:
        for process in (self.bot, self.workspace):
            if process:
                process.stop()


def job(person: Person) -> None:
    """Declare, have it furnished, acknowledge, resolve: a whole incident."""
    person.sees(ROOM, "Diagnosis")
    until(lambda: (c := person.channel(ROOM)) and c["pins"] and len(c["bookmarks"]) >= 2, "pin and bookmarks")


def rooms(person: Person) -> list[dict[str, Any]]:
    """The channels of incidents, the newest last."""
    return [c for c in person.get("/simulator/state")["channels"] if c["name"].startswith("inc-")]


def picture(person: Person) -> dict[str, Any]:
    """Everything that people see of all incidents, without times and time stamps.

    Slack's notices of a changed topic are left out: several changes that wait are shown as one. So are answers that one
    person alone sees: who asks twice is answered twice.
    """

    def words(listed: list[dict[str, Any]]) -> Counter[str]:
        seen = [
            m for m in listed if m.get("subtype") not in ("channel_topic", "group_topic") and not m.get("ephemeral")
        ]
        return Counter(CHANGING.sub("…", words_of(message)) for message in seen)

    return {
        "rooms": [
            {
                "name": room["name"],
                "archived": room["is_archived"],
                "members": sorted(room["members"]),
                "topic": CHANGING.sub("…", room["topic"]),
                "pins": len(room["pins"]),
                "bookmarks": sorted(bookmark["title"] for bookmark in room["bookmarks"]),
                "said": words(person.messages(room["name"])),
            }
            for room in rooms(person)
        ],
        **{name: words(person.messages(name)) for name in ("incidents", "general", "random")},
        "direct": {user: words(direct(person, user)) for user in PEOPLE},
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
