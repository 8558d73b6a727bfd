"""`/incident …`: https://docs.slack.dev/interactivity/implementing-slash-commands"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from bot.inbound.slack.counter import Ack, Body, Counter, Heard, Said
from bot.inbound.slack.origins import asker
from bot.render.slack import views
from bot.render.slack.message import Message
from bot.usecases.desk import Door, Form

SLACK: Final = Door(forms=True, escaped=True)


async def incident(counter: Counter, body: Body) -> Ack:
    """Do what was typed, then acknowledge with the answer; a form opens by itself."""
    heard = Heard("slash")
    tell = partial(counter.respond, str(body.get("response_url", "")))
    said = await counter.settle(heard, _do(counter, body, heard), tell)
    return shown(said) if isinstance(said, Message) else {}


async def _do(counter: Counter, body: Body, heard: Heard) -> Said:
    channel, user = str(body.get("channel_id", "")), asker(body)
    where = await counter.rooms.incident(channel)
    request = counter.request(user, body.get("trigger_id"), "slash")
    asked = counter.desk.read(str(body.get("text") or ""), request, SLACK)
    heard.verb = asked.verb.name
    outcome = await counter.desk.do(asked, request, where)
    if isinstance(outcome, Form):
        number = outcome.state.number if outcome.state else None
        remembered = views.metadata(number, str(body.get("response_url", "")), channel)
        return await counter.open_form(outcome, str(body.get("trigger_id", "")), remembered)
    return counter.message(outcome)


def shown(said: Message) -> Ack:
    """Return the acknowledgement that shows `said` to the asker only."""
    ack: Ack = {"text": said.text, "response_type": "ephemeral"}
    return {**ack, "blocks": said.blocks} if said.blocks else ack


COMMANDS: Final[Mapping[str, Callable[[Counter, Body], Awaitable[Ack]]]] = {"/incident": incident}
