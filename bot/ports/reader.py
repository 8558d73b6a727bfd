"""What may be asked of the store. Reads never lock and never wait for the writer."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.domain.alerts import Episode
from bot.domain.audit import Audited
from bot.domain.duty import Override
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.record import Entry
from bot.domain.undelivered import Undelivered


@dataclass(frozen=True, slots=True)
class TimerRow:
    """One timer of an incident, past or pending."""

    incident: int
    kind: str
    due: datetime
    state: Literal["armed", "fired", "cancelled"]
    ended_at: datetime | None = None
    late_by: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One effect as people and metrics see it."""

    id: str
    incident: int
    kind: str
    state: Literal["waiting", "held", "claimed", "done", "failed", "cancelled"]
    attempt: int
    created_at: datetime
    not_before: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts for health and metrics. Private incidents and drills are not counted in `open_by_severity`."""

    open_by_severity: dict[str, int]
    waiting: int
    failed: int
    oldest_waiting_at: datetime | None
    armed_timers: int
    unusable: dict[str, int] = field(default_factory=dict)
    """Deliveries that nothing could be made of, by source, as long as they are kept."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad row that `verify` found. `incident` is 0 for what belongs to no incident."""

    incident: int
    stream: Literal["control", "record", "snapshot", "counter", "words", "file"]
    seq: int
    what: str

    def __str__(self) -> str:
        """Say which row, and what is wrong with it."""
        where = f"INC-{self.incident}: {self.stream} entry {self.seq}" if self.incident else self.stream
        return f"{where}: {self.what}"


class BadRow(Exception):
    """The log does not hold: a row of it was changed, or is gone."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class RoomWait:
    """Why an incident's channel does not open at once. `a_minute`: how many Slack lets us open; None if unknown."""

    ahead: int
    opens_at: datetime
    a_minute: int | None


class Reader(Protocol):
    """Queries. Private incidents are returned; each surface decides whom it shows them."""

    async def incident(self, number: int) -> Incident | None: ...

    async def incident_of_channel(self, channel: str) -> int | None: ...

    async def incidents(self, *, active: bool = False, limit: int = 200, before: int | None = None) -> list[Incident]:
        """Newest first."""
        ...

    async def unfinished(self) -> list[Incident]:
        """All that is open, and all that is over and may owe something: an action item, a postmortem. Newest first."""
        ...

    async def events(self, number: int, as_of: datetime | None = None) -> list[Recorded]:
        """The control stream, oldest first; erased words read as `[erased]`."""
        ...

    async def entries(self, number: int, as_of: datetime | None = None) -> list[Entry]:
        """The record stream, oldest first."""
        ...

    async def timers(self, number: int) -> list[TimerRow]: ...

    async def episodes(self, number: int) -> list[Episode]: ...

    async def deliveries(self, number: int) -> list[DeliveryRow]: ...

    async def published(self) -> list[tuple[Incident, list[Recorded]]]:
        """The last incidents with public updates, newest first; updates oldest first. No private ones, no drills."""
        ...

    async def audit(self, *, limit: int = 200, incident: int | None = None, denied: bool = False) -> list[Audited]:
        """The audit trail, newest first: of one incident, or only what was denied, if asked."""
        ...

    async def overrides(self, since: datetime) -> list[Override]:
        """The overrides of on-call that end after `since` and were not cancelled, in order of their numbers."""
        ...

    async def undelivered(self) -> list[Undelivered]:
        """What gave up, belongs to no incident, and may be tried again; the oldest first."""
        ...

    async def stats(self) -> Stats: ...

    async def room_waits(self, now: datetime) -> dict[int, RoomWait]:
        """What channels wait for, by incident; those that nothing keeps from being opened at once are not in it."""
        ...

    async def ping(self) -> float:
        """Seconds one trivial query took. Raises Unavailable."""
        ...

    async def verify(self, number: int | None = None) -> list[Fault]:
        """Walk the hash chains and refold; the first fault of each incident. Empty: all is well.

        Raises UnknownIncident for a `number` that was never given.
        """
        ...

    async def replay(self, number: int) -> str:
        """The snapshot made anew from the events, byte for byte. Raises UnknownIncident, or BadRow."""
        ...
