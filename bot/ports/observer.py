"""Who counts. The floors below say what happened; one implementation turns it into metrics, another into nothing."""

from typing import Protocol


class Observer(Protocol):
    """Told once for each thing that happened. Never raises, never blocks; labels are from small closed sets."""

    def committed(self, cases: int, seconds: float) -> None:
        """One commit of the door, carrying `cases` commands."""

    def commanded(self, door: str, verb: str, outcome: str, seconds: float) -> None:
        """A person's command was answered. `outcome`: done, refused, unconfirmed, failed."""

    def received(self, source: str, outcome: str, seconds: float) -> None:
        """A webhook was answered. `outcome`: opened … ignored, or unauthorized, invalid, unavailable."""

    def delivered(self, kind: str, outcome: str, seconds: float) -> None:
        """An effect was tried. `outcome`: done, retry, failed."""

    def breached(self, severity: str) -> None:
        """An incident was not acknowledged within its severity's response time."""


class Unobserved:
    """Counts nothing: for tests and one-off commands."""

    def committed(self, cases: int, seconds: float) -> None:
        """See Observer."""

    def commanded(self, door: str, verb: str, outcome: str, seconds: float) -> None:
        """See Observer."""

    def received(self, source: str, outcome: str, seconds: float) -> None:
        """See Observer."""

    def delivered(self, kind: str, outcome: str, seconds: float) -> None:
        """See Observer."""

    def breached(self, severity: str) -> None:
        """See Observer."""
