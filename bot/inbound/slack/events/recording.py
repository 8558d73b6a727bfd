"""Appending an observation to the record of the channel's incident; the same key is recorded once."""

from datetime import datetime

from bot.domain.record import Observation
from bot.inbound.slack.counter import Counter
from bot.usecases.cases import Observe


async def record(counter: Counter, at: datetime | None, actor: str, seen: Observation) -> int | None:
    """Record `seen` if its channel is an incident's. Raises Unavailable: then Slack sends it again.

    Return the incident, if this was news.
    """
    number = await counter.rooms.incident(seen.channel)
    if number is None or at is None:
        return None
    answer = await counter.submit.submit(Observe(counter.request(actor, "", "event"), number, at, seen))
    return number if answer.kind == "observed" else None
