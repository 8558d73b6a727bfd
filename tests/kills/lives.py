"""One workspace and one database, on which a bot lives, dies and starts again, incident after incident."""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.kills.halves import CHANGING, PEOPLE, Halves, direct
from tests.support.demo import Person, Process, until, words_of

RESUMES_WITHIN = 2.0
"""Seconds after its start in which a bot has taken over what a dead one held (SQLite) …"""
LEASE = 60.0
"""… though its leases last so long; what was left is finished far sooner."""
_OWN = re.compile(r"(?i)\binc-\d+|incidents/\d+|part[- ]\d+|<#C\w+(\|[^>]*)?>|\bC[0-9A-Z]{8,}\b|ts\d+|p\d{16}")


class Lives:
    """The workspace stands all the time; `bot` is the life at hand."""

    def __init__(self, folder: Path) -> None:
        self.halves = Halves(folder, delivery=f"{{call_timeout: 8s, lease: {LEASE:.0f}s}}")
        self.data = folder / "data"
        self.database = f"sqlite:///{self.data / 'tocsin.db'}"
        self.person = Person(self.halves.peer)
        self.parts = 0
        self._born = 0
        """Boundaries that were passed before this life began."""
        self.halves.start().wait_for("The bot runs")

    @property
    def bot(self) -> Process:
        """The process that lives, or has just died."""
        assert self.halves.bot
        return self.halves.bot

    def boundaries(self) -> list[str]:
        """Every boundary passed so far, in all lives."""
        return (self.data / "boundaries").read_text().splitlines()

    def story(self, order: str = "") -> tuple[bool, dict[str, Any]]:
        """Declare, furnish and acknowledge an incident, dying where `order` says; return whether it did, and what is
        to be seen in the end."""
        self.parts += 1
        title = f"Part {self.parts} is down"
        if order:
            (self.data / "order").write_text(order)
        before = self.bot
        self._through(lambda: self.person.say("general", f"/incident declare sev1 {title} #checkout"))
        room = f"part-{self.parts}-is-down"
        self._through(lambda: self.person.say(self._room(room)["name"], "/incident ack"))
        died = self.bot is not before
        (self.data / "order").unlink(missing_ok=True)
        return died, self._picture(room, title)

    def _through(self, ask: Callable[[], Any]) -> None:
        """Ask, and let everything come of it; where the bot dies, the next one goes on, and people ask again."""
        bot = self.bot
        ask()
        until(lambda: bot.ended or self._quiet(), "the end of what was asked")
        if bot.ended:
            self._next_life()
            ask()
        until(self._quiet, "the queue to be empty")

    def _next_life(self) -> None:
        left, dead = self._open(), self._query("SELECT DISTINCT worker FROM effects WHERE state = 'claimed'")
        self._born = len(self.boundaries())
        self.halves.start().wait_for("The bot runs")
        began = time.monotonic()
        until(lambda: not dead & self._query("SELECT worker FROM effects WHERE state = 'claimed'"), "the take-over")
        assert time.monotonic() - began < RESUMES_WITHIN
        until(lambda: not left & self._open(), f"the end of {left}", patience=LEASE / 2)

    def _open(self) -> set[str]:
        return self._query("SELECT id FROM effects WHERE state IN ('waiting', 'held', 'claimed')")

    def _query(self, query: str) -> set[str]:
        with closing(sqlite3.connect(f"file:{self.data / 'tocsin.db'}?mode=ro", uri=True)) as database:
            return {str(row[0]) for row in database.execute(query)}

    def _quiet(self) -> bool:
        return not self._open() and self._all_told()

    def _all_told(self) -> bool:
        """Whether this life has outlived the commit it began: the database shows one before the bot knows of it."""
        commits = [name for name in self.boundaries()[self._born :] if name.startswith("commit:")]
        return not commits or commits[-1] == "commit:after"

    def _room(self, ending: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            listed = self.person.get("/simulator/state")["channels"]
            (room, *more) = [c for c in listed if c["name"].endswith(ending)] or [None]
            assert not more, "one incident has two channels"
            return room

        return until(look, f"the channel of {ending}")

    def _picture(self, ending: str, title: str) -> dict[str, Any]:
        room = self._room(ending)

        def told(message: dict[str, Any]) -> str:
            return CHANGING.sub("…", _OWN.sub("…", words_of(message)))

        announced = [m for m in self.person.messages("incidents") if title in words_of(m)]
        return {
            "members": sorted(room["members"]),
            "topic": CHANGING.sub("…", _OWN.sub("…", room["topic"])),
            "pins": len(room["pins"]),
            "bookmarks": sorted(bookmark["title"] for bookmark in room["bookmarks"]),
            "room": Counter(told(m) for m in self.person.messages(room["name"]) if not m.get("ephemeral")),
            "announced": Counter(map(told, announced)),
            "direct": {
                user: Counter(told(m) for m in direct(self.person, user) if title in words_of(m)) for user in PEOPLE
            },
        }

    def close(self) -> None:
        """End both processes."""
        self.halves.close()
