"""A little world for the runner: a clock that is stepped, vendors that remember what reached them, processes that die.

The handlers look before they repeat, as real ones must; so what stands in `World.seen` twice was done twice.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, get_args

from bot.delivery.carrier import Times
from bot.delivery.runner import Runner
from bot.domain import commands as c
from bot.domain.effects import (
    AnyEffect,
    Invite,
    NameRoom,
    PagePager,
    PostAnnouncement,
    RestoreRoom,
    ShowMessage,
    Tell,
    TellUser,
)
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.ports.delivery import DeliveryError, Done, Handler, Job, Registration
from bot.ports.observer import Observer
from bot.ports.store import Answer, Outbox, Store
from bot.usecases.cases import Act, Open, Request
from bot.usecases.committer import Case, Committer

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
POLICY = Policy.model_validate(
    {
        "services": {"checkout": {"owners": ["U0000002"], "escalation": "checkout"}},
        "escalations": {
            "checkout": {
                "levels": [
                    {"targets": [{"user": "U0000002"}, {"pagerduty": "default"}], "wait": "10m"},
                    {"targets": [{"user": "U0000003"}], "wait": "10m"},
                ]
            }
        },
    }
)
ANN = Request("U0000001")


class Clock:
    """Time, as far as this test is concerned."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def step(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += timedelta(seconds=seconds)

    def seconds(self) -> float:
        """The same time, as a monotonic clock tells it."""
        return (self.now - START).total_seconds()


