"""The same words by the same person within a minute are one update, note or action item, typed again. Pure.

Slack's own repeats carry the id of the first and get its answer. A person who saw "timed out" types it once more, and
that is a new command: only its words tell.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from bot.domain import events as e
from bot.domain.incident.state import Incident, Said

AGAIN_WITHIN: Final = timedelta(seconds=60)
_KEPT: Final = 8
"""Of what was said last, over all people: in a minute nobody types more than a few."""


class SaidBefore(Exception):
    """The same person wrote just this at `at`: nothing changes, and they are told so."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"said at {at.isoformat()}")
        self.at = at


def once(state: Incident, words: e.Event, actor: str, now: datetime) -> list[e.Event]:
    """Return `words` as what happens. Raises SaidBefore if `actor` said just this a moment ago."""
    mark = _mark(words, actor, now)
    for earlier in state.said:
        if earlier.mark == mark and now - earlier.at < AGAIN_WITHIN:
            raise SaidBefore(earlier.at)
    return [words]


def remembered(state: Incident, item: e.Recorded) -> tuple[Said, ...]:
    """Return what was said last, with `item` if somebody wrote it."""
    mark = _mark(item.event, item.actor, item.at)
    return (*state.said[1 - _KEPT :], Said(mark=mark, at=item.at)) if mark else state.said


def _mark(words: e.Event, actor: str, at: datetime) -> str:
    """Return a digest of who says what, and what it asks for; times as spans, since they move with the clock."""
    match words:
        case e.UpdatePosted():
            besides = str(words.update_by and round((words.update_by - at).total_seconds()))
        case e.NoteAdded():
            besides = str(words.happened_at)
        case e.TaskAdded():
            besides = f"{words.owner} {words.due and round((words.due - at).total_seconds())}"
        case _:
            return ""
    return hashlib.sha256(f"{words.type}\0{actor}\0{besides}\0{words.text}".encode()).hexdigest()[:16]
