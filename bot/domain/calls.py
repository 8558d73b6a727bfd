"""Where people of an incident talk: an address from the configuration's template, or one that somebody gave."""

import re
from typing import Final

from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.domain.templates import fill
from bot.domain.text import clean, slug

URL_MAX: Final = 2000
"""Characters; Slack's own limit of a button's address is 3,000."""
_URL: Final = re.compile(r"https?://[^\s<>|\"'`\\]+", re.IGNORECASE)
SLUG_MAX: Final = 60


def web_url(text: str) -> str:
    """Return `text` if it is an http(s) address that can stand in a link, else nothing."""
    found = clean(text)
    return found if len(found) <= URL_MAX and _URL.fullmatch(found) else ""


def call_link(
    policy: Policy, number: int, title: str, severity: Severity, service: str | None, *, private: bool
) -> str:
    """Return the incident's own call link, by `channels.call`; empty without one, or if it makes no address.

    A private incident's link holds its number and severity only: addresses are seen by whoever runs the calls.
    """
    template = policy.channels.call
    if not template:
        return ""
    values = {
        "key": f"INC-{number}",
        "number": number,
        "severity": severity.value,
        "slug": "" if private else slug(title, SLUG_MAX),
        "service": "" if private else slug(service or "", SLUG_MAX),
    }
    try:
        return web_url(fill(template, values).rstrip("-"))
    except ValueError:
        return ""
