"""What a sender of alerts tells about its own incident besides its state: who answered, what was noted, which call."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.text import clean_line

What = Literal[
    "opened",
    "acknowledged",
    "unacknowledged",
    "resolved",
    "merged",
    "escalated",
    "reassigned",
    "delegated",
    "priority",
    "service",
    "incident_type",
    "note",
    "status_update",
    "responder",
    "call",
    "fields",
    "role",
    "task",
    "workflow",
    "action",
]
SENDERS: Final[Mapping[str, str]] = {"pagerduty": "PagerDuty"}
"""Senders that have incidents and people of their own, by source: what people call them."""
NAME_MAX: Final = 60
SPOKEN: Final = frozenset({"note", "unacknowledged", "call", "merged"})
"""What the channel is told at once; the rest stands on the timeline only, so that a busy pager floods nobody."""

# Nothing that Slack or a table could read as a mention, a link or a style stands in a name.
_MARKS = re.compile(r"[<>@#&|*_`~\[\]()]+")
_PHRASES: Final[Mapping[str, str]] = {
    "opened": "opened its incident for our page",
    "unacknowledged": "took the acknowledgement back: it calls people again",
    "resolved": "resolved its incident",
    "merged": "merged its incident into",
    "escalated": "escalated to",
    "reassigned": "assigned it to",
    "delegated": "delegated it to",
    "priority": "set the priority to",
    "service": "moved it to the service",
    "incident_type": "changed the incident's type to",
    "note": "noted",
    "status_update": "published a status update",
    "call": "changed the call",
    "fields": "changed",
    "responder": "",
    "role": "",
    "task": "",
    "workflow": "",
    "action": "",
}
_QUOTING: Final = frozenset({"note", "status_update", "responder", "role", "task", "workflow", "action"})


class News(BaseModel):
    """One thing a sender tells. All texts are hostile, cleaned and cut."""

    model_config = ConfigDict(frozen=True)
    source: str
    fingerprint: str
    """The sender's incident."""
    what: What
    who: str = ""
    """The person's name at the sender; empty: the sender itself."""
    text: str = ""
    url: str = ""
    """With `call`: where to join, http(s) only."""
    into: str = ""
    """With `merged`: the sender's incident that goes on."""
    at: datetime | None = None
    """The sender's time."""
    implied: bool = False
    """Not what happened just now, but how things stand: it counts where the sender's incident is first heard of."""
    installation: str = ""
    incident: int = 0
    """If it is about a page of a Tocsin: whose, and for which incident. What the sender opened for it is no alert."""


def person_name(text: str) -> str:
    """Return a name from outside as it may stand in an actor: short, on one line, with nothing that means anything."""
    return clean_line(_MARKS.sub(" ", text), NAME_MAX)


def actor_of(source: str, who: str) -> str:
    """Return the actor for somebody at the sender: `pagerduty:Dana Whitfield`; without a name, `pagerduty:`."""
    return f"{source}:{person_name(who)}"


def actor_name(actor: str) -> str:
    """Return `Dana Whitfield (PagerDuty)` for such an actor; empty for every other."""
    source, colon, name = actor.partition(":")
    if not colon or source not in SENDERS:
        return ""
    return f"{name} ({SENDERS[source]})" if name else f"somebody in {SENDERS[source]}"


def news_sentence(source: str, what: str, who: str, text: str) -> str:
    """Return the news as one sentence for the timeline: `Ravi Menon (PagerDuty) escalated to Maeve Doyle`."""
    sender = SENDERS.get(source, source)
    subject = f"{who} ({sender})" if who else sender
    phrase = _PHRASES.get(what, what)
    head = f"{subject} {phrase}".rstrip()
    if not text:
        return head
    return f"{head}: {text}" if what in _QUOTING else f"{head} {text}"
