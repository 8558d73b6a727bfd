"""What those who run the house must hear of at once: a sender that is about to give up on us.

Each time: an error in the log, and the metric. In the admin channel: at most once an hour and topic, across replicas.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import JsonValue

from bot.domain.refusals import Refused
from bot.ports.clock import Clock, utc_now
from bot.ports.store import Superseded, Unavailable
from bot.usecases.committer import Submits
from bot.usecases.notices import alarm

EVERY: Final = timedelta(hours=1)
WITHIN: Final = 1.5
"""Seconds that the sender's answer waits for the alarm to be saved."""
log = structlog.get_logger()


@dataclass(slots=True)
class Alarms:
    """Remembers what was said, so that a thousand bad requests are one commit."""

    clock: Clock = utc_now
    _said: dict[str, datetime] = field(default_factory=dict)

    async def sound(
        self, committer: Submits, channel: str | None, topic: str, template: str, **fields: JsonValue
    ) -> None:
        """Say it in `channel`. Never raises: the log has it already, and the next occasion tries again."""
        now = self.clock()
        last = self._said.get(topic)
        if not channel or (last is not None and now - last < EVERY):
            return
        self._said[topic] = now
        try:
            async with asyncio.timeout(WITHIN):
                await committer.submit(alarm(topic, now, channel=channel, template=template, every=EVERY, **fields))
        except (TimeoutError, Unavailable, Refused, Superseded) as exc:
            self._said.pop(topic, None)
            log.warning("alarm_not_saved", topic=topic, error=type(exc).__name__)
