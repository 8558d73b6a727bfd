"""Copies that come late: an attempt that we gave up may still reach the vendor after its repeat has.

Whoever repeated looks again a little later and keeps the one that it placed; whoever lost its claim takes its own back
(DESIGN, section 4: visible once). It is a net, not a promise: a process that is killed meanwhile does not look.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from bot.domain.record import Observation
from bot.ports.clock import Clock
from bot.ports.delivery import DeliveryError, Job, Placed, Registration
from bot.ports.store import Unavailable
from bot.usecases.cases import Observe, Request
from bot.usecases.committer import Committer

LOOK_AFTER: Final = (2.0, 6.0)
"""Seconds after the repeat: what comes within the first six is gone within another four."""

log = structlog.get_logger()


class Copies:
    """Looks for late copies, beside everything else."""

    def __init__(self, committer: Committer, clock: Clock, after: Sequence[float] = LOOK_AFTER) -> None:
        self._committer = committer
        self._clock = clock
        self._after = after
        self._looking: set[asyncio.Task[None]] = set()

    def expect(self, job: Job, placed: Placed, registration: Registration, *, lost: bool) -> None:
        """Look for copies of what `job` placed. `lost`: somebody else has placed it too, so ours may be the copy."""
        if registration.tidy is not None:
            task = asyncio.create_task(self._look(job, placed, registration, lost), name=f"copies of {job.id}")
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def close(self) -> None:
        """Look no more."""
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)

    async def _look(self, job: Job, placed: Placed, registration: Registration, lost: bool) -> None:
        assert registration.tidy is not None
        waited = 0.0
        for after in (0.0, *self._after) if lost else self._after:
            await asyncio.sleep(after - waited)
            waited = after
            try:
                for gone in await registration.tidy(job, placed, lost):
                    await self._record(job, gone, registration)
            except (DeliveryError, Unavailable) as exc:  # the next look may do better; the message itself is safe
                log.warning("no look for late copies", effect=job.id, error=str(exc))
            except Exception:
                # A mistake of ours in here must not end in a task whose error nobody sees.
                log.exception("looking for late copies failed", effect=job.id)

    async def _record(self, job: Job, gone: Placed, registration: Registration) -> None:
        log.warning("late copy removed", effect=job.id, kind=job.effect.kind)
        seen = Observation(
            kind="delivered",
            key=f"copy:{job.id}:{gone.ts}",
            name=registration.name,
            channel=gone.channel,
            ts=gone.ts,
            text="a copy that came late was removed",
        )
        await self._committer.submit(Observe(Request("tocsin"), job.state.number, self._clock(), seen))
