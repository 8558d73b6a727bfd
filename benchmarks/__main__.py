"""`make bench`: every benchmark, one table."""

import os
import platform
import sys

from benchmarks.committer import measure as committer
from benchmarks.crowds import measure as crowds
from benchmarks.report import table
from benchmarks.resting import measure as resting
from benchmarks.round_trips import measure as round_trips
from benchmarks.webhooks import measure as webhooks


def main() -> None:
    """Print the machine and the table."""
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}, {os.cpu_count()} processors, "
        f"load {os.getloadavg()[0]:.1f} before the start; medians of the runs\n"
    )
    table([*committer(), *webhooks(), *crowds(), *resting(), *round_trips()])


if __name__ == "__main__":
    sys.exit(main())
