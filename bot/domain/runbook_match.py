"""Which runbook fits an alert, and why. In this order, the first that fits: the alert's own runbook_url, its exact
name, its name with other labels, its service, the default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from bot.domain.matchers import parse as parse_matchers
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity

BY_URL, BY_NAME, BY_PATTERN, BY_SERVICE = range(4)
_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, order=True)
class Fit:
    """How well a runbook fits; the smallest is the best. More conditions that hold make a closer fit."""

    tier: int
    looseness: int
    name: str
    reason: str = field(compare=False)

    def ties(self, other: "Fit") -> bool:
        """True if nothing but the alphabet decides between the two."""
        return (self.tier, self.looseness) == (other.tier, other.looseness)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A set of runbooks as it was at one moment. Pure."""

    runbooks: Mapping[str, Runbook] = field(default_factory=dict)
    default: str | None = "default"
    by_service: Mapping[str, str] = field(default_factory=dict)
    """Service → the runbook that its configuration names."""

    def get(self, name: str) -> Runbook | None:
        """The runbook called `name`, however it is spelled."""
        if name in self.runbooks:
            return self.runbooks[name]
        word = spelled(name)
        return next((book for known, book in self.runbooks.items() if word and spelled(known) == word), None)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self.runbooks)

    def all(self) -> list[Runbook]:
        """All runbooks, by name."""
        return [self.runbooks[name] for name in self.names()]

    def match(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], service: str | None, severity: Severity
    ) -> tuple[Runbook | None, str]:
        """The runbook that fits best, and why."""
        fits = self.fits(labels, annotations, service, severity)
        if fits:
            best = fits[0]
            tied = f" (so does {fits[1].name}: make one of them more exact)" if _tied(fits) else ""
            return self.runbooks[best.name], best.reason + tied
        fallback = self.get(self.default) if self.default else None
        return fallback, "no other runbook fits" if fallback else "no runbook fits"

    def fits(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], service: str | None, severity: Severity
    ) -> list[Fit]:
        """Every runbook that fits, the best first."""
        fields = {"severity": severity.value, **labels}
        fields["service"] = service or labels.get("service", "")
        fields["runbook_url"] = annotations.get("runbook_url", labels.get("runbook_url", ""))
        own = self.by_service.get(service or "")
        found = [fit for book in self.runbooks.values() if (fit := _fit(book, fields, own == book.name))]
        return sorted(found)


@lru_cache(maxsize=1024)
def spelled(name: str) -> str:
    """`HighLatency`, `high-latency` and `High_Latency.md` are one name: senders and files spell it differently."""
    return _NOT_WORD.sub("", name.lower().removesuffix(".md").removesuffix(".html"))


def _tied(fits: list[Fit]) -> bool:
    return len(fits) > 1 and fits[0].ties(fits[1])


def _fit(book: Runbook, fields: Mapping[str, str], named_by_service: bool) -> Fit | None:
    found = [fit for entry in book.matches if (fit := _entry_fit(book.name, entry, fields))]
    if _url_names(fields["runbook_url"], book.name):
        found.append(Fit(BY_URL, 0, book.name, "the alert's runbook_url names it"))
    alert = fields.get("alertname", "")
    if alert and spelled(alert) == spelled(book.name):
        found.append(Fit(BY_NAME, 0, book.name, f"it is named like the alert {alert}"))
    if named_by_service:
        found.append(Fit(BY_SERVICE, 0, book.name, f"the service {fields['service']} names it"))
    return min(found, default=None)


def _entry_fit(name: str, entry: str, fields: Mapping[str, str]) -> Fit | None:
    try:
        matchers = parse_matchers(entry)
    except ValueError:
        return None  # lint names it; the file's other entries still serve
    # The same alert is spelled in several cases by the collections of rules; regular expressions say what they mean.
    alert = fields.get("alertname", "").casefold()
    exact = False
    for matcher in matchers:
        if matcher.name == "alertname" and matcher.op == "=":
            exact = True
            if matcher.value.casefold() != alert:
                return None
        elif not matcher.holds(fields):
            return None
    looseness = -len(matchers)
    if any(m.name == "runbook_url" and fields["runbook_url"] for m in matchers):
        return Fit(BY_URL, looseness, name, f"{entry} fits the alert's runbook_url")
    if exact:
        return Fit(BY_NAME, looseness, name, f"{entry} names the alert")
    if any(m.name == "alertname" for m in matchers):
        return Fit(BY_PATTERN, looseness, name, f"{_short(entry)} fits the alert's name")
    return Fit(BY_SERVICE, looseness, name, f"{_short(entry)} fits")


def _short(entry: str) -> str:
    return entry if len(entry) <= 80 else f"{entry[:79]}…"


def _url_names(url: str, name: str) -> bool:
    """True if the last part of the URL's path is the runbook's name."""
    last = spelled(_last_part(url)) if url else ""
    return bool(last) and last == spelled(name)


@lru_cache(maxsize=256)
def _last_part(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    return next((part for part in reversed(parts.path.split("/")) if part), "")
