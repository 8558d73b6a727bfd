"""The store as the committer sees it: keys to load, what is loaded, and the changes to write.

The domain's floor decides in memory on what was loaded; the store locks, loads and writes in sets.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from bot.domain.alerts import Episode, Group
from bot.domain.audit import Audited
from bot.domain.duty import Override
from bot.domain.effects import AnyEffect
from bot.domain.events import Recorded
from bot.domain.incident import Incident
from bot.domain.notices import HOUSE, Notice
from bot.domain.questions import Question
from bot.domain.record import Entry
from bot.domain.undelivered import Undelivered
from bot.domain.watchdogs import Watch
from bot.ports.delivery import Job, Look


class Answer(BaseModel):
    """What a caller is told. Kept in the inbox, so a repeated command gets the same one.

    `kind` names the text (template `answers/<kind>`); `fields` fill it and are JSON-safe.
    """

    model_config = ConfigDict(frozen=True)
    kind: str
    incident: int | None = None
    fields: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Keys:
    """What a case must see. The store locks them in this order (each set sorted), then loads them.

    Incidents that the loaded groups, episodes and recent declarations point to are locked and loaded as well; so are
    those into which one of these was merged, and the alerts that a loaded one was merged with at its sender.
    """

    groups: frozenset[str] = frozenset()
    fingerprints: frozenset[tuple[str, str]] = frozenset()
    declarers: frozenset[str] = frozenset()
    incidents: frozenset[int] = frozenset()
    records: frozenset[int] = frozenset()
    """Incidents whose record stream is appended to. Does not lock their control stream."""
    entry_keys: frozenset[tuple[int, str]] = frozenset()
    """(incident, key) of observations that may be on record already."""
    commands: frozenset[str] = frozenset()
    timers: frozenset[int] = frozenset()
    """Incidents whose armed timers matter."""
    notices: frozenset[str] = frozenset()
    """Keys of notices that may have been said."""
    overrides: bool = False
    """Makes or cancels an override of on-call: those that are not over are loaded."""
    questions: frozenset[str] = frozenset()
    """Ids of questions about alerts. Those that loaded episodes point to are loaded as well."""
    asked: frozenset[str] = frozenset()
    """Groups whose newest question matters."""
    watchdogs: frozenset[str] = frozenset()
    sights: frozenset[str] = frozenset()
    """Ids of episodes of which it matters when they were last seen."""
    undelivered: bool = False
    """Tries again what gave up and belongs to no incident: that is loaded."""
    opens: bool = False
    """May need the next incident number; taken last."""

    @classmethod
    def of_all(cls, several: Sequence["Keys"]) -> "Keys":
        """Return what all of `several` name together."""
        return cls(
            frozenset().union(*(keys.groups for keys in several)),
            frozenset().union(*(keys.fingerprints for keys in several)),
            frozenset().union(*(keys.declarers for keys in several)),
            frozenset().union(*(keys.incidents for keys in several)),
            frozenset().union(*(keys.records for keys in several)),
            frozenset().union(*(keys.entry_keys for keys in several)),
            frozenset().union(*(keys.commands for keys in several)),
            frozenset().union(*(keys.timers for keys in several)),
            notices=frozenset().union(*(keys.notices for keys in several)),
            overrides=any(keys.overrides for keys in several),
            questions=frozenset().union(*(keys.questions for keys in several)),
            asked=frozenset().union(*(keys.asked for keys in several)),
            watchdogs=frozenset().union(*(keys.watchdogs for keys in several)),
            sights=frozenset().union(*(keys.sights for keys in several)),
            undelivered=any(keys.undelivered for keys in several),
            opens=any(keys.opens for keys in several),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that somebody holds: an effect by its token, a timer by its due time."""

    effect: str
    token: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One control event to append. Storage computes salt and hash."""

    incident: int
    recorded: Recorded
    command_id: str


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One observation to append. `seq` is given by the store (it holds the record stream's head)."""

    incident: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class NewEffect:
    """An effect row. `held`: not to be claimed until the room is released."""

    id: str
    incident: int
    seq: int
    effect: AnyEffect
    lane: str | None
    show_key: str | None
    cause: str
    rank: int
    """1–4, the severity; a smaller rank goes first."""
    held: bool
    created_at: datetime
    not_before: datetime | None = None
    """Not to be claimed earlier."""

    @classmethod
    def of_house(
        cls,
        name: str,
        effect: AnyEffect,
        rank: int,
        now: datetime,
        *,
        lane: str | None = None,
        not_before: datetime | None = None,
    ) -> "NewEffect":
        """Return the row of what belongs to no incident: it is caused by no event and waits for no room.

        `name` is its id; `lane` comes instead of the effect's own.
        """
        return cls(
            id=name,
            incident=HOUSE,
            seq=0,
            effect=effect,
            lane=lane or effect.lane,
            show_key=effect.show_key,
            cause="",
            rank=rank,
            held=False,
            created_at=now,
            not_before=not_before,
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed effect. Written only if the token still holds it.

    With `retry`: `untouched` if the vendor has surely seen nothing of it yet, in any attempt, so that nobody need look
    before the next one; `tried` is false if there was no attempt at all. With `failed`: `mend` is what a person can do.
    """

    effect: str
    token: str
    outcome: Literal["done", "retry", "failed"]
    at: datetime
    not_before: datetime | None = None
    error: str = ""
    untouched: bool = False
    tried: bool = True
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A delivery of a known sender that nothing could be made of. `id` is the same for the same bytes."""

    id: str
    source: str
    reason: str
    size: int
    """Bytes, before the body was cut."""
    body: str
    """Base64."""
    at: datetime


@dataclass(slots=True)
class Changes:
    """Everything one case (or a batch) writes, and the answer for the caller."""

    answer: Answer
    command_id: str = ""
    incidents: dict[int, Incident] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)
    entries: list[NewEntry] = field(default_factory=list)
    effects: list[NewEffect] = field(default_factory=list)
    arm: list[tuple[int, str, datetime]] = field(default_factory=list)
    """(incident, kind, due): replaces an armed timer of that kind."""
    disarm: list[tuple[int, str, str]] = field(default_factory=list)
    """(incident, kind, why)."""
    fired: list[tuple[int, str, datetime, float]] = field(default_factory=list)
    """(incident, kind, due, seconds late): this armed timer has rung."""
    cancel: list[tuple[int, str]] = field(default_factory=list)
    """(incident, cause): effects of that cause that still wait are cancelled."""
    release: list[int] = field(default_factory=list)
    """Incidents whose held effects may go."""
    retry: list[str] = field(default_factory=list)
    """Effects that gave up and shall be tried again."""
    show_again: list[str] = field(default_factory=list)
    """Shows over which an older picture may have come since. The newest of the same is what is shown once more."""
    episodes: list[Episode] = field(default_factory=list)
    """Upserts by id."""
    groups: list[Group] = field(default_factory=list)
    """Upserts by key."""
    seen: dict[str, datetime] = field(default_factory=dict)
    """Episodes (by id) of which nothing is new but that they were seen again, and when."""
    seen_groups: dict[str, datetime] = field(default_factory=dict)
    """Groups (by key) that were seen again and lead where they led, and when."""
    questions: list[Question] = field(default_factory=list)
    """Upserts by id."""
    watches: list[Watch] = field(default_factory=list)
    """Upserts by name."""
    heard: dict[str, datetime] = field(default_factory=dict)
    """Watchdogs (by name) that were heard of, and when."""
    settled: list[Settled] = field(default_factory=list)
    notices: list[tuple[Notice, datetime]] = field(default_factory=list)
    """New ones, and when; their effects are among `effects`."""
    overrides: list[Override] = field(default_factory=list)
    """Upserts by number."""
    unusable: list[Unusable] = field(default_factory=list)
    audit: list[Audited] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    """Looks for late copies that are owed."""
    looked: list[int] = field(default_factory=list)
    """Rows of looks that are done."""
    look_later: list[tuple[int, datetime]] = field(default_factory=list)
    """(row, when): looks that could not be had."""
    numbers: int = 0
    """How many incident numbers were taken."""

    @property
    def only_saw(self) -> bool:
        """True if nothing would be written but the answer, and what was seen again: most of an alert storm."""
        return not (
            self.events or self.entries or self.effects or self.arm or self.disarm or self.fired or self.cancel
            or self.release or self.retry or self.show_again or self.episodes or self.groups or self.settled
            or self.incidents or self.notices or self.unusable or self.looks or self.looked or self.look_later
            or self.audit or self.questions or self.watches or self.heard or self.overrides or self.numbers
        )  # fmt: skip


