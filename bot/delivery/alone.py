"""Which effects fail alone: again and again, while their vendor does what nearly all others ask of it.

Where others fail too, the vendor is in trouble, and its trouble passes: nobody is given up for that.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

FEW: Final = 4
"""Others' successes to each of others' failures, at least, where a failure counts as an effect's own."""

KEPT: Final = 4096
"""Effects remembered at most: those that failed last."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """An effect that has failed: how often alone, and what its vendor had answered until it last did."""

    times: int
    passed: int
    failed: int


class Alone:
    """Counts, for this process, the failures of each effect that others' successes show to be its own."""

    def __init__(self) -> None:
        self._passed: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._standing: dict[str, _Standing] = {}

    def passed(self, effect: str, vendor: str) -> None:
        """`effect` is done."""
        self._passed[vendor] += 1
        self.forget(effect)

    def failed(self, effect: str, vendor: str) -> int:
        """`effect` failed; return how often it did so alone: others have passed since it last failed, few have failed.

        Before its first failure nothing is known of others: that one counts by itself.
        """
        passed, failed = self._passed[vendor], self._failed[vendor]
        before = self._standing.get(effect)
        times = before.times if before else 0
        if before is None or passed - before.passed > FEW * (failed - before.failed):
            times += 1
        self._failed[vendor] += 1
        self.forget(effect)
        self._standing[effect] = _Standing(times, passed, failed + 1)
        if len(self._standing) > KEPT:  # those that were cancelled, or that another process took over
            self.forget(next(iter(self._standing)))
        return times

    def forget(self, effect: str) -> None:
        """It is over, for now."""
        self._standing.pop(effect, None)
