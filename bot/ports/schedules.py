"""Schedules that somebody else keeps, and how their people are found in Slack."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stretch:
    """`user`, by the vendor's own id, is on call in the vendor's `schedule`."""

    schedule: str
    user: str
    email: str
    start: datetime
    end: datetime


class Schedules(Protocol):
    """A vendor that keeps schedules."""

    async def ask(self, schedules: Iterable[str], since: datetime, until: datetime) -> list[Stretch]:
        """Return who is on call in `schedules` between the two. Raises DeliveryError."""
        ...


class FindsByEmail(Protocol):
    """Slack, as far as it knows people by their e-mail."""

    async def by_email(self, email: str) -> str | None:
        """Return the Slack id; None if nobody has that e-mail. Raises DeliveryError."""
        ...
