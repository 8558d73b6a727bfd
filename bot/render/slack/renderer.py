"""The messages as delivery asks for them: by name, from the state at the moment of sending."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bot.domain.effects import PAGE, Tell, TellUser
from bot.domain.events import Recorded, RunbookAttached
from bot.domain.incident import Incident
from bot.domain.notices import Notice
from bot.domain.questions import Question
from bot.render.slack.alerts import alerts
from bot.render.slack.announcement import announcement
from bot.render.slack.card import card
from bot.render.slack.digest import digest
from bot.render.slack.draft import draft
from bot.render.slack.home import home
from bot.render.slack.message import Message, Surroundings
from bot.render.slack.notices import notice_message
from bot.render.slack.page import page
from bot.render.slack.question import question_message
from bot.render.slack.runbook import runbook, runbook_page
from bot.render.slack.tells import tell, tell_user
from bot.render.slack.topic import topic

_LIVE: Final[Mapping[str, Callable[[Incident, Surroundings], Message]]] = {
    "alerts": alerts,
    "card": card,
    "announcement": announcement,
    "draft": draft,
    PAGE: page,
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
        if what.startswith(f"{PAGE}:"):
            return page(state, self._around, what.partition(":")[2])
        return _LIVE[what.partition(":")[0]](state, self._around)

    def runbook_page(self, state: Incident, book: RunbookAttached, page: int) -> Message:
        """Return one page of a long runbook in full, for the one who asked."""
        return runbook_page(state, book, page, self._around)

    def tell(self, effect: Tell, item: Recorded, state: Incident) -> Message:
        """Return what is said in the channel about `item`."""
        return tell(effect, item, state, self._around)

    def digest(
        self, waited: Sequence[tuple[Tell, Recorded]], state: Incident, until: datetime
    ) -> tuple[Message, int] | None:
        """Return what waited for the channel as one message, and how much of it; None if it is better told singly."""
        return digest(waited, state, self._around, until)

    def tell_user(
        self, effect: TellUser, item: Recorded, state: Incident, book: RunbookAttached | None = None
    ) -> Message:
        """Return what one person is told about `item`; a handoff needs the runbook in force."""
        return tell_user(effect, item, state, self._around, book)

    def notice(self, notice: Notice) -> Message:
        """Return a message of the house."""
        return notice_message(notice, self._around)

    def question(self, question: Question) -> Message:
        """Return what people are asked about alerts."""
        return question_message(question, self._around)

    def home(self, data: Mapping[str, Any], now: datetime, channel_link: Callable[[str], str]) -> dict[str, Any]:
        """Return what App Home shows one person."""
        return home(data, self._around, now, channel_link)

    def topic(self, state: Incident) -> str:
        """Return the channel's topic."""
        return topic(state, self._around)
