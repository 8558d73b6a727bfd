"""`make bench`: every benchmark, one table."""

import platform
import sys

from benchmarks.committer import measure as committer
from benchmarks.report import table
from benchmarks.round_trips import measure as round_trips


def main() -> None:
    """Print the machine and the table."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}; medians of the runs\n")
    table([*committer(), *round_trips()])


if __name__ == "__main__":
    sys.exit(main())
