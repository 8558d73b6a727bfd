"""`tocsin` whose rate budgets refill SCALE times as fast: a minute's window in seconds.

python -m tests.support.tiered_serve serve
"""

import os
import sys

from bot.cli import run
from bot.wiring import house

if __name__ == "__main__":
    scale = float(os.environ["SCALE"])
    house.LIMITS = {name: (count, seconds / scale) for name, (count, seconds) in house.LIMITS.items()}  # type: ignore[misc]
    sys.exit(run())
