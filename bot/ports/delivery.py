"""Carrying out an effect: what a handler gets, what it answers, and how it fails."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.commands import Command
from bot.domain.effects import AnyEffect
from bot.domain.events import Recorded
from bot.domain.incident import Incident


class DeliveryError(Exception):
    """A vendor said no, or nothing. Says whether to try again, and to a person what to do.

    `retry_after` is in seconds; with `parks` (a budget key such as `conversations.create`) nothing else of that key
    is tried earlier either. `mend` is an instruction for a person. The text never holds a secret.
    """

    def __init__(
        self, error: str, *, permanent: bool = False, retry_after: float = 0.0, parks: str = "", mend: str = ""
    ) -> None:
        super().__init__(error)
        self.permanent = permanent
        self.retry_after = retry_after
        self.parks = parks
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed effect, with what is needed to carry it out.

    `id` is `<incident>.<seq>.<n>`, the same for every attempt: it goes into message metadata and dedup keys.
    `state` is the incident as committed at the claim; `event` is the fact that caused the effect; `runbook` the
    `runbook_attached` fact in force, if the handler asked for it by its kind. `first_at` is when it was first
    attempted (None: this is the first attempt, no need to look whether it was done).
    """

    id: str
    effect: AnyEffect
    token: str
    attempt: int
    created_at: datetime
    first_at: datetime | None
    state: Incident
    event: Recorded
    runbook: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an effect left something that must stand there once: `ts` tells it from its copies."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is done. `command` goes through the door (for instance RoomOpened) in the same commit."""

    command: Command | None = None
    note: Mapping[str, Any] = field(default_factory=dict)
    placed: Placed | None = None


Handler = Callable[[Job], Awaitable[Done]]
"""Carries an effect out. Raises DeliveryError. Must look before it repeats, when `job.first_at` is set."""


Tidy = Callable[[Job, Placed, bool], Awaitable[Sequence[Placed]]]
"""Removes the copies of what a job placed, and returns them. If the claim was lost (True), its own may be the copy."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How the runner treats one kind of effect.

    `budget` names the rate budget a call draws from, given the job's effect and state's room: a method such as
    `conversations.create`, or `chat.postMessage:C0123`. `name` is for people: "open the channel". Effects of one
    `vendor` share its outages: when it is wholly down, all of them wait for one probe.
    """

    handler: Handler
    name: str
    budget: str = ""
    vendor: str = "slack"
    tidy: Tidy | None = None


Registry = Mapping[str, Registration]
"""Effect kind → registration."""
