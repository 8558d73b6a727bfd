"""What to silence at the sender: the alerts a person means, as matchers on the labels they share. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from bot.domain.alerts import Episode
from bot.domain.events import Silencing
from bot.domain.text import clean_line

SOURCE: Final = "alertmanager"
"""The one sender that can be asked to be silent."""
DEFAULT: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=1)
"""A silence outlives nobody's shift by much: one that is forgotten hides the next outage."""
SHORTEST: Final = timedelta(minutes=1)
ALERTS_MAX: Final = 20
"""Silences of one request: more than this is a change of configuration, not a pause."""
EVERYTHING: Final = ("", "all", "*")
_CUT: Final = "…"


def choose(episodes: Iterable[Episode], word: str) -> tuple[Silencing, ...]:
    """Return the silences for the firing alerts that `word` means: a fingerprint, an alert's name, or all of them.

    Alerts of one name share one silence, on the labels that all of them have. Empty: there is no such alert, or none
    that its sender would recognise by what is known of it.
    """
    firing = [one for one in _meant(episodes, word) if not inexact_labels(one)]
    names = dict.fromkeys(one.name for one in firing)
    made = [(name, common([one.labels for one in firing if one.name == name])) for name in names]
    return tuple(Silencing(name=clean_line(name, 120), matchers=matchers) for name, matchers in made if matchers)


def inexact(episodes: Iterable[Episode], word: str) -> tuple[str, ...]:
    """Return the labels for which alerts that `word` means cannot be silenced."""
    return tuple(dict.fromkeys(name for one in _meant(episodes, word) for name in inexact_labels(one)))


def inexact_labels(one: Episode) -> tuple[str, ...]:
    """Return labels that are not here as the sender has them: a matcher on them fits nothing, one without them more."""
    cut = [name for name, value in one.labels.items() if _CUT in (name[-1:], value[-1:])]
    return tuple(dict.fromkeys((*one.inexact, *cut)))


def _meant(episodes: Iterable[Episode], word: str) -> list[Episode]:
    firing = [one for one in episodes if one.is_open and one.source == SOURCE]
    if word in EVERYTHING:
        return firing
    wanted = word.casefold()
    exact = [one for one in firing if one.fingerprint == word]
    return exact or [one for one in firing if one.name.casefold() == wanted]


def common(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the labels that all have with the same value."""
    if not labels:
        return {}
    first, *rest = labels
    return {n: value for n, value in first.items() if value and all(other.get(n) == value for other in rest)}


def in_words(matchers: Mapping[str, str]) -> str:
    """Return matchers as a person reads them: `alertname="HighLatency", env="prod"`."""
    return ", ".join(f'{name}="{value}"' for name, value in matchers.items())
