"""What the storage tests share: a database with a committer and a clock that stands until it is moved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import commands as c
from bot.domain.effects import AnyEffect
from bot.domain.events import Redacted
from bot.domain.incident import Incident
from bot.domain.incident.context import Context
from bot.domain.policy import Policy
from bot.domain.record import Observation
from bot.domain.severity import Severity
from bot.ports.delivery import Job
from bot.ports.store import Answer, Changes, Keys, Loaded, Settled
from bot.storage.database import Database, open_database
from bot.usecases.cases import Act, Observe, Open, Request
from bot.usecases.committer import Committer
from bot.usecases.settling import Ring, Settle
from bot.usecases.unfold import unfold

ANN, BOB = "U0001", "U0002"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMITS = {"conversations.create": (5, 60.0), "chat.postMessage:": (3, 3.0)}


def budget_of(effect: AnyEffect, state: Incident) -> str:
    """The budgets of the tests: opening a room, and writing into one."""
    if effect.kind in ("open_room", "restore_room"):
        return "conversations.create"
    if effect.kind == "tell":
        return f"chat.postMessage:{state.room.channel if state.room else ''}"
    return ""


class House:
    """One process: a database, its committer, and short ways to ask for things."""

    def __init__(self, database: Database, committer: Committer, clock: "StandingClock") -> None:
        self.database = database
        self.committer = committer
        self.clock = clock
        self.policy = Policy()

    async def open(self, title: str = "Checkout is down", actor: str = ANN, **more: Any) -> int:
        """Declare an incident and return its number."""
        answer = await self.declare(title, actor, **more)
        assert answer.incident is not None
        return answer.incident

    async def declare(
        self, title: str = "Checkout is down", actor: str = ANN, command_id: str = "", **more: Any
    ) -> Answer:
        """Declare an incident and return the answer."""
        command = c.Declare(**{"title": title, "severity": Severity.SEV1, **more})
        return await self.committer.submit(Open(Request(actor, command_id), command, self.policy))

    async def act(self, number: int, command: c.Command, actor: str = ANN, command_id: str = "") -> Answer:
        """Do something to incident `number`."""
        return await self.committer.submit(Act(Request(actor, command_id), number, command, self.policy))

    async def observe(self, number: int, key: str, text: str = "hello") -> Answer:
        """Put a message on record."""
        seen = Observation(kind="message", key=key, text=text, user=ANN)
        return await self.committer.submit(Observe(Request(ANN), number, self.clock(), seen))

    async def ring(self, number: int, kind: str, due: datetime) -> Answer:
        """Let a timer ring."""
        return await self.committer.submit(Ring(number, kind, due, self.policy))

    async def claim(self, worker: str = "w1", limit: int = 50) -> list[Job]:
        """Claim what may run now."""
        return await self.database.claim(worker, limit, self.clock())

    async def settle(
        self, job: Job, outcome: Any = "done", command: c.Command | None = None, not_before: datetime | None = None
    ) -> Answer:
        """Say what became of `job`."""
        settled = Settled(job.id, job.token, outcome, self.clock(), not_before, "boom" if outcome != "done" else "")
        return await self.committer.submit(Settle(settled, job.state.number, command, self.policy))

    async def furnish(self, number: int) -> None:
        """Give the incident its room and card, and finish everything that this brought."""
        await self.act(number, c.RoomOpened(f"C{number}", f"inc-{number}"), "tocsin")
        await self.act(number, c.MessagePosted("card", f"C{number}", "1.1", 99), "tocsin")

    async def redact(self, number: int, *facts: Redacted) -> None:
        """Erase words, as a command will that nobody can give yet."""

        def run(loaded: Loaded) -> list[Changes]:
            changes = Changes(Answer(kind="redacted"))
            unfold(changes, loaded.incidents[number], list(facts), Context(self.policy, self.clock(), ANN))
            return [changes]

        await self.database.transact(Keys(incidents=frozenset({number})), (), run)

    async def finish(self, number: int | None = None) -> list[str]:
        """Carry out everything that may run, until nothing is left. Return the effects' kinds in order."""
        kinds = []
        while jobs := await self.claim():
            for job in jobs:
                kinds.append(job.effect.kind)
                await self.settle(job)
            self.clock.pass_(minutes=2)  # budgets fill up
        return kinds


class StandingClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@asynccontextmanager
async def open_house(url: str, clock: StandingClock | None = None, **more: Any) -> AsyncIterator[House]:
    """Open a process of its own on the database at `url`."""
    clock = clock or StandingClock()
    settings = {"budget_of": budget_of, "limits": LIMITS, "clock": clock, **more}
    async with open_database(url, **settings) as database, Committer(database, clock) as committer:
        yield House(database, committer, clock)
