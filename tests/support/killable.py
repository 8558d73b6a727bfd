"""The bot's half of the demo, with a fault port that ends it by SIGKILL at a boundary.

Slack's minute is a second for it, as in `quick_serve`: else most of a long row of lives would be waiting for channels.

    python -m tests.support.killable N PORT DATA PEER

N = 0 does not kill by count; every boundary that it outlives is listed in the file DATA/boundaries. While it runs, a
file DATA/order says where to die: `3`, at the third boundary from now, or `call:pin_card:after>commit:after`, at the
first such commit that follows such a call.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from unittest import mock

import bot.wiring.house
from bot.wiring.demo import DemoOptions, run_demo
from tests.support.quick_serve import quick_limits


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Doom:
    """Knows at which boundary to die."""

    def __init__(self, kill_at: int, order: Path) -> None:
        self._order = order
        self._left = kill_at
        self._way: list[str] = []

    def strikes(self, boundary: str) -> bool:
        """True at the boundary where it ends."""
        if self._order.exists():
            wanted = self._order.read_text().strip()
            self._order.unlink()
            self._left, self._way = (int(wanted), []) if wanted.isdigit() else (0, wanted.split(">"))
        if self._way and self._way[0] == boundary:
            self._way.pop(0)
            return not self._way
        self._left -= 1
        return self._left == 0 and not self._way


def main() -> None:
    """Run until killed: by ourselves at a boundary, or by SIGTERM."""
    kill_at, port, data, peer = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    data.mkdir(parents=True, exist_ok=True)
    doom = Doom(kill_at, data / "order")
    with (data / "boundaries").open("a", buffering=1) as listed:

        def fault(boundary: str) -> None:
            if doom.strikes(boundary):
                os.kill(os.getpid(), signal.SIGKILL)
            listed.write(f"{boundary}\n")

        options = DemoOptions(port, browser=False, only="bot", peer=peer, data=data)
        with mock.patch.object(bot.wiring.house, "LIMITS", quick_limits()):
            asyncio.run(run_demo(options, _say, fault=fault))


if __name__ == "__main__":
    main()
