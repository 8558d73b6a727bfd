"""Rules for what deliveries report back: the same door as everything else, so a crash loses none of it."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.effects import PAGE
from bot.domain.incident.context import Context
from bot.domain.incident.state import Incident
from bot.domain.severity import Status
from bot.domain.text import clean_line

IN_THE_ROOM = frozenset(
    {"card", "runbook", "draft", "topic", "invite", "post_card", "post_runbook", "post_draft", "pin_card", "bookmark"}
    | {"tell", "alerts", "post_alerts", "name_room", "call"}
)
"""Kinds of effects, and of what is shown, that are of no use without the channel."""


def room_opened(state: Incident, command: c.RoomOpened, ctx: Context) -> list[e.Event]:
    """The channel exists, or exists again."""
    if state.room is None:
        return [e.RoomCreated(channel=command.channel, name=command.name)]
    if not state.archived or state.status is Status.CANCELLED:
        return []
    if state.room.channel != command.channel:
        return [e.RoomCreated(channel=command.channel, name=command.name)]
    return [e.RoomRestored()]


def room_named(state: Incident, command: c.RoomNamed, ctx: Context) -> list[e.Event]:
    """The channel has another name."""
    return [e.RoomNamed(name=command.name)] if state.room and state.room.name != command.name else []


def message_posted(state: Incident, command: c.MessagePosted, ctx: Context) -> list[e.Event]:
    """A live message exists; it showed the state of sequence `shown`."""
    return [e.Posted(what=command.what, channel=command.channel, ts=command.ts, shown=command.shown)]


def page_sent(state: Incident, command: c.PageSent, ctx: Context) -> list[e.Event]:
    """A pager took the page, or could not. A person's message is live: it follows until the incident is over."""
    answered = e.PageAnswered(target=command.target, ok=command.ok, error=clean_line(command.error, 300))
    if not command.ts:
        return [answered]
    what = f"{PAGE}:{command.target}"
    return [answered, e.Posted(what=what, channel=command.channel, ts=command.ts, shown=command.shown)]


def page_escaped(state: Incident, command: c.PageEscaped, ctx: Context) -> list[e.Event]:
    """While somebody is still called for, one page more is the same alert at the pager: its key is the same."""
    return [] if state.needs(command.target) else [e.PageEscaped(target=command.target)]


def give_up(state: Incident, command: c.GiveUp, ctx: Context) -> list[e.Event]:
    """A delivery stopped trying. People see it and can retry; whoever waits for somebody paged is told loudly.

    Two facts, since they are two: the delivery can be tried again, and somebody who was called does not know it.
    """
    if state.archived and command.kind in IN_THE_ROOM:
        return []  # it came too late: nobody misses it in a channel that was put away
    error = clean_line(command.error, 300)
    unreached = [e.PageAnswered(target=command.unreached, ok=False, error=error)] if command.unreached else []
    return [
        e.DeliveryFailed(
            effect=command.effect,
            kind=command.kind,
            what=command.what,
            error=error,
            mend=clean_line(command.mend, 300),
        ),
        *unreached,
    ]


def retry_delivery(state: Incident, command: c.RetryDelivery, ctx: Context) -> list[e.Event]:
    """A person asks to try again."""
    picked = tuple(state.failed) if not command.effect else tuple(k for k in state.failed if k == command.effect)
    if not picked:
        raise r.NothingToRetry(key=state.key, word=command.effect)
    return [e.DeliveryRetried(effects=picked)]
