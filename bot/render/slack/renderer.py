"""The messages as delivery asks for them: by name, from the state at the moment of sending."""

from collections.abc import Callable, Mapping
from typing import Final

from bot.domain.effects import Tell, TellUser
from bot.domain.events import Recorded, RunbookAttached
from bot.domain.incident import Incident
from bot.render.slack.announcement import announcement
from bot.render.slack.card import card
from bot.render.slack.draft import draft
from bot.render.slack.message import Message, Surroundings
from bot.render.slack.runbook import runbook, runbook_page
from bot.render.slack.tells import tell, tell_user
from bot.render.slack.topic import topic

_LIVE: Final[Mapping[str, Callable[[Incident, Surroundings], Message]]] = {
    "card": card,
    "announcement": announcement,
    "draft": draft,
}


class Renderer:
    """Every message of the product, in its surroundings."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.links = around.links

    def live(self, what: str, state: Incident, book: RunbookAttached | None = None) -> Message:
        """Return the live message `what`; `runbook` needs the runbook in force. Raises KeyError for an unknown one."""
        if what == "runbook" and book is not None:
            return runbook(state, book, self._around)
        return _LIVE[what](state, self._around)

    def runbook_page(self, state: Incident, book: RunbookAttached, page: int) -> Message:
        """Return one page of a long runbook in full, for the one who asked."""
        return runbook_page(state, book, page, self._around)

    def tell(self, effect: Tell, item: Recorded, state: Incident) -> Message:
        """Return what is said in the channel about `item`."""
        return tell(effect, item, state, self._around)

    def tell_user(self, effect: TellUser, item: Recorded, state: Incident) -> Message:
        """Return what one person is told about `item`."""
        return tell_user(effect, item, state, self._around)

    def topic(self, state: Incident) -> str:
        """Return the channel's topic."""
        return topic(state, self._around)
