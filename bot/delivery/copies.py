"""Copies that come late: an attempt that we gave up may still reach the vendor after its repeat has.

Whoever repeated owes two looks a little later, and keeps the one that it placed; whoever lost its claim takes its own
back (docs/adr/0017). The looks are rows of the commit that records the repeat: should its process be
gone by then, another one looks. First attempts owe nothing. What is shown has no copies; there, what comes late is an
older picture over a newer one, and it is shown once more.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from bot.delivery.insisting import insist
from bot.domain.notices import HOUSE
from bot.domain.record import Observation
from bot.ports.clock import Clock
from bot.ports.delivery import DeliveryError, Job, Look, Placed, Registration, Registry, Where
from bot.ports.store import Outbox, Unavailable
from bot.usecases.committer import Committer
from bot.usecases.looks import Looked, OweLooks

LOOK_AFTER: Final = (timedelta(seconds=2), timedelta(seconds=6))
"""After the repeat: what comes within the first six seconds is gone within another four."""
LOOK_WITHIN: Final = 8.0
"""Seconds a look may take."""
LOOK_AGAIN: Final = timedelta(seconds=5)
"""When the vendor did not let us look …"""
LOOK_UNTIL: Final = timedelta(hours=1)
"""… and how long after the first attempt we go on trying, at least: the message itself is safe."""
ASK_EVERY: Final = timedelta(seconds=1)
"""How often we ask for what others owe. Our own looks are known to the moment."""
OWE_TRIES: Final = 60
OWE_PAUSE: Final = 0.5
"""Seconds between two tries to write down looks that nobody else owes: a database may be away for half a minute."""
WHERE_TRIES: Final = 10
WHERE_PAUSE: Final = 5.0
"""Seconds at most between two questions to the vendor where a message of ours may stand."""
RECORD_TRIES: Final = 20
RECORD_PAUSE: Final = 0.5
"""Seconds between two trials to record a removal."""
LOOKS_AT_ONCE: Final = 16
NOWHERE: Final = Placed("", "")
"""Of something shown: it is where it always is."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)

_NO_LOOK: Final = "no look for late copies"
log = structlog.get_logger()


