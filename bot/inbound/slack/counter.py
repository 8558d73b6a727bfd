"""What every Slack handler stands at: the desk, the committer, the texts, and ways to tell somebody something."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.domain.policy import Policy
from bot.domain.refusals import Refused
from bot.inbound.slack.errors import FAILED, name_of
from bot.inbound.slack.homes import OpenHomes
from bot.inbound.slack.opening import view_of
from bot.inbound.slack.rooms import Rooms
from bot.inbound.slack.tasks import Tasks
from bot.ports.observer import Answered, Observer, Unobserved
from bot.ports.reader import Reader
from bot.ports.stop import Stop
from bot.ports.store import Answer, Unavailable
from bot.render.slack import replies, windows
from bot.render.slack.answers import refusal_text
from bot.render.slack.message import Block, Message
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.usecases.cases import Request
from bot.usecases.committer import Submits
from bot.usecases.desk import Desk, Form, Outcome, QueryAnswer
from bot.usecases.precedence import Precedence

log = structlog.get_logger()

Body: TypeAlias = Mapping[str, Any]
"""A payload as Slack sent it, authenticated."""
Ack: TypeAlias = dict[str, Any]
"""Arguments of Bolt's `ack`; empty: a bare 200."""


@dataclass(frozen=True, slots=True)
class Again:
    """A submitted form comes back, with something to think about first."""

    view: windows.View


Said: TypeAlias = Message | Form | Again | None
"""What a handler found out: words, a form to open, a form that comes back, or nothing to say."""
Surface: TypeAlias = Literal["slash", "mention", "button", "form", "shortcut", "reaction", "event"]
"""Through which part of Slack somebody came, as the audit trail says it; `event`: they did something in a channel."""
Tell: TypeAlias = Callable[[Message], Awaitable[None]]

NOT_CONFIRMED: Final = Message("Not confirmed yet – I will tell you here.")
NOT_SAVED: Final = Message("Not saved: the database does not answer. Try again in a moment.")
NOT_KNOWN: Final = Message(
    "The database went away in the midst of saving: this may have been saved, or not. "
    "Look first (`/incident list`, or the timeline), then say it again if it is not there."
)
WENT_WRONG: Final = Message("Something went wrong on our side, and nothing was confirmed. Look before you try again.")
TOO_LATE: Final = Message("The form did not open in time, and nothing was done. Try again.")
STOPPING: Final = Message("Nothing was done: Tocsin is being stopped or restarted. Try again in a moment.")
SECONDS_FOR_CALLS: Final = 8


@dataclass(slots=True)
class Heard:
    """One request of a person, for metrics. `verb` is set once it is understood, from a closed set."""

    door: Literal["slash", "mention", "action", "view", "shortcut"]
    verb: str = "unknown"


def not_saved(gone: Unavailable) -> Message:
    """Return what whoever asked is told when the database did not take it."""
    return NOT_KNOWN if gone.uncertain else NOT_SAVED


