"""The buttons under a question about alerts."""

from bot.inbound.slack.actions.click import Click
from bot.inbound.slack.counter import Counter, Said


async def declare(counter: Counter, click: Click) -> Said:
    """Value: the question's id."""
    return counter.message(await counter.desk.answer(click.value, "declare", click.request, click.channel))


async def dismiss(counter: Counter, click: Click) -> Said:
    """Value: the question's id."""
    return counter.message(await counter.desk.answer(click.value, "dismiss", click.request, click.channel))
