"""A `tocsin serve` as it is in real life, beside a workspace in another process, and what its process costs."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from tests.support.demo import Process
from tests.support.postgres import Cluster
from tests.support.serving import SERVES, Site

TOKEN: Final = "token-of-the-benchmarks"  # of a server that lives for seconds, on loopback
QUIET: Final = {"TOCSIN_ALERTMANAGER_TOKEN": TOKEN, "TOCSIN_LOG_LEVEL": "ERROR"}
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(
    url: str | None = None,
    *,
    mode: Literal["http", "socket"] = "socket",
    slack: bool = True,
    migrate: bool = True,
    module: str = "bot",
) -> Iterator[tuple[Site, Process]]:
    """Yield a place and its running bot. `slack=False`: nobody answers at Slack's address."""
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder), url, mode, config="") as site:
        if slack:
            site.open_workspace()
        if migrate:
            site.migrate()
        with Process("serve", cwd=site.folder, env={**site.env, **QUIET}, ready=SERVES, module=module) as bot:
            yield site, bot


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the address of an empty database on a PostgreSQL that survives a power cut."""
    with Cluster(durable=True) as cluster:
        yield cluster.create("bench")


def cpu(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def until_idle(process: Process, patience: float = 20.0) -> None:
    """Wait until the process hardly does anything any more."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = cpu(process.pid)
        time.sleep(0.5)
        if cpu(process.pid) - before < 0.05:
            return
