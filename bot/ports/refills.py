"""Up to when the record of each incident's channel is complete: what was said later may have to be read from Slack."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.incident import Incident


@dataclass(frozen=True, slots=True)
class Unfilled:
    """An incident in whose channel something may have been said that is not on record.

    All that was said before `complete_to` is (by Slack's clock). None: nobody has looked yet.
    """

    state: Incident
    complete_to: datetime | None


class Refills(Protocol):
    """What is known about gaps in the record."""

    async def unfilled(self, since: datetime) -> list[Unfilled]:
        """The incidents with a channel that are open, or have changed since they were last filled, or after `since`.

        The gravest first, then the newest.
        """
        ...

    async def filled(self, number: int, complete_to: datetime, seq: int) -> None:
        """All that was said before `complete_to` is on record; the incident's log was at `seq` when we began to look.

        An earlier time, which somebody else found, changes nothing. Raises Unavailable.
        """
        ...
