"""What a case would post: its effects carried out on paper, each as it would be rendered by then. Writes nothing."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.domain import commands as c
from bot.domain.effects import (
    AskTriage,
    OpenRoom,
    PagePager,
    PostAlerts,
    PostAnnouncement,
    PostCard,
    PostDraft,
    PostRunbook,
    ShowMessage,
    ShowTopic,
    ShowTriage,
    Tell,
    TellUser,
)
from bot.domain.events import Recorded, RunbookAttached
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.policy import Policy
from bot.domain.questions import Question
from bot.ports.store import Answer, Changes, NewEffect
from bot.render.slack.renderer import Renderer
from bot.usecases.unfold import unfold

STEPS_MAX: Final = 200
"""Effects followed; opening an incident has about a dozen."""
TEXT_MAX: Final = 3000
_ROOM, _ELSEWHERE = "C0000000000", "C0000000001"
"""Stand for channels that are not there yet."""
_DATE = re.compile(r"<!date\^[0-9]+\^[^|<>]*\|([^<>]*)>")
_NAMED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]+)(?:\|[^<>]*)?>")
_LINK = re.compile(r"<(https?://[^<>|]+)(?:\|([^<>]*))?>")
_LIVE: Final = {PostCard: "card", PostRunbook: "runbook", PostAlerts: "alerts", PostDraft: "draft"}


@dataclass(frozen=True, slots=True)
class Posting:
    """One message. `where`: a channel, a person, a pager; `what`: post, edit, topic, or the message's name."""

    where: str
    what: str
    text: str


@dataclass(slots=True)
class Rehearsal:
    """Delivery, as far as it is foreseeable: every call succeeds, in the order in which it is asked for."""

    policy: Policy
    render: Renderer
    now: datetime

    def of(self, changes: Changes) -> list[Posting]:
        """Return what the world would see of `changes`, one after the other."""
        found: list[Posting] = []
        states = dict(changes.incidents)
        log = {(new.incident, new.recorded.seq): new.recorded for new in changes.events}
        questions = {one.id: one for one in changes.questions}
        waiting = deque(changes.effects)
        for _ in range(STEPS_MAX):
            if not waiting:
                break
            new = waiting.popleft()
            if isinstance(new.effect, AskTriage | ShowTriage):
                found += self._asked(new.effect, questions)
            elif (state := states.get(new.incident)) is not None:
                room = f"#{state.room.name if state.room else state.room_name}"
                found += (replace(one, text=one.text.replace(f"@{_ROOM}", room)) for one in self._seen(new, state, log))
                follows = self._followed(new, state)
                states |= follows.incidents
                log |= {(one.incident, one.recorded.seq): one.recorded for one in follows.events}
                waiting.extend(follows.effects)
        return found

    def _asked(self, effect: AskTriage | ShowTriage, questions: dict[str, Question]) -> Iterator[Posting]:
        if (question := questions.get(effect.question)) is not None:
            what = "question" if isinstance(effect, AskTriage) else "question, edited"
            yield Posting(effect.to, what, readable(self.render.question(question).words))

    def _seen(self, new: NewEffect, state: Incident, log: dict[tuple[int, int], Recorded]) -> Iterator[Posting]:
        room, item = state.room.name if state.room else state.room_name, log.get((new.incident, new.seq))
        match new.effect:
            case PostCard() | PostRunbook() | PostAlerts() | PostDraft() as effect:
                what = _LIVE[type(effect)]
                book = log.get((new.incident, state.runbook.seq)) if state.runbook else None
                attached = book.event if book and isinstance(book.event, RunbookAttached) else None
                if what != "runbook" or attached is not None:
                    yield Posting(f"#{room}", what, readable(self.render.live(what, state, attached).words))
            case PostAnnouncement() as effect:
                yield Posting(
                    f"#{effect.channel}", "announcement", readable(self.render.live("announcement", state).words)
                )
            case ShowMessage() as effect if effect.what == "alerts":
                yield Posting(f"#{room}", "alerts, edited", readable(self.render.live("alerts", state).words))
            case ShowTopic():
                yield Posting(f"#{room}", "topic", readable(self.render.topic(state)))
            case Tell() as effect if item is not None:
                yield Posting(f"#{room}", "message", readable(self.render.tell(effect, item, state).words))
            case TellUser() as effect if item is not None:
                yield Posting(f"@{effect.user}", "message", readable(self.render.tell_user(effect, item, state).words))
            case PagePager() as effect:
                yield Posting(f"pager {effect.target}", "page", f"{state.key}: {state.title}")

    def _followed(self, new: NewEffect, state: Incident) -> Changes:
        """Return what comes of it once it is done: the channel is there, so its card is asked for."""
        told: c.Command
        match new.effect:
            case OpenRoom() as effect:
                told = c.RoomOpened(_ROOM, effect.name)
            case PostCard() | PostRunbook() | PostAlerts() | PostDraft() as effect:
                told = c.MessagePosted(_LIVE[type(effect)], _ROOM, "0.0", state.seq)
            case PostAnnouncement() as effect:
                told = c.MessagePosted(effect.shown_as, _ELSEWHERE, "0.0", state.seq)
            case _:
                return Changes(Answer(kind=""))
        changes = Changes(Answer(kind=""))
        context = Context(self.policy, self.now, "tocsin")
        unfold(changes, state, decide(state, told, context), context)
        return changes


def readable(text: str) -> str:
    """Return mrkdwn as it reads in a terminal: dates, people and links in words, nothing escaped."""
    text = _LINK.sub(lambda link: f"{link[2]} ({link[1]})" if link[2] else link[1], _DATE.sub(r"\1", text))
    text = _NAMED.sub(r"@\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")[:TEXT_MAX]
