"""Who counts. The floors below say what happened; one implementation turns it into metrics, another into nothing."""

from typing import Literal, Protocol

Attempt = Literal["done", "retry", "failed", "held_back", "superseded", "dropped"]
"""`held_back`: the vendor's circuit is open. `superseded`: another worker took it over. `dropped`: the lease ended."""
Answered = Literal["done", "refused", "unconfirmed", "failed"]
"""`unconfirmed`: the commit took longer than the asker could wait; the rest was told later."""

Oddity = Literal["signature", "unusable", "legacy", "unknown", "too_large"]
"""`signature`: refused. The rest was taken and ignored: nonsense, an old version, a kind nobody knows, too large."""


class Observer(Protocol):
    """Told once for each thing that happened. Never raises, never blocks; labels are from small closed sets."""

    def committed(self, cases: int, seconds: float) -> None:
        """One commit of the door, carrying `cases` commands."""

    def commanded(self, door: str, verb: str, outcome: Answered, seconds: float) -> None:
        """A person's command was answered. `verb` is a word of the grammar, a control or a form; else `unknown`."""

    def received(self, source: str, outcome: str, seconds: float) -> None:
        """A webhook was answered. `outcome`: opened … ignored, or unauthorized, invalid, unavailable."""

    def delivered(self, kind: str, outcome: Attempt, seconds: float) -> None:
        """An attempt at an effect of `kind` ended."""

    def oddity(self, source: str, what: Oddity) -> None:
        """A delivery that its sender should hear of, or we: see Oddity."""

    def breached(self, severity: str) -> None:
        """An incident was not acknowledged within its severity's response time. No private ones, no drills."""

    def missed(self, severity: str) -> None:
        """An internal update was owed and did not come. No private incidents, no drills."""


class Unobserved:
    """Counts nothing: for tests and one-off commands."""

    def oddity(self, source: str, what: Oddity) -> None:
        """See Observer."""

    def committed(self, cases: int, seconds: float) -> None:
        """See Observer."""

    def commanded(self, door: str, verb: str, outcome: Answered, seconds: float) -> None:
        """See Observer."""

    def received(self, source: str, outcome: str, seconds: float) -> None:
        """See Observer."""

    def delivered(self, kind: str, outcome: Attempt, seconds: float) -> None:
        """See Observer."""

    def breached(self, severity: str) -> None:
        """See Observer."""

    def missed(self, severity: str) -> None:
        """See Observer."""