class Superseded(Exception):
    """A claim does not hold any more (another worker took it over): the case writes nothing."""


@dataclass(slots=True)
class Loaded:
    """What was loaded for a batch; later cases of the batch see what earlier ones changed."""

    incidents: dict[int, Incident] = field(default_factory=dict)
    episodes: dict[tuple[str, str], Episode] = field(default_factory=dict)
    """The newest episode of each fingerprint, open or closed; `last_seen` may be older than what is on record."""
    groups: dict[str, Group] = field(default_factory=dict)
    recent: dict[str, list[tuple[int, str, datetime]]] = field(default_factory=dict)
    """declarer → (number, title, declared_at) of the last two minutes."""
    answers: dict[str, Answer] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    """effect id → claim token that holds now."""
    timers: dict[tuple[int, str], datetime] = field(default_factory=dict)
    """(incident, kind) → due time of the armed timer, of the incidents whose timers were asked for."""
    questions: dict[str, Question] = field(default_factory=dict)
    asked: dict[str, Question] = field(default_factory=dict)
    """Group → its newest question, answered or not."""
    watches: dict[str, Watch] = field(default_factory=dict)
    sights: dict[str, datetime] = field(default_factory=dict)
    """Id of an episode → when it was last seen, of those that were asked for."""
    entry_keys: set[tuple[int, str]] = field(default_factory=set)
    """Observations already recorded: (incident, key)."""
    notices: dict[str, datetime] = field(default_factory=dict)
    """Key of a notice that was said → when."""
    overrides: dict[int, Override] = field(default_factory=dict)
    """Those that are not over, by number."""
    undelivered: dict[str, Undelivered] = field(default_factory=dict)
    """What gave up, belongs to no incident, and may be tried again; by effect."""
    next_number: int = 0
    next_override: int = 0

    def apply(self, changes: Changes) -> None:
        """Let the next case of the batch see `changes`."""
        if changes.command_id:
            self.answers[changes.command_id] = changes.answer
        for key, at in changes.seen_groups.items():
            self.groups[key] = Group(key, self.groups[key].incident, at)
        if changes.only_saw:
            return
        self.incidents.update(changes.incidents)
        self.next_number += changes.numbers
        self.overrides.update((one.number, one) for one in changes.overrides)
        self.next_override = max([self.next_override, *(one.number + 1 for one in changes.overrides)])
        self.notices.update((notice.key, at) for notice, at in changes.notices)
        for episode in changes.episodes:
            self.episodes[episode.source, episode.fingerprint] = episode
        for group in changes.groups:
            self.groups[group.key] = group
        for question in changes.questions:
            self.questions[question.id] = self.asked[question.group] = question
        self.watches.update((watch.name, watch) for watch in changes.watches)
        for name, at in changes.heard.items():
            if name in self.watches:
                self.watches[name] = replace(self.watches[name], seen_at=at)
        self.sights.update(changes.seen)
        self.sights.update((episode.id, episode.last_seen) for episode in changes.episodes)
        for event in changes.events:
            if event.recorded.event.type == "declared":
                mine = self.recent.setdefault(event.recorded.actor, [])
                mine.append((event.incident, event.recorded.event.title, event.recorded.at))
        for settled in changes.settled:
            self.held.pop(settled.effect, None)
        for effect in changes.retry:
            self.undelivered.pop(effect, None)
        ended = [gone[:2] for gone in changes.disarm] + [rung[:2] for rung in changes.fired]
        for timer in ended:
            self.timers.pop(timer, None)
        for incident, kind, due in changes.arm:
            self.timers[incident, kind] = due
        self.entry_keys.update((new.incident, new.entry.observation.key) for new in changes.entries)


