"""The bot's half of the demo, with a fault port that ends it by SIGKILL at the n-th boundary.

    python -m tests.support.killable N PORT DATA PEER

N = 0 never kills; every boundary is counted in the file DATA/boundaries, so that an undisturbed run lists them.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.wiring.demo import DemoOptions, run_demo


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Run until killed: by ourselves at boundary N, or by SIGTERM."""
    kill_at, port, data, peer = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    passed = 0
    data.mkdir(parents=True, exist_ok=True)
    with (data / "boundaries").open("a", buffering=1) as listed:

        def fault(boundary: str) -> None:
            nonlocal passed
            passed += 1
            listed.write(f"{boundary}\n")
            if passed == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        options = DemoOptions(port, browser=False, only="bot", peer=peer, data=data)
        asyncio.run(run_demo(options, _say, fault=fault))


if __name__ == "__main__":
    main()
