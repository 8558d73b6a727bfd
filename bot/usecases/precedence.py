"""Whoever asks is answered first: delivery lets them pass before it begins something new, for a moment."""

import asyncio
from typing import Final

LETS_PASS: Final = 0.15
"""Seconds for which delivery waits at most: under constant traffic a level of a cascade begins so much later."""


class Precedence:
    """`with` it somebody waits at a door for an answer; any number at once. One per process."""

    def __init__(self) -> None:
        self._asking = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    def __enter__(self) -> None:
        self._asking += 1
        self._nobody.clear()

    def __exit__(self, *_: object) -> None:
        self._asking -= 1
        if not self._asking:
            self._nobody.set()

    async def let_pass(self) -> None:
        """Return once nobody waits any more, or after a moment."""
        if not self._asking:
            return
        try:
            async with asyncio.timeout(LETS_PASS):
                await self._nobody.wait()
        except TimeoutError:
            pass  # they had their moment: what was decided must be carried out, too