class Conflict(Exception):
    """A constraint was hit: somebody else wrote what this batch had loaded. Nothing was written."""


class Unavailable(Exception):
    """The database cannot be reached or did not answer in time. Nothing was written, unless it is `uncertain`."""

    def __init__(self, why: str, *, uncertain: bool = False) -> None:
        super().__init__(why)
        self.uncertain = uncertain
        """The line was lost in the midst of a commit, and nobody could say since what became of it."""


class Store(Protocol):
    """The only door for writes."""

    async def transact(self, keys: Keys, claims: Sequence[Claim], work: Callable[[Loaded], Iterable[Changes]]) -> None:
        """Lock and load `keys` (and the claims' tokens), call `work`, write what it returns, commit.

        `work` is pure and may be called again when the transaction is retried (serialisation faults, ≤ 3 times).
        Raises Conflict or Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class DueTimer:
    """An armed timer whose time has come."""

    incident: int
    kind: str
    due: datetime


class Outbox(Protocol):
    """Effects and timers as the runner sees them. Results go through the committer, not here."""

    async def claim(self, worker: str, limit: int, now: datetime) -> list[Job]:
        """Claim what may run: waiting and ripe, or claimed by a worker whose lease has ended.

        In order of rank, then of the log; within a lane only the first unfinished; per Show key none that is running;
        none whose budget is parked or empty. One transaction; the lease (10 s) is on the database's clock. Effects of
        the cause `response` of an acknowledged or closed incident are cancelled instead.
        """
        ...

    async def due_timers(self, now: datetime, limit: int) -> list[DueTimer]: ...

    async def due_looks(self, now: datetime, limit: int) -> tuple[list[Look], datetime | None]:
        """Return the looks for late copies that are due, and when the next one will be.

        Who gets one should look within a few seconds; else another one is given it. A look is gone once it is
        `Changes.looked`.
        """
        ...

    async def next_wake(self, now: datetime) -> datetime | None:
        """The earliest future moment at which a waiting effect, an expired lease or a timer needs the runner."""
        ...

    async def park(self, budget: str, until: datetime) -> None:
        """Start nothing that draws from `budget` before `until` (a 429)."""
        ...

    async def release(self, worker: str) -> None:
        """Hand back what this worker holds: it stops cleanly, or it is gone."""
        ...

    async def holders(self) -> list[str]:
        """Return the workers that hold effects, alive or not."""
        ...
