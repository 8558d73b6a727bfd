"""Rules for what a sender of alerts tells about its own incident. It informs; only an acknowledgement decides."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.calls import web_url
from bot.domain.incident.context import Context, must_be_active
from bot.domain.incident.state import Incident


def hear(state: Incident, command: c.HearSender, ctx: Context) -> list[e.Event]:
    """Take in one piece of news. What is known already, our own echo above all, decides to nothing."""
    news = command.news
    match news.what:
        case "acknowledged":
            return _acknowledged(state, command, ctx)
        case "unacknowledged" | "resolved" | "merged" if not state.is_active:
            return []  # it is over here: what the sender does about that is an echo, or history
        case "call":
            return _call(state, command)
    if not news.text and news.what not in ("opened", "unacknowledged", "resolved"):
        return []
    return [
        e.SenderReported(
            source=news.source,
            what=news.what,
            who=news.who,
            text=news.text,
            happened_at=news.at,
        )
    ]


def _acknowledged(state: Incident, command: c.HearSender, ctx: Context) -> list[e.Event]:
    """Somebody answered at the sender: the response timer stops. Not by one from before it was asked for."""
    at = command.news.at
    if not state.is_active or state.acknowledged_at is not None:
        return []
    if at is not None and state.waits_since != state.declared_at and at < state.waits_since:
        return []
    took = (ctx.now - state.waits_since).total_seconds()
    return [e.Acknowledged(took=took, late=state.escalation > 0)]


def set_call(state: Incident, command: c.SetCall, ctx: Context) -> list[e.Event]:
    """Somebody says where people talk."""
    must_be_active(state)
    url = web_url(command.url)
    if command.url.strip() and not url:
        raise r.BadArgument(what="That is no http(s) address", usage="call https://meet.example/inc-7")
    if url == state.call_url and not (state.call_dial and not url):
        raise r.NothingChanged(what=f"{state.key} has {'that call link' if url else 'no call link'}")
    return [e.CallChanged(url=url, dial=state.call_dial if url else "")]


def _call(state: Incident, command: c.HearSender) -> list[e.Event]:
    news = command.news
    if news.url == state.call_url and news.text == state.call_dial:
        return []
    return [
        e.CallChanged(url=news.url, dial=news.text, source=news.source, who=news.who, happened_at=news.at),
    ]
