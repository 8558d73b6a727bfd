"""What delivery tells metrics: a small port, silent unless somebody listens."""

from datetime import datetime
from typing import Literal, Protocol

Outcome = Literal["done", "retry", "failed", "held_back", "superseded", "dropped"]
"""`held_back`: the vendor's circuit is open. `superseded`: another worker took it over. `dropped`: the lease ended."""


class Observer(Protocol):
    """Told of every end of an attempt and of every timer; must return at once and never raise."""

    def attempted(self, kind: str, outcome: Outcome, took: float) -> None:
        """An attempt at an effect of `kind` ended after `took` seconds."""
        ...

    def rang(self, kind: str, due: datetime, late: float) -> None:
        """A timer of `kind` rang, `late` seconds after it was due."""
        ...


class Unobserved:
    """Nobody listens."""

    def attempted(self, kind: str, outcome: Outcome, took: float) -> None:
        """Nothing happens."""

    def rang(self, kind: str, due: datetime, late: float) -> None:
        """Nothing happens."""
