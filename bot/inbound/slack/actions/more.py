"""What stands behind More…, and on the card of an incident that is over."""

from typing import Final, get_args

from bot.domain import commands as c
from bot.domain.refusals import OldControl
from bot.domain.verbs import OpenForm
from bot.domain.verbs.model import FormName
from bot.inbound.slack.actions.click import Click
from bot.inbound.slack.actions.incident import do, form
from bot.inbound.slack.counter import Counter, Said
from bot.render.slack import views
from bot.render.slack.more import more

_FORMS: Final[dict[str, FormName]] = {name: name for name in get_args(FormName)}
_OF_NONE: Final = ("declare", "override")
"""Forms that are about no incident."""


async def show(counter: Counter, click: Click) -> Said:
    """Open the window with everything else that can be done."""
    state = await counter.desk.see("more", click.request, click.incident, click.where)
    undoable = counter.desk.undoable(state, click.request.actor)
    remembered = views.metadata(state.number, channel=click.channel)
    return await counter.open_view(more(state, remembered, undoable=undoable), click.trigger_id)


async def open_form(counter: Counter, click: Click) -> Said:
    """The form's name stands in the action id, after the colon."""
    name = _FORMS.get(click.action_id.partition(":")[2])
    if name is None:
        raise OldControl
    if name in _OF_NONE:
        return counter.message(await counter.desk.grant(OpenForm(name), click.request, None))
    return await form(counter, click, name)


async def withdraw_handoff(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.WithdrawHandoff())


async def unsilence(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.LiftSilences())


async def try_page(counter: Counter, click: Click) -> Said:
    """Whoever clicks is sent a test."""
    return counter.message(await counter.desk.grant(c.TryPage(click.request.actor), click.request, None))


async def close(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.Close())
