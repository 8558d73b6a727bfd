"""Schedules that hypothesis makes up: what people and alerts do, and what goes wrong meanwhile."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st

from bot.domain import commands as c
from bot.domain.events import Silencing
from bot.domain.runbooks import Runbook, Step
from bot.domain.severity import Severity, Status
from tests.delivery.workplace import MISFORTUNES

PEOPLE = ("U0000001", "U0000002", "U0000003")
INCIDENTS = 3
MAYBE = "maybe"
BOOK = Runbook(
    "disk", "Disk full", "d", steps=tuple(Step(number=n, section="Diagnosis", text=f"Look {n}") for n in (1, 2))
)


@dataclass(frozen=True)
class Declares:
    """Somebody declares an incident."""

    severity: Severity
    service: str | None
    private: bool = False


@dataclass(frozen=True)
class Acts:
    """Somebody does something to one of the incidents."""

    incident: int
    command: c.Command
    actor: str


@dataclass(frozen=True)
class Alerts:
    """A delivery of alerts: (fingerprint, firing). About those of the service MAYBE, people are asked first."""

    alerts: tuple[tuple[str, bool], ...]
    severity: str
    service: str = "search"
    source: str = "alertmanager"


@dataclass(frozen=True)
class Answers:
    """Somebody answers the first question about MAYBE's alerts."""

    choice: Literal["declare", "dismiss"]
    actor: str


@dataclass(frozen=True)
class Opens:
    """Somebody opens App Home."""

    user: str


@dataclass(frozen=True)
class Tries:
    """Somebody tests the way to those who are on call."""

    actor: str


@dataclass(frozen=True)
class Passes:
    """Time passes."""

    seconds: float


Doing = Declares | Acts | Alerts | Answers | Opens | Tries | Passes


@dataclass(frozen=True)
class Schedule:
    """One life. Each step has a pace: how far delivery has got when it is done; None: nothing was delivered yet."""

    steps: list[tuple[Doing, int | None]]
    weather: dict[int, str] = field(default_factory=dict)
    """Which call meets what."""
    crashes: list[int] = field(default_factory=list)
    """The boundary at which the first process dies, then the second, …"""
    trouble: dict[int, str] = field(default_factory=dict)
    """Which access to the database fails: before it was done, or after (only its answer is lost)."""
    workers: int = 1

    def calm(self) -> "Schedule":
        """The same life, and nothing goes wrong."""
        return Schedule(self.steps)


_WORDS = st.sampled_from(["we are looking", "it was the pool", "rolled back"])
SILENCING = c.SilenceAlerts((Silencing(name="HighLatency", matchers={"alertname": "HighLatency"}),), timedelta(hours=1))
_COMMANDS = st.one_of(
    st.just(c.Acknowledge()),
    st.builds(c.SetSeverity, st.sampled_from(Severity), _WORDS),
    st.builds(c.SetStatus, st.sampled_from([Status.IDENTIFIED, Status.MONITORING]), _WORDS),
    st.builds(c.SetTitle, st.sampled_from(["Checkout is slow", "Payments fail"])),
    st.builds(c.Resolve, _WORDS),
    st.builds(c.Reopen, _WORDS),
    st.just(c.Close()),
    st.builds(c.Cancel, _WORDS, st.booleans()),
    st.builds(c.Merge, st.integers(1, INCIDENTS)),
    st.builds(c.PostUpdate, _WORDS, st.none() | st.just(timedelta(minutes=5))),
    st.builds(c.AddNote, _WORDS),
    st.builds(c.AssignRole, st.sampled_from(["lead", "ops"]), st.sampled_from(PEOPLE)),
    st.builds(c.OfferHandoff, st.sampled_from(PEOPLE)),
    st.just(c.AcceptHandoff()),
    st.just(c.DeclineHandoff()),
    st.just(c.WithdrawHandoff()),
    st.builds(c.PageSomeone, st.sampled_from([*PEOPLE, "checkout"]), _WORDS),
    st.builds(c.AddTask, _WORDS),
    st.builds(c.CompleteTask, st.just(1)),
    st.just(c.AttachRunbook(BOOK)),
    st.builds(c.MarkStep, st.integers(1, 2), st.sampled_from(["done", "skipped", "failed"])),
    st.builds(c.DraftPublic, _WORDS),
    st.just(c.ApprovePublic()),
    st.just(c.PublishPublic()),
    st.just(c.DiscardPublic()),
    st.builds(c.SetCall, st.sampled_from(["https://meet.example/one", "https://meet.example/two"])),
    st.builds(c.SetService, st.sampled_from(["checkout", "search"])),
    st.just(SILENCING),
    st.just(c.LiftSilences()),
    st.just(c.Join()),
    st.builds(c.Attend, st.sampled_from(["joined", "reacted"])),
    st.builds(c.Snooze, st.sampled_from(["respond", "update"]), st.just(timedelta(minutes=10)), _WORDS),
)


def _alerts(*names: str) -> st.SearchStrategy[tuple[tuple[str, bool], ...]]:
    return st.lists(st.tuples(st.sampled_from(names), st.booleans()), min_size=1, max_size=2).map(tuple)


_STEPS = st.one_of(
    st.builds(Declares, st.sampled_from(Severity), st.sampled_from(["checkout", None]), st.booleans()),
    st.builds(Acts, st.integers(1, INCIDENTS), _COMMANDS, st.sampled_from(PEOPLE)),
    st.builds(Acts, st.just(1), _COMMANDS, st.sampled_from(PEOPLE)),
    st.builds(Acts, st.just(1), st.sampled_from([c.ApprovePublic(), c.PublishPublic()]), st.just(PEOPLE[0])),
    st.builds(Alerts, _alerts("f1", "f2"), st.sampled_from(["critical", "warning"])),
    st.builds(Alerts, _alerts("Q1", "Q2"), st.just("critical"), source=st.just("pagerduty")),
    st.builds(Alerts, _alerts("m1", "m2"), st.just("warning"), st.just(MAYBE)),
    st.builds(Answers, st.sampled_from(["declare", "dismiss"]), st.sampled_from(PEOPLE)),
    st.builds(Opens, st.sampled_from(PEOPLE)),
    st.builds(Tries, st.sampled_from(PEOPLE)),
    st.builds(Passes, st.sampled_from([1, 40, 700, 1200])),
)
_PACE = st.none() | st.sampled_from([0, 3, 9, 30])
_FIRST = st.builds(Declares, st.sampled_from([Severity.SEV1, Severity.SEV3]), st.just("checkout"))
SCHEDULES = st.builds(
    Schedule,
    steps=st.tuples(st.tuples(_FIRST, _PACE), st.lists(st.tuples(_STEPS, _PACE), min_size=2, max_size=10)).map(
        lambda made: [made[0], *made[1]]
    ),
    weather=st.dictionaries(st.integers(0, 50), st.sampled_from(MISFORTUNES), max_size=8),
    crashes=st.lists(st.integers(1, 60), max_size=3),
    trouble=st.dictionaries(st.integers(0, 60), st.sampled_from(["before", "after"]), max_size=4),
    workers=st.integers(1, 3),
)
