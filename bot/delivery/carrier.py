"""One claimed effect from the claim to its record: deadline, circuit, call, outcome."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from bot.delivery.alone import Alone
from bot.delivery.circuit import PROBE_EVERY, WORKING, Circuit, shows_outage
from bot.delivery.copies import Copies
from bot.delivery.insisting import insist
from bot.delivery.retry import GIVE_UP_AFTER, MEND, PAGE_GIVES_UP_AFTER, GiveUp, after_failure
from bot.domain import commands as c
from bot.domain.durations import format_duration
from bot.domain.effects import RESPONSE, AskTriage, PagePager, TellUser, TryPager, cause_of
from bot.domain.notices import HOUSE, Notice
from bot.domain.policy import Policy
from bot.domain.record import Observation
from bot.domain.refusals import Refused
from bot.ports.claim import while_claimed
from bot.ports.clock import Clock
from bot.ports.delivery import DeliveryError, Done, Job, Look, Placed, Registration, Registry
from bot.ports.fault import Fault, no_fault
from bot.ports.observer import Attempt, Observer, Unobserved
from bot.ports.store import Outbox, Settled, Superseded, Unavailable
from bot.usecases.committer import Committer
from bot.usecases.page_tries import pager_tried
from bot.usecases.settling import OF_A_QUESTION, PageSlipped, Settle

LEASE: Final = 10.0
"""Seconds a claim holds (docs/adr/0004); the store writes the same into the row."""
CALL_TIMEOUT: Final = 8.0
"""Seconds a handler may take in all; less than the lease, so that no byte leaves after a takeover may have begun."""
SETTLE_PAUSE: Final = 0.2
"""Seconds between attempts to record a result while the database does not answer."""
TELL_TRIES: Final = 60
TELL_PAUSE: Final = 0.5
"""Seconds between two trials to have a page withdrawn."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Times:
    """How long things may take, in seconds; tests make them short."""

    lease: float = LEASE
    call: float = CALL_TIMEOUT
    settle_pause: float = SETTLE_PAUSE


USUAL: Final = Times()


