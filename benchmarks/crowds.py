"""Many at once, Slack at 100 ms a call: 20 declarations until all is done, 40 slash commands until each is answered."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks.load import send
from benchmarks.place import TOKEN, serving, until_idle
from benchmarks.report import row, table
from tests.support.demo import Person, Process, until
from tests.support.serving import Site
from tests.support.workspace_process import TOKENS

RUNS: Final = 3
DECLARED: Final = 20
COMMANDS: Final = 40
OPEN: Final = 500
"""Incidents, most of them waiting for a channel: whoever declares is told what looks the same, and how long to wait."""
LATENCY_MS: Final = 100
_QUIET_FOR: Final = 1.5
"""Seconds without a call after which everything counts as done."""


def measure() -> list[list[str]]:
    """Return the table's rows."""
    with serving(module="benchmarks.untiered") as (site, bot):
        rooms, done = zip(*_declarations(site.person(), bot), strict=True)
    with serving(mode="http") as (site, bot):
        acks = _acknowledgements(site, bot)
    with serving(mode="http") as (site, bot):
        send(f"{site.base}/webhooks/alertmanager", TOKEN, "opening", OPEN)
        amid = _acknowledgements(site, bot)
    return [
        row(f"{DECLARED} declared at once, 100 ms a call, no tiers: last channel complete", rooms, "s"),
        row("… last of all: direct messages, too", done, "s", "≤ 0.8 s"),
        row(f"{COMMANDS} slash commands at once, Slack at 100 ms: ack p50", [r["p50"] for r in acks], "ms"),
        row("… p99", [r["p99"] for r in acks], "ms"),
        row("… slowest", [r["max"] for r in acks], "ms", "< 250 ms"),
        row(f"… slowest while {OPEN} incidents are open, each waiting for its channel", [r["max"] for r in amid], "ms"),
    ]


def _declarations(person: Person, bot: Process) -> list[tuple[float, float]]:
    person.control(latency_ms=0)
    person.say("general", "/incident declare sev1 Warm up")
    until_idle(bot)
    person.control(latency_ms=LATENCY_MS)
    return [_at_once(person, n) for n in range(RUNS)]


def _at_once(person: Person, run: int) -> tuple[float, float]:
    """Return the seconds from the first call's start until the last channel was complete, and until all was done."""
    seen = person.last_call()
    channel = person.channel("general")
    assert channel is not None

    def declare(n: int) -> None:
        person.post("/simulator/send", channel=channel["id"], text=f"/incident declare sev1 Outage {run} {n} #checkout")

    with ThreadPoolExecutor(DECLARED) as pool:
        list(pool.map(declare, range(DECLARED)))
    quiet_since, last = time.monotonic(), seen

    def quiet() -> bool:
        nonlocal quiet_since, last
        now = person.last_call()  # a small answer: whoever watches must not keep the workspace busy
        if now != last:
            quiet_since, last = time.monotonic(), now
        return time.monotonic() - quiet_since > _QUIET_FOR

    until(quiet, "the end of all calls", patience=60)
    calls: list[dict[str, Any]] = person.calls(seen)
    opened = [call for call in calls if call["method"] == "conversations.create"]
    assert len(opened) == DECLARED, len(opened)
    start = min(call["at"] for call in calls)
    ends = [(call, (max(call["done_at"], call["at"] + LATENCY_MS) - start) / 1000) for call in calls]
    to_people = [call for call in calls if str(call["args"].get("channel", "")).startswith(("U", "D"))]
    return max(end for call, end in ends if call not in to_people), max(end for _, end in ends)


def _acknowledgements(site: Site, bot: Process) -> list[dict[str, Any]]:
    person = site.person()
    until_idle(bot)
    send(f"{site.base}/slack/events", TOKENS["SLACK_SIGNING_SECRET"], "commands", 1, connections=1)
    until_idle(bot)
    person.control(latency_ms=LATENCY_MS)
    made = []
    for n in range(RUNS):
        made.append(
            send(
                f"{site.base}/slack/events",
                TOKENS["SLACK_SIGNING_SECRET"],
                "commands",
                COMMANDS,
                first=1 + n * COMMANDS,
                connections=COMMANDS,
            )
        )
        assert made[-1]["outcomes"] == {"200": COMMANDS}, made[-1]
        until_idle(bot)
    return made


if __name__ == "__main__":
    table(measure())
