"""What the rows asked for again and again hold: read from its JSON once, for as long as the row says the same."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

from bot.domain.alerts import Episode
from bot.domain.incident import Incident

T = TypeVar("T")
KEPT: Final = 256
"""Rows of each kind: the last ones that were asked for. One that changes replaces what it was."""


class Remembered(Generic[T]):
    """For `most` rows what `read` makes of their text. What it gives must be immutable; any thread may ask."""

    def __init__(self, read: Callable[[str], T], most: int = KEPT) -> None:
        self._read = read
        self._most = most
        self._lock = Lock()
        self._kept: dict[Hashable, tuple[str, T]] = {}
        """Least recently used first."""

    def read(self, row: Hashable, text: str) -> T:
        """Return what `text` holds, which stands in `row` now."""
        known = self._kept.get(row)
        if known is not None and known[0] == text:
            return known[1]
        meaning = self._read(text)
        self.keep(row, text, meaning)
        return meaning

    def keep(self, row: Hashable, text: str, meaning: T) -> None:
        """Remember what was just made into `text`. Should the row never come to hold that, nobody is told it."""
        with self._lock:
            self._kept.pop(row, None)
            self._kept[row] = (text, meaning)
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]


SNAPSHOTS: Final = Remembered(Incident.model_validate_json)
"""States by the number of their incident. Alerts of one outage ask for the same few, and every claim does."""
EPISODES: Final = Remembered(Episode.model_validate_json)
"""By source and fingerprint. An alert that fires on is sent again and again."""
