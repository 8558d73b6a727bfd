"""Which service people mean: one that is configured, however they write it; any, where none is configured."""

import difflib
from typing import Final

from bot.domain.policy import Policy
from bot.domain.refusals import UnknownService

_ALIKE: Final = 0.85
"""`chekout` is meant to be `checkout`; `checkout-ops` is the name of a channel."""


def service_of(word: str, policy: Policy) -> str:
    """Return the service that `word` means. Refuses one that is not configured, where services are."""
    word = word.strip().lstrip("#").rstrip(".,:;")
    found = find_service(word, policy)
    if found is None:
        close = near_service(word, policy)
        hint = f" Did you mean `{close}`?" if close else ""
        raise UnknownService(word=word, hint=hint, services=", ".join(sorted(policy.services)))
    return found


def find_service(word: str, policy: Policy) -> str | None:
    """Return the service of that name, in its own spelling; `word` itself where no service is configured."""
    known = _by_lower(policy)
    return known.get(word.lower()) if known else word


def near_service(word: str, policy: Policy) -> str | None:
    """Return the configured service of which `word` looks like a slip, None if it looks like none."""
    known = _by_lower(policy)
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=_ALIKE)
    return known[close[0]] if close else None


def _by_lower(policy: Policy) -> dict[str, str]:
    return {name.lower(): name for name in policy.services}
