"""A bot that has just started, and one that has much to wait for: 500 open incidents, 5,000 pending timers."""

import asyncio
import compileall
import sqlite3
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.place import QUIET, cpu, memory, serving
from benchmarks.report import row, table
from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.ports.clock import utc_now
from bot.storage import schema
from bot.storage.columns import to_text
from bot.storage.database import open_database
from bot.usecases.cases import Open, Request
from bot.usecases.committer import Committer
from tests.support.demo import ROOT, Process, until
from tests.support.serving import SERVES

STARTS: Final = 5
INCIDENTS: Final = 500
TIMERS: Final = 5000
WATCHED: Final = 10.0
"""Seconds over which the idle processor time is taken."""


def measure() -> list[list[str]]:
    """Return the table's rows."""
    return [*_starting(), *_waiting()]


def _starting() -> list[list[str]]:
    took, resident = [], []
    compileall.compile_dir(str(ROOT / "bot"), quiet=1)  # as pip does with a package that it installs
    with serving() as (site, first):
        first.stop()
        for _ in range(STARTS):
            begun = time.perf_counter()
            with Process("serve", cwd=site.folder, env={**site.env, **QUIET}) as bot:
                while not any(SERVES in line for line in bot.output):  # seen within a millisecond
                    time.sleep(0.001)
                took.append(time.perf_counter() - begun)
                time.sleep(3)
                resident.append(memory(bot.pid))
    return [
        row("start → ready, migrated database", took, "s", "≤ 0.9 s"),
        row("resident memory, 3 s after the start", resident, "MiB", "≤ 100 MiB"),
    ]


def _waiting() -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "full.db"
        schema.migrate(f"sqlite:///{file}")
        asyncio.run(_open_many(f"sqlite:///{file}"))
        _fill(file)
        with serving(f"sqlite:///{file}", migrate=False) as (_, bot):
            time.sleep(3)
            before, begun = cpu(bot.pid), time.perf_counter()
            time.sleep(WATCHED)
            busy = (cpu(bot.pid) - before) / (time.perf_counter() - begun) * 100
            late = until(lambda: _late(file), "the timer that was due")
    name = f"{INCIDENTS} open incidents, {TIMERS:,} pending timers"
    return [
        row(f"{name}: processor time of the idle bot", [busy], "%", "< 2 %"),
        row(f"{name}: a due timer was late by", [late], "s", "< 1 s"),
    ]


async def _open_many(url: str) -> None:
    async with open_database(url) as database, Committer(database, utc_now) as committer:
        cases = [
            Open(Request(f"U{n:06}", f"open-{n}"), c.Declare(title=f"Outage number {n}"), Policy())
            for n in range(INCIDENTS)
        ]
        await asyncio.gather(*(committer.submit(case) for case in cases))


def _fill(file: Path) -> None:
    """Nothing left to deliver; more timers, all of them far off but one."""
    now = utc_now()
    with sqlite3.connect(file) as db:
        db.execute("UPDATE effects SET state = 'done'")
        db.execute("UPDATE timers SET due = ? WHERE state = 'armed'", [to_text(now + timedelta(days=1))])
        more = TIMERS - db.execute("SELECT count(*) FROM timers WHERE state = 'armed'").fetchone()[0]
        db.executemany(
            "INSERT INTO timers (incident, kind, due, state, late_by, why) VALUES (?, ?, ?, 'armed', 0, '')",
            [
                (n % INCIDENTS + 1, f"extra {n // INCIDENTS}", to_text(now + timedelta(days=1, seconds=n)))
                for n in range(more)
            ],
        )
        soon = to_text(now + timedelta(seconds=WATCHED + 10))
        db.execute("UPDATE timers SET due = ? WHERE incident = 1 AND kind = 'respond' AND state = 'armed'", [soon])


def _late(file: Path) -> float | None:
    with sqlite3.connect(file) as db:
        fired = db.execute("SELECT late_by FROM timers WHERE incident = 1 AND state = 'fired'").fetchone()
    return max(float(fired[0]), 0.001) if fired else None


if __name__ == "__main__":
    table(measure())