class Copies:
    """Owes looks for late copies, and looks, for whoever owed them."""

    def __init__(self, outbox: Outbox, committer: Committer, registry: Registry, clock: Clock) -> None:
        self._outbox = outbox
        self._committer = committer
        self._registry = registry
        self._clock = clock
        self._asked_at = datetime.min.replace(tzinfo=UTC)
        self._next = NEVER

    def owed(self, job: Job, placed: Placed | None, registration: Registration, *, lost: bool = False) -> list[Look]:
        """Return the looks owed for what `job` has placed.

        `lost`: somebody else has placed it too, so ours may be the copy, and may be there already.
        """
        if placed is None or registration.tidy is None or not (lost or job.first_at):
            return []
        return self._looks(job, placed, lost=lost)

    def owed_shows(self, job: Job, *, lost: bool = False) -> list[Look]:
        """Return when to show once more what `job` was to show: nobody knows what came of it, or when it arrives."""
        return self._looks(job, NOWHERE, lost=lost) if job.effect.show_key is not None else []

    def _looks(self, job: Job, placed: Placed, *, lost: bool) -> list[Look]:
        now, since = self._clock(), job.first_at or job.created_at
        after = (timedelta(0), *LOOK_AFTER) if lost else LOOK_AFTER
        self._next = min(self._next, now + after[0])
        kind, number = job.effect.kind, job.state.number
        return [Look(job.id, number, kind, placed, since, now + span, lost) for span in after]

    async def lose(self, job: Job, placed: Placed | None, registration: Registration) -> None:
        """Somebody else has taken `job` over, and we may have done it all the same; `placed`, if there was an answer.

        A process that was frozen wakes up like this: its bytes leave, and nobody waits for them any more. The looks of
        whoever repeated it may be over, so these are insisted on, whoever is away in that moment.
        """
        if placed is None and registration.tidy is not None and registration.where is not None:
            placed = await self._where(job, registration.where)
        looks = (*self.owed(job, placed, registration, lost=True), *self.owed_shows(job, lost=True))
        if looks:
            await insist(self._committer, OweLooks(looks), OWE_TRIES, OWE_PAUSE, _NO_LOOK, effect=job.id)

    async def _where(self, job: Job, where: Where) -> Placed | None:
        for left in reversed(range(WHERE_TRIES)):
            try:
                async with asyncio.timeout(LOOK_WITHIN):
                    return await where(job)
            except (DeliveryError, TimeoutError) as exc:
                log.warning(_NO_LOOK, effect=job.id, error=str(exc))
                if not left or getattr(exc, "permanent", False):
                    break
                await asyncio.sleep(min(max(getattr(exc, "retry_after", 0.0), OWE_PAUSE), WHERE_PAUSE))
        return None

    def needed_at(self) -> datetime | None:
        """Return when the next look is due, as far as we know."""
        return None if self._next == NEVER else self._next

    async def due(self) -> list[Coroutine[Any, Any, bool]]:
        """Return what is to be looked at now; each wants to be awaited. Asks the database as seldom as it can."""
        now = self._clock()
        if now < self._next and now - self._asked_at < ASK_EVERY:
            return []
        self._asked_at = now
        try:
            looks, following = await self._outbox.due_looks(now, LOOKS_AT_ONCE)
        except Unavailable as exc:
            log.warning("cannot see which looks are owed", error=str(exc))
            self._next = NEVER
            return []
        self._next = following if following is not None else now + ASK_EVERY if looks else NEVER
        return [self._look(look) for look in looks]

    async def _look(self, look: Look) -> bool:
        """Look once, and record what came of it. Return False: nothing else may start because of it."""
        gone: Sequence[Placed] = ()
        later: datetime | None = None
        registration = self._registry.get(look.kind)
        if look.placed == NOWHERE:
            await self._record(Looked(look, (), self._clock(), show_again=True))
            return False
        try:
            if registration is not None and registration.tidy is not None:
                async with asyncio.timeout(LOOK_WITHIN):
                    gone = await registration.tidy(look)
        except (DeliveryError, TimeoutError) as exc:
            log.warning(_NO_LOOK, effect=look.effect, error=str(exc))
            later = self._again(look, exc)
        except Exception:
            # A mistake of ours in here must stop nothing else; the same look would stumble again.
            log.exception("looking for late copies failed", effect=look.effect)
        name = registration.name if registration else ""
        seen = [self._observation(look, one, name) for one in gone]
        if look.incident == HOUSE:  # a notice belongs to no incident whose record could take it
            seen = []
        await self._record(Looked(look, tuple(seen), self._clock(), later))
        return False

    async def _record(self, looked: Looked) -> None:
        """Write down what was found. A removal is seen by no second look, so that is insisted on."""
        tries = RECORD_TRIES if looked.removed else 1
        await insist(self._committer, looked, tries, RECORD_PAUSE, "look not recorded", effect=looked.look.effect)

    def _again(self, look: Look, error: Exception) -> datetime | None:
        now = self._clock()
        if now - look.since > LOOK_UNTIL or getattr(error, "permanent", False):
            return None
        return now + max(LOOK_AGAIN, timedelta(seconds=getattr(error, "retry_after", 0.0)))

    def _observation(self, look: Look, gone: Placed, name: str) -> Observation:
        log.warning("late copy removed", effect=look.effect, kind=look.kind)
        second = "a second channel that came late was archived"
        return Observation(
            kind="delivered",
            key=f"copy:{look.effect}:{gone.ts}",
            name=name,
            channel=gone.channel,
            ts=gone.ts,
            text=second if look.kind == "open_room" else "a copy that came late was removed",
        )
