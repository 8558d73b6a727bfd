"""Rules for what deliveries report back: the same door as everything else, so a crash loses none of it."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.incident.context import Context
from bot.domain.incident.state import Incident
from bot.domain.text import clean_line


def room_opened(state: Incident, command: c.RoomOpened, ctx: Context) -> list[e.Event]:
    """The channel exists."""
    if state.room is not None:
        return []
    return [e.RoomCreated(channel=command.channel, name=command.name)]


def message_posted(state: Incident, command: c.MessagePosted, ctx: Context) -> list[e.Event]:
    """A live message exists; it showed the state of sequence `shown`."""
    return [e.Posted(what=command.what, channel=command.channel, ts=command.ts, shown=command.shown)]


def page_sent(state: Incident, command: c.PageSent, ctx: Context) -> list[e.Event]:
    """A pager took the page, or could not."""
    return [e.PageAnswered(target=command.target, ok=command.ok, error=clean_line(command.error, 300))]


def give_up(state: Incident, command: c.GiveUp, ctx: Context) -> list[e.Event]:
    """A delivery stopped trying. People see it and can retry; whoever waits for somebody paged is told loudly.

    Two facts, since they are two: the delivery can be tried again, and somebody who was called does not know it.
    """
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
