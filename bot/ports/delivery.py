"""Carrying out an effect: what a handler gets, what it answers, and how it fails."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.commands import Command
from bot.domain.effects import AnyEffect
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.notices import Notice
from bot.domain.questions import Question
from bot.ports.waits import bounded


class DeliveryError(Exception):
    """A vendor said no, or nothing. Says whether to try again, and to a person what to do.

    `retry_after` is in seconds, and bounded (`waits.py`); with `parks` (a budget key such as `conversations.create`)
    nothing else of that key is tried earlier either. `untouched`: this attempt has surely done nothing that must be
    done once, since no byte left, or the vendor wanted no call; without it, nobody knows. `mend` is an instruction for
    a person. The text never holds a secret.
    """

    def __init__(
        self,
        error: str,
        *,
        permanent: bool = False,
        retry_after: float = 0.0,
        parks: str = "",
        untouched: bool = False,
        mend: str = "",
    ) -> None:
        super().__init__(error)
        self.permanent = permanent
        self.retry_after = bounded(retry_after)
        self.parks = parks
        self.untouched = untouched or bool(parks)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed effect, with what is needed to carry it out.

    `id` is `<incident>.<seq>.<n>`, the same for every attempt: it goes into message metadata and dedup keys.
    `state` is the incident as committed at the claim; `event` is the fact that caused the effect; `runbook` the
    `runbook_attached` fact in force, if the handler asked for it by its kind. `first_at` is when it was first
    attempted (None: this is the first attempt, no need to look whether it was done). `folded` are later messages of
    its lane that are claimed with it, to be told in the same message; their first attempts count for `first_at`, too.
    `claimed_at` is the time of this claim.
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
    notice: Notice | None = None
    """With `post_notice`: what to say. Its `state` and `event` stand for nothing (`bot/domain/notices.py`)."""
    question: Question | None = None
    """With `ask_triage` and `show_triage`: what people are asked, as it is at the claim."""
    folded: tuple["Folded", ...] = ()
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """A message that is told together with the one before it. Fields as in Job."""

    id: str
    effect: AnyEffect
    event: Recorded


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an effect left something that must stand there once: `ts` tells it from its copies.

    `claim` is the token under which it was placed: of an attempt whose answer never came, that is all we know.
    """

    channel: str
    ts: str
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is done. `command` goes through the door (for instance RoomOpened) in the same commit.

    `left` are the ids of folded effects that are not done: they wait again, each for itself.
    """

    command: Command | None = None
    note: Mapping[str, Any] = field(default_factory=dict)
    placed: Placed | None = None
    left: frozenset[str] = frozenset()


Handler = Callable[[Job], Awaitable[Done]]
"""Carries an effect out. Raises DeliveryError. Must look before it repeats, when `job.first_at` is set."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look for late copies of what an effect placed: an attempt that was given up may still reach the vendor.

    Owed at `due` by whoever is there then. `since` is when the effect was first attempted. `lost`: somebody else has
    placed it too, so this one may be the copy. `id` is the row's, once it is written. What is shown has no copies: an
    older picture that comes late stands over the newer one, so it is shown once more.
    """

    effect: str
    incident: int
    kind: str
    placed: Placed
    since: datetime
    due: datetime
    lost: bool = False
    id: int = 0


Where = Callable[[Job], Awaitable[Placed]]
"""Where an attempt may have left something whose answer never came. Raises DeliveryError."""
Tidy = Callable[[Look], Awaitable[Sequence[Placed]]]
"""Removes the copies, and returns them. Bears repetition, also by two at once."""


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
    where: Where | None = None
    """With `tidy`: where to look for what an attempt left whose answer never came."""


Registry = Mapping[str, Registration]
"""Effect kind → registration."""
