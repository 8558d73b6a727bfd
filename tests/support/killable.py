"""The bot's half of the demo, with a fault port that ends it by SIGKILL at a boundary.

Slack's minute is a second for it, as in `quick_serve`: else most of a long row of lives would be waiting for channels.

    python -m tests.support.killable PORT DATA PEER                   never dies
    python -m tests.support.killable PORT DATA PEER once PATTERN      dies at the first boundary of such a name
    python -m tests.support.killable PORT DATA PEER every PATTERN     dies once at each one, and is born again each time

`every` imports once, and forks a process for each life: it is as real, and comes six times as fast. Which boundary is
meant: of a call, that of one effect; of a commit, that between two states of the database. So what is done again in the
next life is let pass, and all lives together get to the end. The file DATA/boundaries tells what happened (`Passage`).
"""

import asyncio
import gc
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal, NamedTuple
from unittest import mock

_PROGRESS: Final = """
SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM records), (SELECT count(*) FROM audit),
    (SELECT count(*) FROM effects), (SELECT count(*) FROM effects WHERE state NOT IN ('waiting', 'held', 'claimed'))
"""


class Passage(NamedTuple):
    """A line of the file: what a life came to, when (monotonic seconds of this machine), and whether it ended there."""

    at: float
    what: Literal["born", "passed", "died"]
    name: str = ""
    which: str = ""
    """Which effect's call, or the state of the database in which the commit began (before) or which it made (after)."""
    starved: float = 0.0
    """Seconds in which the life had wanted to run until then, and the machine had run others."""

    @property
    def boundary(self) -> tuple[str, str]:
        """What is struck once."""
        return self.name, self.which


def passages(data: Path) -> list[Passage]:
    """Return all that happened so far, in all lives."""
    try:
        lines = (data / "boundaries").read_text().splitlines()
    except FileNotFoundError:
        return []
    fields = (line.split("\t") for line in lines)
    return [Passage(float(at), what, name, which, float(starved)) for at, what, name, which, starved in fields]  # type: ignore[arg-type]


class Doom:
    """The fault port: notes what passes, and strikes once at each boundary that `wanted` names."""

    def __init__(self, data: Path, wanted: str, *, once: bool) -> None:
        self._wanted, self._once = wanted, once
        self._struck = {one.boundary for one in passages(data) if one.what == "died"}
        self._listed = (data / "boundaries").open("a", buffering=1)
        self._database = f"file:{data / 'tocsin.db'}?mode=ro"
        self._note("born")

    def __call__(self, name: str) -> None:
        which = self._state() if name.startswith("commit:") else _effect()
        if fnmatchcase(name, self._wanted) and (name, which) not in self._struck and not (self._once and self._struck):
            self._note("died", name, which)
            os.kill(os.getpid(), signal.SIGKILL)
        self._note("passed", name, which)

    def _note(self, what: str, name: str = "", which: str = "") -> None:
        self._listed.write(f"{time.monotonic():.3f}\t{what}\t{name}\t{which}\t{_starved():.3f}\n")

    def _state(self) -> str:
        """How far the database has got: it only grows."""
        reading = sqlite3.connect(self._database, uri=True)
        try:
            return ".".join(map(str, reading.execute(_PROGRESS).fetchone()))
        finally:
            reading.close()


def _starved() -> float:
    """The second number is nanoseconds in the queue for a CPU: Documentation/scheduler/sched-stats.rst of Linux."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


def _effect() -> str:
    """The runner names its tasks after the effects that they carry."""
    task = asyncio.current_task()
    assert task is not None
    return task.get_name().removeprefix("effect ")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def live(port: int, data: Path, peer: str, wanted: str, *, once: bool) -> None:
    """Run until killed: by ourselves at a boundary, or by SIGTERM."""
    import bot.wiring.house
    from bot.wiring.demo import DemoOptions, run_demo
    from tests.support.quick_serve import quick_limits

    random.seed()
    doom = Doom(data, wanted, once=once)
    options = DemoOptions(port, browser=False, only="bot", peer=peer, data=data)
    with mock.patch.object(bot.wiring.house, "LIMITS", quick_limits()):
        asyncio.run(run_demo(options, _say, fault=doom))


def live_again_and_again(one_life: Callable[[], None]) -> int:
    """Fork a life, and the next one when it was killed; return the exit status of the one that ended otherwise.

    What every life begins with is done once: to import, and to compile the templates.
    """
    import bot.wiring.demo
    import bot.wiring.house
    from bot.assets import asset_dir
    from bot.render.texts import Texts

    texts, told = Texts(asset_dir("templates")), False
    texts.warm_mrkdwn("slack/")
    bot.wiring.house.open_texts = lambda _: texts  # type: ignore[assignment]
    gc.collect()
    gc.freeze()
    while True:
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            one_life()
            sys.exit()

        def tell(number: int, _: object, child: int = child) -> None:
            nonlocal told
            told = True
            os.kill(child, number)

        signal.signal(signal.SIGTERM, tell)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if told or status != -signal.SIGKILL:
            return status


def main() -> int:
    """Read the arguments, and live."""
    port, data, peer = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    how, wanted = sys.argv[4:] or ("once", "")
    data.mkdir(parents=True, exist_ok=True)
    if how == "every":
        return live_again_and_again(lambda: live(port, data, peer, wanted, once=False))
    live(port, data, peer, wanted, once=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
