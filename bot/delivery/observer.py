"""What delivery tells metrics: a small port, silent unless somebody listens."""

from typing import Literal, Protocol

Outcome = Literal["done", "retry", "failed", "held_back", "superseded", "dropped"]
"""`held_back`: the vendor's circuit is open. `superseded`: another worker took it over. `dropped`: the lease ended."""


class Observer(Protocol):
    """Told of every end of an attempt; must return at once and never raise."""

    def delivered(self, kind: str, outcome: str, seconds: float) -> None:
        """An attempt at an effect of `kind` ended with `outcome` (an Outcome) after `seconds`."""
        ...


class Unobserved:
    """Nobody listens."""

    def delivered(self, kind: str, outcome: str, seconds: float) -> None:
        """Nothing happens."""
