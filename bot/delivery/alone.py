"""Which effects fail alone: again and again, while their vendor does what others ask of it."""

from collections import Counter


class Alone:
    """Counts, for this process, the failures of each effect that others' successes show to be its own."""

    def __init__(self) -> None:
        self._passed: Counter[str] = Counter()
        self._failed: dict[str, tuple[int, int]] = {}
        """Effect → (failures alone, the vendor's successes when it last failed)."""

    def passed(self, effect: str, vendor: str) -> None:
        """`effect` is done."""
        self._passed[vendor] += 1
        self.forget(effect)

    def failed(self, effect: str, vendor: str) -> int:
        """`effect` failed; return how often it did so alone: since its last failure others have passed."""
        passed = self._passed[vendor]
        times, before = self._failed.get(effect, (0, -1))
        if passed > before:
            times += 1
        self._failed[effect] = (times, passed)
        return times

    def forget(self, effect: str) -> None:
        """It is over, for now."""
        self._failed.pop(effect, None)
