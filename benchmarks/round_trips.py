"""One declaration, 100 ms per Slack call: how many round trips until the controls stand, and until all is done.

The bot and the workspace are two processes, as in real life. What the workspace recorded of each call (start, end) is
the measure; a round trip is the latency that was set. Own time is what is left at no latency.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import row
from tests.support.demo import Person, Process, free_port, until

LATENCY_MS = 100
RUNS = 5
_READING = (
    "auth.test",
    "apps.connections.open",
    "users.list",
    "usergroups.list",
    "usergroups.users.list",
    "conversations.list",
)
"""Calls of the start, not of an incident."""


def measure() -> list[list[str]]:
    """Return the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        slack, bot = free_port(), free_port()
        data = str(Path(folder) / "data")
        common = ("demo", "--no-open", "--data", data)
        peer_of_bot, peer_of_slack = f"http://127.0.0.1:{slack}", f"http://127.0.0.1:{bot}"
        with (
            Process(
                *common,
                "--only",
                "workspace",
                "--port",
                str(slack),
                "--peer",
                peer_of_slack,
                cwd=Path(folder),
                ready="is ready",
            ) as _,
            Process(
                *common,
                "--only",
                "bot",
                "--port",
                str(bot),
                "--peer",
                peer_of_bot,
                cwd=Path(folder),
                ready="The bot runs",
            ) as _,
        ):
            person = Person(peer_of_bot)
            _declare(person, 0, 0, set())  # warm caches: users, usergroups, the announcement channel
            known: set[str] = set()
            slow = [_declare(person, n, LATENCY_MS, known) for n in range(1, RUNS + 1)]
            quick = [_declare(person, n, 0, known) for n in range(RUNS + 1, 2 * RUNS + 1)]
    return [
        row("declare → controls: calls one after another", [r["card_depth"] for r in slow], "round trips", "2"),
        row("declare → all: calls one after another", [r["depth"] for r in slow], "round trips", "3"),
        row("declare → controls, 100 ms a call", [r["card"] / LATENCY_MS for r in slow], "round trips", "≤ 2.2"),
        row("declare → all provisioned, 100 ms a call", [r["all"] / LATENCY_MS for r in slow], "round trips", "≤ 3.3"),
        row("Slack calls for one incident", [r["calls"] for r in slow], "calls"),
        row("… over so many connections, kept from one incident to the next", [r["lines"] for r in slow], ""),
        row("… of which new ones, from the second incident on", [r["new_lines"] for r in slow[1:]], "", "0"),
        row("declare → all provisioned, no latency", [r["all"] for r in quick], "ms"),
        row("… own time: without what the workspace itself took", [r["own"] for r in quick], "ms", "≤ 20 ms"),
    ]


def _declare(person: Person, n: int, latency: int, known: set[str]) -> dict[str, float]:
    """Declare; return ms from the first call's start to the card and to the last call's end, how many calls, and over
    how many connections: those not yet `known` are new, and are added."""
    person.control(latency_ms=latency)
    seen = person.last_call()
    person.say("general", f"/incident declare sev1 Checkout is down {n} #checkout")
    last, quiet_since = seen, time.monotonic()

    def quiet() -> bool:
        nonlocal last, quiet_since
        now = person.last_call()  # a small answer: whoever watches must not keep the workspace busy
        if now != last:
            last, quiet_since = now, time.monotonic()
        return now > seen + 8 and time.monotonic() - quiet_since > 0.6

    until(quiet, "the calls of one incident")
    calls = [call for call in person.calls(seen) if call["method"] not in _READING and not _of_the_house(call)]
    start = min(call["at"] for call in calls)
    card: dict[str, Any] = next(
        c for c in calls if c["method"] == "chat.postMessage" and f"work:{n + 1}" in str(c["args"])
    )
    lines = {str(call["connection"]) for call in calls}
    new_lines = len(lines - known)
    known |= lines
    return {
        "card": _answered(card, latency) - start,
        "all": max(_answered(call, latency) for call in calls) - start,
        "own": max(call["done_at"] for call in calls) - start - _busy(calls),
        "card_depth": float(_depth(card, calls, latency)),
        "depth": float(max(_depth(call, calls, latency) for call in calls)),
        "calls": float(len(calls)),
        "lines": float(len(lines)),
        "new_lines": float(new_lines),
    }


def _of_the_house(call: dict[str, Any]) -> bool:
    """True for what the house says of itself: on the day on which on-call changes, a handover falls among the runs."""
    return "notice:" in str(call["args"].get("metadata", ""))


def _busy(calls: list[dict[str, Any]]) -> float:
    """Return for how many ms the workspace was at work on at least one of `calls`."""
    total, until_then = 0.0, 0.0
    for begun, done in sorted((call["at"], call["done_at"]) for call in calls):
        total += max(done - max(begun, until_then), 0.0)
        until_then = max(until_then, done)
    return total


def _answered(call: dict[str, Any], latency: int) -> float:
    """When the bot had its answer: the workspace records the effect, half a latency earlier."""
    return float(max(call["done_at"], call["at"] + latency))


def _depth(call: dict[str, Any], calls: list[dict[str, Any]], latency: int) -> int:
    """How many calls stand one after another up to this one: each began after the one before was answered."""
    before = [other for other in calls if _answered(other, latency) <= call["at"]]
    return 1 + max((_depth(other, before, latency) for other in before), default=0)
