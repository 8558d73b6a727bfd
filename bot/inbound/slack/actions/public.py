"""The draft of the public update: edit, approve what was read, publish, discard."""

from bot.domain import commands as c
from bot.inbound.slack.actions.click import Click, number
from bot.inbound.slack.actions.incident import do, form
from bot.inbound.slack.counter import Counter, Said


async def edit(counter: Counter, click: Click) -> Said:
    return await form(counter, click, "public")


async def approve(counter: Counter, click: Click) -> Said:
    """Value: `<incident>:<version>`; another version by now is refused."""
    incident, version = map(number, click.parts(2))
    return await do(counter, click, c.ApprovePublic(version), incident)


async def publish(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.PublishPublic())


async def discard(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.DiscardPublic())
