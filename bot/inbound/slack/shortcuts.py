"""Shortcuts, global and in a message's menu: callback id → handler.

https://docs.slack.dev/interactivity/implementing-shortcuts
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Literal

from bot.domain import commands as c
from bot.domain.refusals import EmptyMessage, NoOpenIncident
from bot.domain.verbs import OpenForm
from bot.inbound.slack.counter import Ack, Body, Counter, Heard, Said
from bot.inbound.slack.origins import asker
from bot.inbound.slack.quotes import Quote, quote
from bot.render.slack import ids, message_forms, views
from bot.render.slack.message import Message
from bot.usecases.cases import Request
from bot.usecases.desk import Form
from bot.usecases.queries import Viewer

Work = Callable[[Counter, Body, Request, str], Awaitable[Said]]


async def _serve(counter: Counter, body: Body, verb: str, work: Work) -> Ack:
    """Do `work` in time. What is to be said goes to the asker only: beside the message, or else in a window."""
    trigger, url = str(body.get("trigger_id") or ""), str(body.get("response_url") or "")

    async def tell(said: Message) -> None:
        if url:
            await counter.respond(url, said)
        else:
            await counter.open_note(said, trigger)

    said = await counter.settle(
        Heard("shortcut", verb), work(counter, body, counter.request(asker(body), trigger, "shortcut"), trigger), tell
    )
    if isinstance(said, Message):
        counter.tasks.start(tell(said))
    return {}


async def _declare(counter: Counter, body: Body, request: Request, trigger: str) -> Said:
    """Open the declare form. There is no channel here: what goes wrong is said in a form's place."""
    outcome = await counter.desk.grant(OpenForm("declare"), request, None)
    return await counter.open_form(outcome, trigger, views.metadata(None)) if isinstance(outcome, Form) else None


async def _declare_from(counter: Counter, body: Body, request: Request, trigger: str) -> Said:
    """Open the declare form with the message, and the way back to it, as its description."""
    said = quote(body)
    await counter.desk.grant(OpenForm("declare"), request, None)
    description = message_forms.described(said.attributed, counter.message_link(said.place))
    view = views.declare_form(
        counter.policy, views.metadata(None, channel=said.channel), filled={"description": description}
    )
    return await counter.open_view(view, trigger)


async def _note(counter: Counter, body: Body, request: Request, trigger: str) -> Said:
    """In an incident's channel the message is noted at once; elsewhere a form asks for the incident."""
    said = _readable(body)
    number = await counter.rooms.incident(said.channel)
    if number is not None:
        note = c.AddNote(said.attributed, said.at, said.place)
        return counter.message(await counter.desk.grant(note, request, number, number))
    remembered = views.metadata(None, channel=said.channel, place=said.place)
    offered = await _offered(counter, request)
    return await counter.open_view(message_forms.note_form(offered, said.attributed, remembered), trigger)


async def _task(counter: Counter, body: Body, request: Request, trigger: str) -> Said:
    """A form for the action item; outside an incident's channel it asks for the incident, too."""
    said = _readable(body)
    number = await counter.rooms.incident(said.channel)
    offered = [] if number is not None else await _offered(counter, request)
    remembered = views.metadata(number, channel=said.channel)
    return await counter.open_view(message_forms.task_form(offered, said.text, remembered), trigger)


def _readable(body: Body) -> Quote:
    said = quote(body)
    if not said.text:
        raise EmptyMessage
    return said


async def _offered(counter: Counter, request: Request) -> message_forms.Incidents:
    """Return the open incidents that the asker can see. Refuses where there is none to choose."""
    found = await counter.desk.queries.incidents(Viewer(request.actor))
    if not found:
        raise NoOpenIncident
    return found


def _shortcut(verb: Literal["declare", "note", "task"], work: Work) -> Callable[[Counter, Body], Awaitable[Ack]]:
    return partial(_serve, verb=verb, work=work)


SHORTCUTS: Final[Mapping[str, Callable[[Counter, Body], Awaitable[Ack]]]] = {
    ids.SHORTCUT_DECLARE: _shortcut("declare", _declare),
    ids.SHORTCUT_DECLARE_FROM: _shortcut("declare", _declare_from),
    ids.SHORTCUT_NOTE: _shortcut("note", _note),
    ids.SHORTCUT_TASK: _shortcut("task", _task),
}