@dataclass(slots=True)
class Counter:
    """One per process. `patience` is how many seconds a commit may take before the asker hears that it is late."""

    desk: Desk
    submit: Submits
    reader: Reader
    rooms: Rooms
    texts: Texts
    renderer: Renderer
    policy: Policy
    client: AsyncWebClient
    http: aiohttp.ClientSession
    tasks: Tasks = field(default_factory=Tasks)
    patience: float = 2.0
    observer: Observer = field(default_factory=Unobserved)
    homes: OpenHomes | None = None
    precedence: Precedence = field(default_factory=Precedence)
    message_link: Callable[[str], str] = lambda place: ""
    """`slack:<channel>/<ts>` → the message's address."""
    stop: Stop = field(default_factory=Stop)
    """Once we are told to stop, nothing new is begun."""

    def request(self, actor: str, slack_id: object, door: Surface) -> Request:
        """Return who asks, and how. `slack_id` is Slack's own id of this one request: a repeat is not done again.

        The request id is the HTTP layer's, if it gave one.
        """
        known = structlog.contextvars.get_contextvars().get("request_id")
        command_id = f"slack:{slack_id}" if slack_id else ""
        return Request(
            actor=actor, command_id=command_id, request_id=str(known or uuid4().hex), surface=f"slack:{door}"
        )

    def message(self, outcome: Outcome) -> Said:
        """Return an outcome of the desk as Slack shows it to the asker."""
        match outcome:
            case Answer():
                return replies.answer(outcome, self.texts)
            case QueryAnswer():
                return replies.looked_up(outcome.kind, outcome.data, self.texts)
            case Form():
                return outcome

    # --- within three seconds, or in words later ----------------------------------------------------------
    async def settle(self, heard: Heard, work: Awaitable[Said], tell: Tell) -> Said:
        """Return what `work` came to. If it takes longer than `patience`, say so now and `tell` the rest later."""
        started = time.perf_counter()
        task = self.tasks.start(self._explained(work))
        with self.precedence:
            done, _ = await asyncio.wait({task}, timeout=self.patience)
        outcome, said = task.result() if done else ("unconfirmed", NOT_CONFIRMED)
        self.observer.commanded(heard.door, heard.verb, outcome, time.perf_counter() - started)
        if not done:
            self.tasks.start(self._tell_when_known(task, tell))
        return said

    async def _tell_when_known(self, task: asyncio.Task[tuple[Answered, Said]], tell: Tell) -> None:
        _, said = await task
        if isinstance(said, Form):
            said = replies.offer(said.name, said.state.number if said.state else None)
        if isinstance(said, Again):
            said = Message("Nothing was declared: something looks the same. Open the form again to see it.")
        await tell(said or Message("Done."))

    async def _explained(self, work: Awaitable[Said]) -> tuple[Answered, Said]:
        try:
            return "done", await work
        except Refused as refused:
            return "refused", Message(refusal_text(refused))
        except Unavailable as exc:
            log.warning("slack request not saved", error=str(exc), uncertain=exc.uncertain)
            return "failed", not_saved(exc)
        except Exception as exc:  # the asker must hear of it: an unanswered request shows as "dispatch failed"
            log.exception("slack request failed", error=type(exc).__name__)
            return "failed", WENT_WRONG

    # --- telling, at most once: never the only carrier of anything ----------------------------------------
    async def respond(self, response_url: str, said: Message) -> None:
        """Answer over a response URL, to the asker only."""
        webhook = AsyncWebhookClient(response_url, session=self.http, timeout=SECONDS_FOR_CALLS, retry_handlers=[])
        try:
            await webhook.send(
                text=said.text, blocks=said.blocks or None, response_type="ephemeral", replace_original=False
            )
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as exc:
            log.warning("could not answer over the response url", error=type(exc).__name__)

    async def whisper(self, channel: str, user: str, said: Message, thread_ts: str | None = None) -> None:
        """Show `said` to one person in a channel, where no response URL came along."""
        await self._call(
            "chat.postEphemeral",
            {
                "channel": channel,
                "user": user,
                "text": said.text,
                "blocks": said.blocks,
                "thread_ts": thread_ts,
                "parse": "none",  # nothing in `text` is a mention or a link but what we made one
            },
        )

    async def open_form(
        self, form: Form, trigger_id: str, remembered: str, title: str = "", *, above: bool = False
    ) -> Message | None:
        """Open a form now: its trigger lives three seconds. Returns what to say instead, if that failed."""
        late = await self.open_view(view_of(form, self.policy, remembered, title), trigger_id, above=above)
        return late and replies.offer(form.name, form.state.number if form.state else None)

    async def open_view(self, view: windows.View, trigger_id: str, *, above: bool = False) -> Message | None:
        """Open a form now, or lay it `above` the window that is open. Returns what to say if its trigger was gone."""
        method, shown = ("views.push", windows.above(view)) if above else ("views.open", view)
        return None if await self._call(method, {"trigger_id": trigger_id, "view": shown}) else TOO_LATE

    async def open_note(self, said: Message, trigger_id: str) -> None:
        """Say `said` in a small window, where there is neither channel nor response URL."""
        await self._call("views.open", {"trigger_id": trigger_id, "view": windows.note("Tocsin", said)})

    async def replace_form(
        self, view_id: str, said: Message, channel: str, user: str, kept: Sequence[Block] = ()
    ) -> None:
        """Say `said` in the place of a window, with the controls `kept`; where it was closed, in the channel."""
        told = await self._call("views.update", {"view_id": view_id, "view": windows.note("Tocsin", said, kept)})
        if not told and channel:
            await self.whisper(channel, user, said)

    async def _call(self, method: str, arguments: dict[str, Any]) -> bool:
        """True if Slack did it. It is at most once: no retry."""
        body = {key: value for key, value in arguments.items() if value}
        try:
            await self.client.api_call(method, json=body)
        except FAILED as exc:
            log.warning("slack did not do it", method=method, error=name_of(exc))
            return False
        return True