@dataclass
class World:
    """All vendors. `seen` is what reached them, in order; `calls` counts attempts; `fails` answers instead of them."""

    seen: list[tuple[str, str]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    fails: dict[str, list[Exception]] = field(default_factory=dict)
    always: dict[str, Exception] = field(default_factory=dict)
    latency: Callable[[], Awaitable[None]] | None = None
    jobs: list[Job] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    """Kind → how many answers are lost, of what was done."""
    digests: list[list[str]] = field(default_factory=list)
    """Effects that were told in one message."""

    def kinds(self) -> list[str]:
        """What was done, by kind, in order."""
        return [kind for kind, _ in self.seen]

    def texts(self) -> list[str]:
        """Templates told in the channel, in order."""
        return [key.partition(" ")[2] for kind, key in self.seen if kind == "tell"]

    async def carry(self, job: Job) -> Done:
        """Do it, unless a repeat finds it done."""
        kind = job.effect.kind
        self.calls[kind] += 1
        self.jobs.append(job)
        if self.latency:
            await self.latency()
        if kind in self.always:
            raise self.always[kind]
        if self.fails.get(kind):
            raise self.fails[kind].pop(0)
        done = self._carry_together(job) if job.folded else self._carry_one(job)
        if self.lost[kind]:
            self.lost[kind] -= 1
            raise DeliveryError("the answer was lost")
        return done

    def _carry_one(self, job: Job) -> Done:
        mark = (job.effect.kind, f"{job.id} {_what(job.effect)}".strip())
        again = job.first_at is None and job.effect.show_key is None  # to show once more what stands there does no harm
        if again or mark not in self.seen:
            self.seen.append(mark)
        return Done(_learnt(job))

    def _carry_together(self, job: Job) -> Done:
        """Tell in one message what is not told yet; what an earlier message of this job left out waits again."""
        marks = {one.id: ("tell", f"{one.id} {_what(one.effect)}") for one in (job, *job.folded)}
        if marks[job.id] not in self.seen:
            together = {effect: mark for effect, mark in marks.items() if mark not in self.seen}
            self.seen += together.values()
            self.digests.append(list(together))
        return Done(left=frozenset(effect for effect, mark in marks.items() if mark not in self.seen))

    def registry(self, **other: Handler) -> dict[str, Registration]:
        """Every kind of effect, done here; `other` replaces single handlers."""
        union, _ = get_args(AnyEffect)
        kinds = [effect.model_fields["kind"].default for effect in get_args(union)]
        return {kind: Registration(other.get(kind, self.carry), kind.replace("_", " "), kind) for kind in kinds}


def _what(told: AnyEffect) -> str:
    match told:
        case Tell() | TellUser() as effect:
            return effect.template
        case ShowMessage() as effect:
            return effect.what
        case _:
            return ""


def _learnt(job: Job) -> c.Command | None:
    state = job.state
    match job.effect:
        case effect if effect.kind == "open_room":
            return c.RoomOpened(f"C{state.number}", effect.name)
        case NameRoom() as effect:
            return c.RoomNamed(effect.name)
        case RestoreRoom():
            return c.RoomOpened(state.room.channel, state.room.name) if state.room else None
        case PostAnnouncement() as effect:
            return c.MessagePosted("announcement", effect.channel, f"{job.id}", state.seq)
        case effect if effect.kind in ("post_card", "post_runbook", "post_alerts", "post_draft"):
            what = effect.kind.removeprefix("post_")
            return c.MessagePosted(what, state.room.channel if state.room else "", job.id, state.seq)
        case PagePager() as effect:
            return c.PageSent(effect.target, ok=True)
        case Invite() | _:
            return None


class Twin(Store, Outbox, Protocol):
    """What a database offers to a process."""


class Reading(Protocol):
    """How a test looks into a database."""

    async def state(self, number: int) -> Incident: ...

    async def events(self, number: int) -> list[Recorded]: ...


class Killed(BaseException):
    """The process is gone."""


class Fatal:
    """A fault port that kills at the `n`-th boundary (None: never), and counts them."""

    def __init__(self, n: int | None = None) -> None:
        self._n = n
        self.boundaries: list[str] = []
        self.died = asyncio.Event()

    def __call__(self, boundary: str) -> None:
        if self.died.is_set():
            raise Killed(boundary)
        self.boundaries.append(boundary)
        if len(self.boundaries) == self._n:
            self.died.set()
            raise Killed(boundary)


class Process:
    """One bot process: committer and runner on a store. `steps` run until they end or the process dies."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        world: World,
        clock: Clock,
        *,
        name: str = "one",
        policy: Policy = POLICY,
        fault: Fatal | None = None,
        registry: dict[str, Registration] | None = None,
        call_timeout: float = 8.0,
        observer: Observer | None = None,
    ) -> None:
        self.fault = fault or Fatal()
        self.committer = Committer(store, clock, fault=self.fault)
        self.policy = policy
        self.runner = Runner(
            outbox,
            self.committer,
            registry or world.registry(),
            clock,
            worker_id=name,
            policy=lambda: self.policy,
            times=Times(call=call_timeout, settle_pause=0),
            spread=lambda: 0.0,
            fault=self.fault,
            monotonic=clock.seconds,
            observer=observer,
        )
        self.committer.on_commit.append(self.runner.wake)

    async def __aenter__(self) -> "Process":
        await self.committer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self.fault.died.is_set():
            await self.committer.__aexit__()
            return
        task = self.committer._task
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError, Killed):
            await task
        for flying in self.runner._flying:
            flying.cancel()
        await asyncio.gather(*self.runner._flying, return_exceptions=True)

    async def survive(self, steps: Awaitable[None]) -> bool:
        """Run `steps`; False if the process died in them."""
        task = asyncio.ensure_future(steps)
        death = asyncio.create_task(self.fault.died.wait())
        await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
        alive = not self.fault.died.is_set()
        for one in (death,) if alive else (death, task):
            one.cancel()
        with suppress(asyncio.CancelledError):
            await death
        try:
            await task
        except (Killed, asyncio.CancelledError):
            assert not alive
        return alive

    async def submit(self, case: Case) -> Answer:
        """Submit, as a door does."""
        return await self.committer.submit(case)

    async def declare(self, title: str = "Checkout is down", id: str = "", severity: str = "sev3", **more: Any) -> int:  # noqa: A002
        """Declare an incident, return its number."""
        command = c.Declare(title, severity=Severity(severity), **more)
        request = Request(ANN.actor, id)
        answer = await self.submit(Open(request, command, self.policy))
        assert answer.incident
        return answer.incident

    async def act(self, number: int, command: c.Command, id: str = "", actor: str = ANN.actor) -> Answer:  # noqa: A002
        """Do something to an incident."""
        return await self.submit(Act(Request(actor, id), number, command, self.policy))

    async def step(self) -> datetime | None:
        """Do all that is due."""
        return await self.runner.run_due()

    async def settle_down(self, clock: Clock, *, until: timedelta = timedelta(hours=1)) -> None:
        """Step from wake-up to wake-up for `until`."""
        end = clock.now + until
        while (at := await self.step()) is not None and at <= end:
            clock.now = at


def transient(error: str = "the line dropped") -> DeliveryError:
    """A failure that may pass."""
    return DeliveryError(error)


def same(jobs: Sequence[Job]) -> bool:
    """True if all `jobs` are attempts at one effect."""
    return len({job.id for job in jobs}) == 1
