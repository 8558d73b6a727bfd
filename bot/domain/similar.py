"""Incidents that look the same: by the words of their titles, their service, their labels and alerts. No model.

People declare twice what two of them see at once, and again what was half mended last month: a declaration is held
against what is open, and against what is over but left action items undone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.domain.incident import Incident

SHOWN: Final = 3
"""Incidents that are offered: one reads them while something burns."""
OPEN_AT: Final = 0.5
"""How alike an open incident must be to be offered; the same title in other words."""
PAST_AT: Final = 0.4
_SERVICE: Final = 0.3
"""What the same service adds, named or among the words of the title."""
_LABELS: Final = 0.2
"""What the same labels add."""
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where `HighLatency` and `DBDown` fall into the words that people say."""
_EMPTY: Final = frozenset({
    "a", "after", "again", "alert", "an", "and", "are", "as", "at", "be", "been", "broke", "broken", "by", "can",
    "cannot", "crash", "crashed", "crashing", "dead", "degraded", "doe", "doesn", "down", "error", "fail", "failed",
    "failing", "failure", "fire", "firing", "for", "from", "gone", "has", "have", "help", "in", "incident", "is",
    "issue", "it", "no", "not", "of", "on", "or", "our", "out", "outage", "problem", "see", "since", "slow", "still",
    "t", "that", "the", "there", "to", "too", "unavailable", "up", "very", "wa", "was", "we", "with", "work", "working",
})  # fmt: skip
"""Words that nearly every incident's title has: that something is broken, and that it is so again."""
_COMMON_LABELS: Final = frozenset({
    "cluster", "datacenter", "dc", "env", "environment", "monitor", "namespace", "priority", "prometheus", "region",
    "replica", "severity", "stage", "team", "tier", "zone",
})  # fmt: skip
"""Labels that half of all alerts share: they tell where and how bad, not what."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """An incident that looks the same: `score` from 0 to 1, and what is alike in words."""

    state: Incident
    score: float
    why: str


def alike(title: str, service: str | None, labels: Mapping[str, str], others: Iterable[Incident]) -> list[Likeness]:
    """Return the incidents of `others` that look like this one, the likest first.

    Open ones, and finished ones that left an action item undone. Cancelled ones and drills never.
    """
    found = []
    for other in others:
        if other.drill or other.status == "cancelled":
            continue
        owes = any(not task.done for task in other.tasks)
        if not other.is_active and not owes:
            continue
        score, why = _held_against(title, service, labels, other)
        if score >= (OPEN_AT if other.is_active else PAST_AT):
            found.append(Likeness(other, score, why))
    found.sort(key=lambda one: (not one.state.is_active, -one.score, -one.state.number))
    return found[:SHOWN]


def _held_against(title: str, service: str | None, labels: Mapping[str, str], other: Incident) -> tuple[float, str]:
    words, theirs = _words(title), _words("" if other.title_assumed else other.title)
    known = words & _known_by(other)
    score, why = 0.0, []
    if common := words & theirs:
        score = len(common) / len(words | theirs)
    if known:  # what its alerts are called, and where they are from: nobody needs to have said it in the title
        score = max(score, len(common | known) / len(words))
    if common or known:
        why.append(", ".join(sorted(common | known)[:4]))
    if _is_same_service(service, words, other):
        score += _SERVICE
        why.append(f"service {other.service}")
    telling = {name: value for name, value in labels.items() if name not in _COMMON_LABELS}
    if telling and (same := [name for name, value in telling.items() if other.labels.get(name) == value]):
        score += _LABELS * len(same) / len(telling)
        why.append(", ".join(sorted(same)[:3]))
    return min(score, 1.0), "; ".join(why)


def _is_same_service(service: str | None, words: frozenset[str], other: Incident) -> bool:
    """Another service that is named is another one, whatever the title says."""
    if not other.service:
        return False
    if service:
        return service.casefold() == other.service.casefold()
    named = _words(other.service)
    return bool(named) and named <= words


def _known_by(other: Incident) -> frozenset[str]:
    """The words of its alerts' names, and of the labels that tell what it is about."""
    values = [value for name, value in other.labels.items() if name not in _COMMON_LABELS]
    return _words(" ".join([*values, *(alert.name for alert in other.newest_alerts)]))


@lru_cache(maxsize=4096)  # every declaration is held against all that is open
def _words(text: str) -> frozenset[str]:
    """The words that tell one incident from another, without their plural."""
    found = (word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text)))
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found) - _EMPTY
