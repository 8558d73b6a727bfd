"""Global shortcuts: callback id → handler. https://docs.slack.dev/interactivity/implementing-shortcuts"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.domain.verbs import OpenForm
from bot.inbound.slack.counter import Ack, Body, Counter, Heard, Said
from bot.render.slack import ids, views
from bot.render.slack.message import Message
from bot.usecases.desk import Form


async def declare(counter: Counter, body: Body) -> Ack:
    """Open the declare form. There is no channel here: what goes wrong is said in a form's place."""
    trigger = str(body.get("trigger_id", ""))

    async def open_it() -> Said:
        request = counter.request(str((body.get("user") or {}).get("id", "")), trigger)
        outcome = await counter.desk.grant(OpenForm("declare"), request, None)
        return await counter.open_form(outcome, trigger, views.metadata(None)) if isinstance(outcome, Form) else None

    async def tell(said: Message) -> None:
        await counter.open_note(said, trigger)

    said = await counter.settle(Heard("shortcut", "declare"), open_it(), tell)
    if isinstance(said, Message):
        counter.tasks.start(tell(said))
    return {}


SHORTCUTS: Final[Mapping[str, Callable[[Counter, Body], Awaitable[Ack]]]] = {ids.SHORTCUT_DECLARE: declare}
