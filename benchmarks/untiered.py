"""`tocsin` without rate budgets of its own, to measure "without tiers": `python -m benchmarks.untiered serve`."""

import sys

from bot.cli import run
from bot.wiring import house

if __name__ == "__main__":
    house.LIMITS = {}  # type: ignore[misc]  # final for everybody but this benchmark
    sys.exit(run())
