"""Webhooks acknowledged after a durable commit: one process, 32 connections, real HTTP from another process."""

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.floor import READY
from benchmarks.load import send
from benchmarks.payloads import STORM_ALERTS
from benchmarks.place import TOKEN, cpu, memory, postgres, serving, until_idle
from benchmarks.report import row, table
from tests.support.demo import Process, fetch, free_port
from tests.support.serving import Site

RUNS: Final = 3
_PATH: Final = "/webhooks/alertmanager"
Rows = list[list[str]]


class _Measured:
    """Sends from the load process, and keeps the processor time that the server took for it."""

    def __init__(self, base: str, process: Process) -> None:
        self._base, self._process = base, process

    def run(self, payload: str, count: int, runs: int = RUNS, first: int = 0, **more: Any) -> list[dict[str, Any]]:
        """Send `count` requests, `runs` times."""
        made = []
        for n in range(runs):
            before = cpu(self._process.pid)
            result = send(f"{self._base}{_PATH}", TOKEN, payload, count, first=first + n * count, **more)
            made.append({**result, "cpu": (cpu(self._process.pid) - before) / count * 1e6})
        return made


def measure() -> Rows:
    """Return the table's rows."""
    floor = _floor()
    rows = [
        row("floor: bare aiohttp + pydantic + SQLite group commit", [r["per_second"] for r in floor], "/s"),
        row("floor: processor time", [r["cpu"] for r in floor], "µs/POST"),
    ]
    with serving() as (site, bot):
        rows += _unchanged("SQLite FULL", site, bot, floor, "≥ 3,000/s")
    with serving() as (site, bot):
        rows += _paced("SQLite FULL", site, bot)
    with serving() as (site, bot):
        rows += _opened("SQLite FULL", site, bot)
    with serving() as (site, bot):
        rows += _storm(site, bot)
    with postgres() as url, serving(url) as (site, bot):
        rows += _unchanged("PostgreSQL", site, bot, floor, "≥ 2,000/s")
    with postgres() as url, serving(url) as (site, bot):
        rows.append(_together("PostgreSQL", [_storming(_Measured(site.base, bot))], "≥ 2,000/s"))
    with serving(slack=False) as (site, bot):
        down = _Measured(site.base, bot).run("opening", 300, 1)
        rows.append(
            row("Slack is down, 32 connections: p99 until an opened incident is acknowledged", _p99(down), "ms")
        )
    return rows


def _floor() -> list[dict[str, Any]]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        where = (str(port), str(Path(folder) / "floor.db"))
        with Process(*where, cwd=Path(folder), module="benchmarks.floor", ready=READY) as process:
            measured = _Measured(f"http://127.0.0.1:{port}", process)
            measured.run("crowd", 2000, 1)
            return measured.run("crowd", 6000)


def _unchanged(name: str, site: Site, bot: Process, floor: list[dict[str, Any]], target: str) -> Rows:
    measured = _Measured(site.base, bot)
    measured.run("crowd", 300, 1)  # opens ten incidents; a hundred alerts join
    until_idle(bot)
    same, join = measured.run("crowd", 3000), measured.run("joining", 1500)
    assert all(set(r["outcomes"]) == {"unchanged"} for r in same), same
    assert all(set(r["outcomes"]) == {"attached"} for r in join), join
    pairs = list(zip(same, floor, strict=True))
    return [
        row(f"webhooks that change nothing, {name}", [r["per_second"] for r in same], "/s", target),
        row("… part of the floor", [one["per_second"] / base["per_second"] for one, base in pairs], "×"),
        row("… processor time", [r["cpu"] for r in same], "µs/POST"),
        row(f"webhooks that attach, {name}", [r["per_second"] for r in join], "/s", target),
        row("… processor time", [r["cpu"] for r in join], "µs/POST"),
    ]


def _paced(name: str, site: Site, bot: Process) -> Rows:
    measured = _Measured(site.base, bot)
    measured.run("crowd", 300, 1)
    until_idle(bot)
    paced = measured.run("crowd", 1500, rate=500.0)
    return [
        row(f"webhooks at 500/s, {name}: p50", [r["p50"] for r in paced], "ms"),
        row(f"webhooks at 500/s, {name}: p99", _p99(paced), "ms", "≤ 10 ms"),
    ]


def _opened(name: str, site: Site, bot: Process) -> Rows:
    opened = _Measured(site.base, bot).run("opening", 600)
    assert all(set(r["outcomes"]) == {"opened"} for r in opened), opened
    return [
        row(f"new incidents over HTTP, {name}", [r["per_second"] for r in opened], "/s", "≥ 1,000/s"),
        row("… processor time", [r["cpu"] for r in opened], "µs/incident"),
    ]


def _storm(site: Site, bot: Process) -> Rows:
    fetch(f"{site.base}/health/ready")
    before = memory(bot.pid)
    measured = _Measured(site.base, bot)
    begun: list[float] = []  # with what the first incident of a process brings: templates, statements, threads
    seconds = _storming(measured, lambda: begun.append(memory(bot.pid)))
    after = memory(bot.pid)
    incidents = _count(site, "SELECT count(*) FROM incidents")
    alerts = _count(site, "SELECT count(*) FROM episodes")
    return [
        row("storm: 10,000 alerts in 1,000 POSTs about 5 outages", [seconds], "s", "≤ 5 s"),
        _together("SQLite FULL", [seconds], "≥ 3,000/s"),
        row("storm: incidents", [incidents], "", "5"),
        row("storm: alerts on record", [alerts], "", "10,000"),
        row("storm: memory before", [before], "MiB"),
        row("storm: memory after 1,000 of the alerts", begun, "MiB"),
        row("storm: memory after all 10,000", [after], "MiB", "flat"),
    ]


def _storming(measured: _Measured, begun: Callable[[], None] = lambda: None) -> float:
    """Send the storm, call `begun` after its first tenth; return its seconds."""
    first = measured.run("storm", 100, 1)
    begun()
    rest = measured.run("storm", 900, 1, first=100)
    return sum(float(one["seconds"]) for one in first + rest)


def _together(name: str, seconds: list[float], target: str) -> list[str]:
    alerts = 1000 * STORM_ALERTS
    what = f"alerts that attach, {STORM_ALERTS} to a webhook as Alertmanager groups them, {name}"
    return row(what, [alerts / one for one in seconds], "alerts/s", target)


def _count(site: Site, query: str) -> float:
    with sqlite3.connect(site.url.removeprefix("sqlite:///")) as file:
        return float(file.execute(query).fetchone()[0])


def _p99(results: list[dict[str, Any]]) -> list[float]:
    return [r["p99"] for r in results]


if __name__ == "__main__":
    table(measure())