class Carrier:
    """Carries effects out, one job at a time each; remembers which vendors are down."""

    def __init__(
        self,
        outbox: Outbox,
        committer: Committer,
        registry: Registry,
        clock: Clock,
        *,
        policy: Callable[[], Policy],
        spread: Callable[[], float],
        times: Times = USUAL,
        fault: Fault = no_fault,
        observer: Observer | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._committer = committer
        self._registry = registry
        self._clock = clock
        self._policy = policy
        self._spread = spread
        self._times = times
        self._fault = fault
        self._observer = observer or Unobserved()
        self._monotonic = monotonic
        self._circuits: dict[str, Circuit] = {}
        self._alone = Alone()
        self.copies = Copies(outbox, committer, registry, clock)

    async def carry(self, job: Job, claimed: float) -> bool:
        """Carry `job` out and record what became of it. `claimed` is the monotonic second before its claim began.

        Return True if that may let another effect start: the next of its lane, or the same Show once more. (What a
        result brings about is told by its commit.)
        """
        started = self._monotonic()
        outcome = await self._attempt(job, claimed)
        took = self._monotonic() - started
        self._observer.delivered(job.effect.kind, outcome, took)
        log.info(
            "effect",
            effect=job.id,
            kind=job.effect.kind,
            attempt=job.attempt,
            outcome=outcome,
            took_ms=round(took * 1000, 1),
        )
        return outcome != "done" or job.effect.lane is not None or job.effect.show_key is not None

    async def _attempt(self, job: Job, claimed: float) -> Attempt:
        kind = job.effect.kind
        registration = self._registry.get(kind)
        if registration is None:
            return await self._give_up(job, claimed, _unregistered(kind), kind.replace("_", " "))
        if not self._vendor(registration).lets_through(self._clock()):
            return await self._hold_back(job, claimed, registration)
        if self._monotonic() > claimed + self._times.lease - self._times.call:
            return "dropped"  # by the end of the call somebody else might hold it: leave it to them
        self._circuits[registration.vendor] = self._vendor(registration).entered(self._clock())
        self._fault(f"call:{kind}:before")
        result = await self._call(job, claimed, registration)
        self._fault(f"call:{kind}:after")
        if isinstance(result, Done):
            self._circuits[registration.vendor] = WORKING
            self._alone.passed(job.id, registration.vendor)
            return await self._done(job, claimed, result, registration)
        return await self._failed(job, claimed, result, registration)

    async def _call(self, job: Job, claimed: float, registration: Registration) -> Done | DeliveryError:
        try:
            with while_claimed(lambda: self._monotonic() < claimed + self._times.lease):
                async with asyncio.timeout(self._times.call):
                    return await registration.handler(job)
        except DeliveryError as exc:
            return exc
        except TimeoutError:
            return DeliveryError(f"no answer within {self._times.call:g} s")
        except Exception as exc:
            # A mistake of ours in one handler must stop neither the others nor, for ever, this effect: it may be
            # mended by the next version, which then tries again. The text stays out of what people see.
            log.exception("handler failed", effect=job.id, kind=job.effect.kind, attempt=job.attempt)
            return DeliveryError(f"unexpected {type(exc).__name__}; the log has the details", retry_after=1.0)

    # --- outcomes -------------------------------------------------------------------------------------
    async def _done(self, job: Job, claimed: float, done: Done, registration: Registration) -> Attempt:
        settled = Settled(job.id, job.token, "done", self._clock())
        owed = self.copies.owed(job, done.placed, registration)
        notes = _notes(job, done, registration)
        outcome = await self._settle(job, claimed, settled, done.command, notes, done.left, owed, self._told(job))
        if outcome != "done":
            await self._lost(job, done.placed, registration)
        return outcome

    async def _failed(self, job: Job, claimed: float, error: DeliveryError, registration: Registration) -> Attempt:
        now = self._clock()
        circuit = self._vendor(registration)
        circuit = circuit.failed(now, job.id) if shows_outage(error) else WORKING
        self._circuits[registration.vendor] = circuit
        if error.parks:
            await self._park(error)
        alone = self._alone.failed(job.id, registration.vendor) if job.effect.lane and shows_outage(error) else 0
        verdict = after_failure(
            job.attempt,
            now - job.created_at,
            error,
            now,
            self._spread(),
            oldest=_oldest(job),
            alone=alone,
        )
        unknown = not (error.untouched or error.permanent)
        if isinstance(verdict, GiveUp):
            outcome = await self._give_up(job, claimed, verdict, registration.name)
        else:
            # An attempt at a vendor that is down does not count: the next is not put off by it.
            at = circuit.probe_at + PROBE_EVERY * self._spread() if circuit.probe_at else verdict.at
            log.warning("effect failed", effect=job.id, kind=job.effect.kind, attempt=job.attempt, error=str(error))
            untouched = error.untouched and job.first_at is None
            settled = Settled(job.id, job.token, "retry", now, at, str(error), untouched)
            outcome = await self._settle(job, claimed, settled, looks=self.copies.owed_shows(job) if unknown else ())
        if outcome == "superseded" and unknown:
            await self._lost(job, None, registration)
        return outcome

    async def _lost(self, job: Job, placed: Placed | None, registration: Registration) -> None:
        """The claim was lost, and we may have done it: nothing of that may stand, or ring, for good."""
        if isinstance(job.effect, PagePager):
            case = PageSlipped(job.state.number, job.effect.target, self._policy())
            await insist(self._committer, case, TELL_TRIES, TELL_PAUSE, "page not withdrawn", incident=job.state.number)
        else:
            await self.copies.lose(job, placed, registration)

    async def _give_up(self, job: Job, claimed: float, verdict: GiveUp, name: str) -> Attempt:
        """Stop trying, and say so: on the timeline, on the card and, if somebody was to be reached, in the channel.

        What belongs to no incident says it in its row alone: `undelivered` lists it.
        """
        self._alone.forget(job.id)
        log.error("effect given up", effect=job.id, kind=job.effect.kind, attempt=job.attempt, error=verdict.error)
        settled = Settled(job.id, job.token, "failed", self._clock(), error=verdict.error, mend=verdict.mend)
        kind = job.effect.show_key or job.effect.kind
        command: c.Command = c.GiveUp(job.id, name, verdict.error, verdict.mend, unreached=_whom(job), kind=kind)
        if isinstance(job.effect, AskTriage):
            command = c.QuestionUnasked(job.effect.question, job.effect.to)
        return await self._settle(job, claimed, settled, command, notices=self._told(job, verdict.error))

    def _told(self, job: Job, error: str = "") -> tuple[Notice, ...]:
        """What became of a pager's test is told to whoever asked for it."""
        return pager_tried(job.effect, error, self._policy()) if isinstance(job.effect, TryPager) else ()

    async def _hold_back(self, job: Job, claimed: float, registration: Registration) -> Attempt:
        now, oldest = self._clock(), _oldest(job)
        if now - job.created_at >= oldest:
            verdict = GiveUp(f"waited {format_duration(oldest)} for the service to come back", MEND)
            return await self._give_up(job, claimed, verdict, registration.name)
        probe_at = self._vendor(registration).probe_at or now
        at = min(probe_at + PROBE_EVERY * self._spread(), max(job.created_at + oldest, now))
        why = "waiting for the service to come back"
        settled = Settled(job.id, job.token, "retry", now, at, why, untouched=job.first_at is None, tried=False)
        outcome = await self._settle(job, claimed, settled)
        return "held_back" if outcome == "retry" else outcome

    async def _settle(
        self,
        job: Job,
        claimed: float,
        settled: Settled,
        command: c.Command | None = None,
        notes: tuple[Observation, ...] = (),
        left: frozenset[str] = frozenset(),
        looks: Sequence[Look] = (),
        notices: tuple[Notice, ...] = (),
    ) -> Attempt:
        """Record `settled` and what was learnt. While the database is away the result is kept until the lease ends."""
        incident = job.state.number
        if incident == HOUSE:  # a notice belongs to no incident whose log could take it
            command, notes = command if isinstance(command, OF_A_QUESTION) else None, ()
        folded = tuple(_with(settled, one.id, left) for one in job.folded)
        while True:
            try:
                case = Settle(settled, incident, command, self._policy(), notes, folded, looks, notices)
                await self._committer.submit(case)
                return settled.outcome
            except Superseded:
                return "superseded"
            except Refused as exc:
                # The vendor has done it; that the log takes nothing from it must not make us do it again.
                log.error("result refused", effect=job.id, kind=job.effect.kind, reason=exc.code)
                command = None
            except Unavailable as exc:
                if self._monotonic() + self._times.settle_pause > claimed + self._times.lease:
                    log.warning("result not recorded", effect=job.id, kind=job.effect.kind, error=str(exc))
                    return "dropped"
                await asyncio.sleep(self._times.settle_pause)

    async def _park(self, error: DeliveryError) -> None:
        try:
            await self._outbox.park(error.parks, self._clock() + timedelta(seconds=error.retry_after))
        except Unavailable as exc:  # this effect waits anyway; others of the budget get the same answer again
            log.warning("not parked", budget=error.parks, error=str(exc))

    def _vendor(self, registration: Registration) -> Circuit:
        return self._circuits.get(registration.vendor, WORKING)


def _unregistered(kind: str) -> GiveUp:
    return GiveUp(
        f"nothing is set up that could do `{kind}`",
        "Set the service up, or take it out of tocsin.yaml; `tocsin doctor` says what is missing.",
    )


def _oldest(job: Job) -> timedelta:
    """Return the age at which `job` is given up."""
    return PAGE_GIVES_UP_AFTER if cause_of(job.effect) == RESPONSE else GIVE_UP_AFTER


def _whom(job: Job) -> str:
    """Whom this effect was to call for a response; empty for every other effect."""
    effect = job.effect
    if isinstance(effect, PagePager):
        return effect.target
    return effect.user if isinstance(effect, TellUser) and effect.response else ""


def _with(settled: Settled, folded: str, left: frozenset[str]) -> Settled:
    """Return what becomes of `folded`, claimed with the effect that is `settled`: without it, it waits for its turn."""
    if settled.outcome == "done" and folded not in left:
        return replace(settled, effect=folded)
    untouched, tried = settled.untouched, settled.tried
    return Settled(folded, settled.token, "retry", settled.at, settled.not_before, untouched=untouched, tried=tried)


def _notes(job: Job, done: Done, registration: Registration) -> tuple[Observation, ...]:
    """Return what goes on record: of several that were told in one message, each; only the first has a name."""
    if not done.note:
        return ()
    first = Observation(
        kind="delivered",
        key=f"delivered:{job.id}",
        name=registration.name,
        channel=str(done.note.get("channel", "")),
        ts=str(done.note.get("ts", "")),
        text=str(done.note.get("text", "")),
    )
    others = (one.id for one in job.folded if one.id not in done.left)
    return (first, *(first.model_copy(update={"key": f"delivered:{one}", "name": "", "text": ""}) for one in others))
