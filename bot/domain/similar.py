"""Incidents that look the same: by the words of their titles, their service, their labels and alerts. No model.

People declare twice what two of them see at once, and again what was half mended last month: a declaration is held
against what is open, and against what is over but left action items undone.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Profile:
    """What of an incident is compared."""

    state: Incident
    words: frozenset[str]
    """Of its title, if somebody gave it one."""
    known_by: frozenset[str]
    """Of its alerts' names, and of the labels that tell what it is about."""
    service: str
    service_words: frozenset[str]
    is_open: bool

    @classmethod
    def of(cls, state: Incident) -> "Profile":
        service = state.service or ""
        return cls(
            state,
            _words("" if state.title_assumed else state.title),
            _words(" ".join([*_telling(state.labels).values(), *(alert.name for alert in state.newest_alerts)])),
            service.casefold(),
            _words(service),
            state.is_active,
        )


class Profiles:
    """The profiles of what may be offered: open incidents, and finished ones that left an action item undone.

    Cancelled ones and drills never. There may be thousands, and every declaration is held against them: a profile is
    made once for each state of an incident.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[Incident, Profile | None]] = {}

    def of(self, states: Iterable[Incident]) -> list[Profile]:
        """Return the profiles of `states`; what was made for others is forgotten."""
        before, self._made = self._made, {}
        for state in states:
            made = before.get(state.number)
            if made is None or made[0] is not state:
                made = (state, Profile.of(state) if _may_be_offered(state) else None)
            self._made[state.number] = made
        return [profile for _, profile in self._made.values() if profile is not None]


def _may_be_offered(state: Incident) -> bool:
    if state.drill or state.status == "cancelled":
        return False
    return state.is_active or any(not task.done for task in state.tasks)


def alike(
    title: str,
    service: str | None,
    labels: Mapping[str, str],
    others: Iterable[Profile],
    sees: Callable[[Incident], bool] = lambda state: True,
) -> list[Likeness]:
    """Return the incidents of `others` that look like this one and that the asker `sees`, the likest first."""
    this = _Declared(_words(title), (service or "").casefold(), _telling(labels))
    found = []
    for other in others:
        score = _score(this, other)
        if score >= (OPEN_AT if other.is_open else PAST_AT) and sees(other.state):
            found.append(Likeness(other.state, score, _why(this, other)))
    found.sort(key=lambda one: (not one.state.is_active, -one.score, -one.state.number))
    return found[:SHOWN]


@dataclass(frozen=True, slots=True)
class _Declared:
    words: frozenset[str]
    service: str
    labels: Mapping[str, str]


def _score(this: _Declared, other: Profile) -> float:
    score = 0.0
    common, known = this.words & other.words, this.words & other.known_by
    if common:
        score = len(common) / (len(this.words) + len(other.words) - len(common))
    if known:  # what its alerts are called, and where they are from: nobody needs to have said it in the title
        score = max(score, len(common | known) / len(this.words))
    elif not common and not this.labels:
        return score  # the service alone makes nothing alike
    if _is_same_service(this, other):
        score += _SERVICE
    if same := _same_labels(this, other):
        score += _LABELS * len(same) / len(this.labels)
    return min(score, 1.0)


def _why(this: _Declared, other: Profile) -> str:
    parts = [", ".join(sorted(this.words & (other.words | other.known_by))[:4])]
    if _is_same_service(this, other):
        parts.append(f"service {other.state.service}")
    parts.append(", ".join(sorted(_same_labels(this, other))[:3]))
    return "; ".join(filter(None, parts))


def _is_same_service(this: _Declared, other: Profile) -> bool:
    """Another service that is named is another one, whatever the title says."""
    if this.service:
        return this.service == other.service
    return bool(other.service_words) and other.service_words <= this.words


def _same_labels(this: _Declared, other: Profile) -> list[str]:
    return [name for name, value in this.labels.items() if other.state.labels.get(name) == value]


def _telling(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in _COMMON_LABELS}


def _words(text: str) -> frozenset[str]:
    """The words that tell one incident from another, without their plural."""
    found = (word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text)))
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found) - _EMPTY
