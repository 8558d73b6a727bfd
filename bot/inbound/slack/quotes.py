"""A message that a shortcut was used on, read out of its payload: who wrote what, where, when."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.people import is_person, mention
from bot.domain.text import clean
from bot.domain.verbs.reading import tidy
from bot.inbound.slack.counter import Body
from bot.inbound.slack.origins import author, moment, part

QUOTED_MAX: Final = 2_500
"""Characters: what is longer is read where it stands; a form's input takes 3,000."""
_PLACE: Final = re.compile(r"slack:[A-Z0-9]{1,30}/[0-9]{1,12}\.[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Quote:
    """`place` is `slack:<channel>/<ts>`; empty if the payload does not say where it stands."""

    text: str
    author: str
    channel: str
    place: str
    at: datetime | None

    @property
    def attributed(self) -> str:
        """The words, with who wrote them in front."""
        if not self.text or not is_person(self.author):
            return self.text
        return f"{mention(self.author)} wrote: {self.text}"


def quote(body: Body) -> Quote:
    """Return the message that `body` is about."""
    message, channel = part(body, "message"), str(part(body, "channel").get("id") or "")
    ts = str(body.get("message_ts") or message.get("ts") or "")
    place = place_of(f"slack:{channel}/{ts}")
    words = clean(tidy(str(message.get("text") or ""), escaped=True), QUOTED_MAX)
    return Quote(words, author(message), channel, place, moment(ts) if place else None)


def place_of(text: str) -> str:
    """Return `text` if it names a message, else nothing."""
    return text if _PLACE.fullmatch(text) else ""


def moment_of(place: str) -> datetime | None:
    """Return when the message at `place` was written."""
    return moment(place.rpartition("/")[2]) if place else None
