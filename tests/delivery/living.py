"""Live through a schedule: people who ask again, processes that die and are followed by others, time that passes."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bot.domain import commands as c
from bot.domain.alerts import Alert, AlertBatch
from bot.domain.policy import Policy
from bot.domain.questions import question_id
from bot.domain.refusals import Refused
from bot.domain.runbook_match import Shelf
from bot.domain.triage import triage
from bot.ports.store import Unavailable
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Act, Open, Request
from bot.usecases.committer import Case
from bot.usecases.home import ShowHomes
from bot.usecases.page_tries import TryPage
from bot.usecases.triaging import AnswerQuestion
from tests.delivery.bases import Base
from tests.delivery.schedules import (
    BOOK,
    MAYBE,
    Acts,
    Alerts,
    Answers,
    Declares,
    Doing,
    Opens,
    Passes,
    Schedule,
    Tries,
)
from tests.delivery.workplace import Workplace
from tests.delivery.world import POLICY, Clock, Fatal, Process

AT_LAST = timedelta(minutes=20)
"""So long after the last step things still go wrong …"""
IN_THE_END = timedelta(minutes=40)
"""… and then no more; by now all must be good."""
SLEEPS = 10.0
"""Seconds for which a frozen process sleeps on after its work was done by others, and looked after."""
TRIES = 100
LOOKS_EVERY = timedelta(seconds=1)
"""A look that is due is taken by whoever asks next; who does not know of it asks no more often."""
SHELF = Shelf({"default": BOOK})
HOUSE = Policy.model_validate(
    {
        **POLICY.model_dump(mode="json", exclude_unset=True),
        "statuspage": {"providers": ["builtin", "statuspage"]},
        "channels": {"archive_after": "5m"},
        "routes": [{"match": [f'service="{MAYBE}"'], "action": "triage"}],
        "triage": {"channel": "general"},
    }
)


class Shaky:
    """A base's store and outbox, some accesses to which fail: before they are done, or after."""

    def __init__(self, base: Base, trouble: dict[int, str]) -> None:
        self._base = base
        self.trouble = dict(trouble)
        self._accesses = itertools.count()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        access = getattr(self._base.store, name)

        async def reach(*arguments: Any, **more: Any) -> Any:
            trouble = self.trouble.pop(next(self._accesses), "")
            if trouble == "before":
                raise Unavailable("the database is away")
            done = await access(*arguments, **more)
            if trouble == "after":
                raise Unavailable("the connection was cut")
            return done

        return reach


def alerts_of(delivery: Alerts) -> tuple[Alert, ...]:
    """Return the alerts as a sender's door reads them."""
    return tuple(
        Alert(
            source=delivery.source,
            fingerprint=mark,
            status="firing" if fires else "resolved",
            name="HighLatency",
            labels={"alertname": "HighLatency", "service": delivery.service, "severity": delivery.severity},
        )
        for mark, fires in dict(delivery.alerts).items()
    )


