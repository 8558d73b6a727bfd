"""The checklist: ticking a step, turning a page."""

from typing import Final, Literal

from bot.domain import commands as c
from bot.domain.events import RunbookAttached
from bot.domain.refusals import NoRunbook, OldControl
from bot.inbound.slack.actions.click import Click, number
from bot.inbound.slack.actions.incident import do
from bot.inbound.slack.counter import Counter, Said

_OUTCOMES: Final[dict[str, Literal["done", "skipped", "failed", "open"]]] = {
    "done": "done",
    "skipped": "skipped",
    "failed": "failed",
    "open": "open",
}


async def step(counter: Counter, click: Click) -> Said:
    """Value: `<incident>:<n>:done`."""
    incident, step_number, word = click.parts(3)
    if word not in _OUTCOMES:
        raise OldControl
    return await do(counter, click, c.MarkStep(number(step_number), _OUTCOMES[word]), number(incident))


async def page(counter: Counter, click: Click) -> Said:
    """Another page of a long runbook, to the asker only."""
    incident, wanted = map(number, click.parts(2))
    state = await counter.desk.see("runbook", click.request, incident, click.where)
    events = await counter.reader.events(state.number)
    attached = [item.event for item in events if isinstance(item.event, RunbookAttached)]
    if not attached:
        raise NoRunbook(key=state.key)
    return counter.renderer.runbook_page(state, attached[-1], wanted)
