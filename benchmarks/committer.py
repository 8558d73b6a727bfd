"""How many incidents a second the committer opens on SQLite with `synchronous=FULL`; the median of three runs."""

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.report import row, table
from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.ports.clock import utc_now
from bot.storage import schema
from bot.storage.database import open_database
from bot.usecases.cases import Open, Request
from bot.usecases.committer import Committer

RUNS = 3
OPENS = 2000


async def opens_a_second(url: str, opens: int = OPENS) -> float:
    """Open incidents as fast as the committer takes them; return how many a second."""
    policy = Policy()
    async with open_database(url) as database, Committer(database, utc_now) as committer:
        cases = [
            Open(Request(f"U{n:06}", f"command-{n}"), c.Declare(title=f"Outage number {n}"), policy)
            for n in range(opens)
        ]
        started = time.perf_counter()
        await asyncio.gather(*(committer.submit(case) for case in cases))
        return opens / (time.perf_counter() - started)


def rates() -> list[float]:
    """Return the opens a second of some runs, each on a fresh file."""
    found = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            schema.migrate(url)
            found.append(asyncio.run(opens_a_second(url)))
    return found


def measure() -> list[list[str]]:
    """Return the table's rows."""
    return [row(f"committer, SQLite FULL: {OPENS:,} incidents at once", rates(), "opens/s")]


def main() -> None:
    """Print the table of this benchmark alone."""
    table(measure())


if __name__ == "__main__":
    main()