class Life:
    """One life of a schedule on a base."""

    def __init__(self, base: Base, schedule: Schedule, clock: Clock) -> None:
        self.base, self.clock = base, clock
        self.place = Workplace(dict(schedule.weather), on_sleep=self._sleeps)
        self._schedule = schedule
        self._shaky: Any = Shaky(base, schedule.trouble)
        self._names = (f"w{n}" for n in itertools.count(1))
        self._crashes = list(schedule.crashes)
        self._bots: list[Process] = []
        self._burying = asyncio.Lock()
        self.boundaries: list[str] = []

    # --- processes ------------------------------------------------------------------------------------
    async def _born(self, *, immortal: bool = False, clock: Clock | None = None) -> Process:
        fault = Fatal(self._crashes.pop(0) if self._crashes and not immortal else None)
        name = next(self._names)
        bot = Process(
            self._shaky,
            self._shaky,
            self.place,  # type: ignore[arg-type]  # only its registry is asked for
            clock or self.clock,
            name=name,
            policy=HOUSE,
            fault=fault,
            registry=dict(self.place.registry(name)),
        )
        return await bot.__aenter__()

    async def _followed(self, dead: Process) -> None:
        """Another process follows one that died; its leases end."""
        async with self._burying:
            if dead not in self._bots:
                return
            await dead.__aexit__()
            self.boundaries.append(dead.fault.boundaries[-1])
            await self.base.end_leases(dead.runner._worker)
            self._bots[self._bots.index(dead)] = await self._born()

    async def _sleeps(self, worker: str) -> None:
        """A process is frozen: its leases end, another one does its work, and it wakes up.

        It lives on: one that is killed in the very moment in which it wakes leaves its copy (ADR 0017).
        """
        for bot in self._bots:
            if bot.runner._worker == worker:
                bot.fault._n = None
        await self.base.end_leases(worker)
        clock = Clock()
        clock.now, end = self.clock.now, self.clock.now + timedelta(seconds=SLEEPS)
        relief = await self._born(immortal=True, clock=clock)
        while clock.now < end:
            await relief.step()
            wake = await self.base.outbox.next_wake(clock.now)
            wake = max(wake, clock.now + LOOKS_EVERY) if wake and wake <= clock.now else wake
            clock.now = min(wake or end, end)  # what is due meanwhile is not late
        await relief.step()
        await relief.__aexit__()

    async def _work(self) -> None:
        await asyncio.gather(*(self._work_at(n) for n in range(len(self._bots))))

    async def _work_at(self, place: int) -> None:
        for _ in range(TRIES):
            bot = self._bots[place]

            async def stepping(bot: Process = bot) -> None:
                await bot.step()

            if await bot.survive(stepping()):
                return
            await self._followed(bot)
        raise AssertionError("it dies again and again")

    # --- people ---------------------------------------------------------------------------------------
    async def _ask(self, case: Case) -> None:
        """Ask until there is an answer, as people and senders of alerts do."""
        for _ in range(TRIES):
            bot, answered = self._bots[0], asyncio.Event()

            async def asking(bot: Process = bot, answered: asyncio.Event = answered) -> None:
                try:
                    await bot.submit(case)
                except Unavailable:
                    return
                except Refused:
                    pass
                answered.set()

            if not await bot.survive(asking()):
                await self._followed(bot)
            elif answered.is_set():
                return
        raise AssertionError("nobody answers")

    def _case(self, doing: Doing, n: int) -> Case:
        match doing:
            case Declares(severity, service, private):
                command = c.Declare(f"Outage {n}", severity=severity, service=service, private=private)
                return Open(Request("U0000001", f"cmd-{n}"), command, HOUSE)
            case Acts(incident, command, actor):
                return Act(Request(actor, f"cmd-{n}"), incident, command, HOUSE)
            case Alerts(source=source):
                batch = AlertBatch(source=source, alerts=alerts_of(doing))
                return ReportBatch(Request(f"alert:{source}", f"cmd-{n}"), batch, HOUSE, SHELF)
            case Answers(choice, actor):
                group = triage(alerts_of(Alerts((("f1", True),), "warning", MAYBE))[0], HOUSE).group_key
                asked = Request(actor, f"cmd-{n}")
                return AnswerQuestion(asked, question_id(group, 1), choice, "C1", HOUSE, SHELF)
            case Opens(user):
                return ShowHomes((user,), str(n), f"cmd-{n}")
            case Tries(actor):
                self.clock.step(0.001)  # a test is named after its time: two of one person are never of one moment
                return TryPage(Request(actor, f"cmd-{n}"), c.TryPage("checkout"), HOUSE)
        raise AssertionError(doing)

    # --- the life -------------------------------------------------------------------------------------
    async def live(self) -> None:
        """Do it all, then let it settle."""
        self._bots = [await self._born() for _ in range(self._schedule.workers)]
        for n, (doing, pace) in enumerate(self._schedule.steps):
            if isinstance(doing, Passes):
                self.clock.step(doing.seconds)
                await self._ring()
                continue
            beside = asyncio.ensure_future(self._work()) if pace is not None else None
            for _ in range(pace or 0):
                await asyncio.sleep(0)
            await self._ask(self._case(doing, n))
            if beside:
                await beside
            await self._ring(only_due=True)
        last = self.clock.now
        await self._settle(last + AT_LAST)
        self.place.weather.clear()
        self._shaky.trouble.clear()
        self._crashes.clear()
        for bot in self._bots:
            bot.fault._n = None
        for _ in range(TRIES):
            if not await self._retried():
                break
            await self._settle(last + IN_THE_END)
        await self._settle(last + IN_THE_END)
        for bot in self._bots:
            await bot.__aexit__()

    async def _ring(self, *, only_due: bool = False) -> None:
        """Work until no timer is due: so that whatever went wrong, the next command finds the same timers rung."""
        for _ in range(TRIES):
            due = await self.base.outbox.due_timers(self.clock.now, 1)
            if only_due and not due:
                return
            await self._work()
            only_due = True
        raise AssertionError("a timer does not ring")

    async def _settle(self, until: Any) -> None:
        """Go from wake-up to wake-up."""
        while True:
            await self._ring()
            await self.base.end_leases()  # of claims whose answer was lost
            await self._ring()
            moments = [await self.base.outbox.next_wake(self.clock.now), await self.base.next_look()]
            at = min((moment for moment in moments if moment is not None), default=None)
            if at is None or at > until:
                return
            self.clock.now = max(at, self.clock.now + LOOKS_EVERY) if at <= self.clock.now else at

    async def _retried(self) -> bool:
        """Have a person try again whatever was given up."""
        again = False
        for number in await self.numbers():
            if (await self.base.state(number)).failed:
                await self._ask(Act(Request("U0000001"), number, c.RetryDelivery(), HOUSE))
                again = True
        return again

    async def numbers(self) -> list[int]:
        """The incidents there are."""
        return await self.base.numbers()
