"""Severities and statuses: the words, their order, and how people spell them."""

from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How bad it is; SEV1 is the worst."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"

    @property
    def rank(self) -> int:
        """1 for SEV1 … 4 for SEV4."""
        return int(self[-1])

    @property
    def label(self) -> str:
        """As people write it: `SEV1`."""
        return self.upper()

    def worse_than(self, other: "Severity") -> bool:
        """True if this one is more severe than `other`."""
        return self.rank < other.rank


_ALIASES: Final = {
    "critical": "sev1",
    "crit": "sev1",
    "high": "sev2",
    "major": "sev2",
    "medium": "sev3",
    "low": "sev4",
    "minor": "sev4",
}


def parse_severity(text: str) -> Severity | None:
    """Return the severity that `text` names (`sev1`, `SEV-1`, `p0`, `1`, `critical`), or None."""
    word = text.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    if word in _ALIASES:
        return Severity(_ALIASES[word])
    if word.startswith("p") and word[1:] in ("0", "1", "2", "3"):
        return Severity(f"sev{int(word[1:]) + 1}")
    word = word.removeprefix("severity").removeprefix("sev").removeprefix("s")
    return Severity(f"sev{word}") if word in ("1", "2", "3", "4") else None


class Status(StrEnum):
    """Where an incident is in its life."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"

    @property
    def is_active(self) -> bool:
        """True while people are still working on it."""
        return self in ACTIVE


ACTIVE: Final = frozenset({Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING})
