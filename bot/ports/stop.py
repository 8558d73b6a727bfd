"""The end of a process: the word is given once, and from then on everything that closes shares one time."""

import time
from collections.abc import Callable
from typing import Final

ANSWERED_BY: Final = 3.5
"""Seconds after the word: whoever had asked has an answer (it is due in 3) …"""
LANDED_BY: Final = 7.0
"""… what is on its way to a vendor has ended, or is handed back (no call to Slack takes longer) …"""
ENDED_BY: Final = 8.0
"""… what is accepted is written down …"""
LET_GO_BY: Final = 8.5
"""… and who does not answer even now is not waited for. A clean stop ends within 10 s in all."""


class Stop:
    """Whether this process was told to stop, and how long is left. `monotonic` counts seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at: float | None = None
        self.told = False

    def tell(self) -> None:
        """Give the word: nothing new is begun. Told again, nothing changes."""
        if self._at is None:
            self._at, self.told = self._monotonic(), True

    def left(self, by: float) -> float:
        """Return the seconds until `by` seconds after the word, not less than none. Whoever asks first gives it."""
        self.tell()
        assert self._at is not None, "it was told just now"
        return max(self._at + by - self._monotonic(), 0.0)
