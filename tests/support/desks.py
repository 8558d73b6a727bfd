"""A desk on the in-memory store, for the surfaces' tests."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain import commands as c
from bot.domain.events import Step
from bot.domain.policy import Policy, Service
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity
from bot.ports.store import Answer
from bot.usecases.cases import Act, Open, Request
from bot.usecases.committer import Committer
from bot.usecases.desk import Desk
from bot.usecases.queries import Queries
from tests.support.memory import MemoryStore
from tests.support.reading import MemoryReader

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
DISK_FULL = Runbook(
    "disk-full",
    "Disk full",
    "d1",
    steps=tuple(Step(number=n, section="Diagnosis", text=f"Look at {n}") for n in (1, 2, 3)),
)


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class People:
    """A directory of two people and a usergroup."""

    def find(self, word: str) -> str | None:
        return {"bob": "U0BOB000002", "alice": "U0ALICE0001"}.get(word.lstrip("@").lower())

    def name(self, user: str) -> str | None:
        return {"U0BOB000002": "bob", "U0ALICE0001": "alice"}.get(user)

    def members(self, usergroup: str) -> frozenset[str]:
        return frozenset({"U0BOB000002"}) if usergroup == "S0OPS" else frozenset()

    def refresh(self) -> None:
        self.refreshed = True

    refreshed = False


class Shelf:
    """A library of one runbook, which fits the service `disks`."""

    def match(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], service: str | None, severity: Severity | None
    ) -> tuple[Runbook | None, str]:
        return (DISK_FULL, "the service") if service == "disks" else (None, "nothing fits")

    def get(self, name: str) -> Runbook | None:
        return DISK_FULL if name == "disk-full" else None

    def names(self) -> Sequence[str]:
        return ["disk-full"]

    async def fresh(self) -> "Shelf":
        return self


@dataclass
class Office:
    """A desk and everything behind it."""

    desk: Desk
    committer: Committer
    store: MemoryStore
    reader: MemoryReader
    clock: Clock
    policy: Policy

    async def incident(self, channel: str = "", *, actor: str = "U0ALICE0001", **about: object) -> int:
        """Open an incident, with its channel if one is given. Returns its number."""
        command = c.Declare(**{"title": "Checkout is down", "severity": Severity.SEV1, **about})  # type: ignore[arg-type]
        answer = await self.committer.submit(Open(Request(actor), command, self.policy))
        assert answer.incident is not None
        if channel:
            await self.act(answer.incident, c.RoomOpened(channel, f"inc-{answer.incident}"), actor="tocsin")
        return answer.incident

    async def act(self, number: int, command: c.Command, actor: str = "U0ALICE0001") -> Answer:
        """Do something to an incident."""
        return await self.committer.submit(Act(Request(actor), number, command, self.policy))


@asynccontextmanager
async def open_office(policy: Policy | None = None) -> AsyncIterator[Office]:
    """An empty store, a clock that stands, a desk."""
    clock = Clock()
    policy = policy or Policy(services={"checkout": Service(), "disks": Service()})
    store = MemoryStore(clock)
    reader = MemoryReader(store)
    async with Committer(store, clock) as committer:
        queries = Queries(reader, policy, clock, public_url="http://tocsin.test")
        desk = Desk(committer, queries, policy, Shelf(), People(), clock, silences=True)
        yield Office(desk, committer, store, reader, clock, policy)
