"""The in-memory twin of the store and the outbox: same promises, no database. The suites run on both.

It is written from the ports' docstrings alone, so that a suite that passes here and fails on a database (or the
other way round) shows which of the two misread them.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.alerts import Episode, Group
from bot.domain.audit import Audited
from bot.domain.duty import Override
from bot.domain.effects import IN_ROOM, RESPONSE
from bot.domain.events import Recorded
from bot.domain.folding import FOLD_AFTER, how_many, was_out_of_reach
from bot.domain.incident import Incident
from bot.domain.notices import HOUSE, Notice, house, house_event
from bot.domain.questions import Question
from bot.domain.record import Entry
from bot.domain.undelivered import Undelivered, about
from bot.ports.clock import Clock
from bot.ports.delivery import Folded, Job, Look
from bot.ports.store import Answer, Changes, Claim, Conflict, DueTimer, Keys, Loaded, NewEffect, Settled, Unavailable

LEASE = timedelta(seconds=10)
RECENT = timedelta(minutes=2)
LOOK_HELD = timedelta(seconds=2)
State = Literal["waiting", "claimed", "done", "failed", "cancelled", "superseded"]
OVER: frozenset[State] = frozenset({"done", "failed", "cancelled", "superseded"})


@dataclass
class Row:
    """One effect of the outbox."""

    new: NewEffect
    place: int
    """Where it stands in the log of all incidents."""
    held: bool
    state: State = "waiting"
    not_before: datetime | None = None
    attempt: int = 0
    first_at: datetime | None = None
    token: str = ""
    worker: str = ""
    lease_until: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    mend: str = ""


@dataclass
class Timer:
    """One timer of an incident."""

    due: datetime
    state: Literal["armed", "fired", "cancelled"] = "armed"


@dataclass
class Tables:
    """What a database would hold."""

    incidents: dict[int, Incident] = field(default_factory=dict)
    events: dict[int, list[Recorded]] = field(default_factory=dict)
    entries: dict[int, list[Entry]] = field(default_factory=dict)
    effects: dict[str, Row] = field(default_factory=dict)
    timers: dict[tuple[int, str], Timer] = field(default_factory=dict)
    inbox: dict[str, Answer] = field(default_factory=dict)
    episodes: dict[tuple[str, str], Episode] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    overrides: dict[int, Override] = field(default_factory=dict)
    audit: list[Audited] = field(default_factory=list)
    notices: dict[str, datetime] = field(default_factory=dict)
    """Key → when it was said."""
    said: list[Notice] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    parked: dict[str, datetime] = field(default_factory=dict)
    looks: dict[int, tuple[Look, datetime | None]] = field(default_factory=dict)
    """By row: what is owed, and until when it was given to somebody."""

    def undelivered(self) -> list[Undelivered]:
        """What gave up and belongs to no incident, but for what is told anew since."""
        mine = [row for row in self.effects.values() if row.new.incident == HOUSE]
        newest = {about(row.new.id, row.new.show_key): row for row in sorted(mine, key=lambda one: one.place)}
        return [
            Undelivered(row.new.id, row.new.effect, row.ended_at, row.error, row.mend)
            for row in newest.values()
            if row.state == "failed" and row.ended_at
        ]


class MemoryStore:
    """Store and Outbox in one. `clock` stands for the database's own; `budgets` maps effect kinds to rate budgets.

    `down` makes every call raise Unavailable. `commits` and `claims` count round trips.
    """

    def __init__(self, clock: Clock, budgets: Mapping[str, str] | None = None) -> None:
        self._clock = clock
        self._budgets = budgets or {}
        self._places = itertools.count(1)
        self._tokens = itertools.count(1)
        self.tables = Tables()
        self.down = False
        self.fold_after = FOLD_AFTER
        self.commits = 0
        self.claims = 0

    # --- Store ----------------------------------------------------------------------------------------
    async def transact(self, keys: Keys, claims: Sequence[Claim], work: Callable[[Loaded], Iterable[Changes]]) -> None:
        """Load, let `work` decide, and write all or nothing."""
        self._reach()
        written = list(work(self._load(keys, claims)))
        for changes in written:
            self._check(changes)
        for changes in written:
            self._write(changes)
        self.commits += 1

    def _load(self, keys: Keys, claims: Sequence[Claim]) -> Loaded:
        t = self.tables
        of_questions = {t.questions[key].group for key in keys.questions & t.questions.keys()}
        groups = {key: t.groups[key] for key in (keys.groups | of_questions) & t.groups.keys()}
        episodes = {key: t.episodes[key] for key in keys.fingerprints if key in t.episodes}
        known = t.episodes.keys()
        while more := {one for mine in episodes.values() for one in mine.relatives} & known - episodes.keys():
            episodes |= {key: t.episodes[key] for key in more}
        recent: dict[str, list[tuple[int, str, datetime]]] = {}
        for number, events in t.events.items():
            first = events[0]
            if first.actor in keys.declarers and self._clock() - first.at < RECENT:
                title = first.event.title if first.event.type == "declared" else ""
                recent.setdefault(first.actor, []).append((number, title, first.at))
        numbers = set(keys.incidents) | {group.incident for group in groups.values()}
        numbers |= {episode.incident for episode in episodes.values() if episode.incident is not None}
        numbers |= {number for mine in recent.values() for number, _, _ in mine}
        pointed = keys.questions | {episode.question for episode in episodes.values()}
        newest = {question.group: question for question in t.questions.values()}
        asked = {group: newest[group] for group in keys.asked & newest.keys()}
        questions = {
            key: t.questions[key] for key in (pointed | {one.id for one in asked.values()}) & t.questions.keys()
        }
        numbers |= {question.incident for question in questions.values() if question.incident is not None}
        rows = [t.effects[claim.effect] for claim in claims if claim.effect in t.effects]
        return Loaded(
            incidents={n: t.incidents[n] for n in numbers if n in t.incidents},
            episodes=episodes,
            groups=groups,
            questions=questions,
            asked=asked,
            recent=recent,
            answers={key: t.inbox[key] for key in keys.commands if key in t.inbox},
            held={row.new.id: row.token for row in rows if row.state == "claimed"},
            timers={key: timer.due for key, timer in t.timers.items() if key[0] in numbers and timer.state == "armed"},
            entry_keys={
                (number, entry.observation.key)
                for number in keys.records
                for entry in t.entries.get(number, [])
                if (number, entry.observation.key) in keys.entry_keys
            },
            notices={key: t.notices[key] for key in keys.notices if key in t.notices},
            overrides={
                n: one for n, one in t.overrides.items() if one.end > self._clock() and one.cancelled_at is None
            },
            undelivered={one.id: one for one in t.undelivered()} if keys.undelivered else {},
            next_override=max(t.overrides, default=0) + 1,
            next_number=max(t.incidents, default=0) + 1 if keys.opens else 0,
        )

    def _check(self, changes: Changes) -> None:
        for new in changes.events:
            if new.recorded.seq <= len(self.tables.events.get(new.incident, [])):
                raise Conflict(f"event {new.incident}.{new.recorded.seq} exists")

    def _write(self, changes: Changes) -> None:
        t = self.tables
        t.incidents.update(changes.incidents)
        t.overrides.update((one.number, one) for one in changes.overrides)
        for event in changes.events:
            t.events.setdefault(event.incident, []).append(event.recorded)
        t.audit += changes.audit
        t.notices.update((notice.key, at) for notice, at in changes.notices)
        t.said += [notice for notice, _ in changes.notices]
        t.questions.update((question.id, question) for question in changes.questions)
        for new in changes.entries:
            stream = t.entries.setdefault(new.incident, [])
            stream.append(new.entry.model_copy(update={"seq": len(stream) + 1}))
        for settled in changes.settled:
            self._settle(settled)
        for effect in changes.effects:
            self._insert(effect)
        for number, cause in changes.cancel:
            for row in self._waiting():
                if row.new.incident == number and row.new.cause == cause:
                    row.state = "cancelled"
        for number in changes.release:
            for row in self._waiting():
                row.held = row.held and row.new.incident != number
        for gone in changes.retry:
            row = t.effects[gone]
            row.state, row.attempt, row.not_before = "waiting", 0, None
            row.new = replace(row.new, created_at=self._clock())
        for shown in changes.show_again:
            asked = t.effects[shown].new
            same = [
                r for r in t.effects.values() if (r.new.incident, r.new.show_key) == (asked.incident, asked.show_key)
            ]
            row = max(same, key=lambda one: one.place)
            if row.state == "done":
                row.state, row.attempt, row.not_before = "waiting", 0, None
        for number, kind, _ in changes.disarm:
            if timer := t.timers.get((number, kind)):
                timer.state = "cancelled"
        for number, kind, due, _ in changes.fired:
            t.timers[number, kind] = Timer(due, "fired")
        for number, kind, due in changes.arm:
            t.timers[number, kind] = Timer(due)
        for episode in changes.episodes:
            t.episodes[episode.source, episode.fingerprint] = episode
        for group in changes.groups:
            t.groups[group.key] = group
        for key, episode in t.episodes.items():
            if at := changes.seen.get(episode.id):
                t.episodes[key] = episode.model_copy(update={"last_seen": at})
        for name, at in changes.seen_groups.items():
            t.groups[name] = replace(t.groups[name], last_alert_at=at)
        for look in changes.looks:
            row = next(self._places)
            t.looks[row] = (replace(look, id=row), None)
        for row in changes.looked:
            t.looks.pop(row, None)
        for row, at in changes.look_later:
            t.looks[row] = (replace(t.looks[row][0], due=at), None)
        if changes.command_id:
            t.inbox[changes.command_id] = changes.answer

    def _settle(self, settled: Settled) -> None:
        row = self.tables.effects[settled.effect]
        if row.state != "claimed" or row.token != settled.token:
            return
        row.state = "waiting" if settled.outcome == "retry" else settled.outcome
        row.not_before, row.error, row.lease_until = settled.not_before, settled.error, None
        row.mend = settled.mend
        row.first_at = None if settled.untouched else row.first_at
        row.attempt -= 0 if settled.tried else 1
        row.ended_at = None if settled.outcome == "retry" else settled.at

    def _insert(self, new: NewEffect) -> None:
        if new.show_key:
            for row in self._waiting():
                if (row.new.incident, row.new.show_key) == (new.incident, new.show_key):
                    row.state = "superseded"
        self.tables.effects[new.id] = Row(new, next(self._places), held=new.held, not_before=new.not_before)

    # --- Outbox ---------------------------------------------------------------------------------------
    async def claim(self, worker: str, limit: int, now: datetime) -> list[Job]:
        """Claim what may run, in order of rank, then of the log."""
        self._reach()
        self.claims += 1
        self._cancel_answered()
        ripe = [row for row in self.tables.effects.values() if self._may_run(row, now)]
        ripe.sort(key=lambda row: (row.new.rank, row.place))
        return [self._take(row, worker, self._behind(row, now)) for row in ripe[:limit]]

    def _behind(self, row: Row, now: datetime) -> list[Row]:
        """What waited behind `row` while its lane was out of reach, and can be told with it."""
        lane = sorted((o for o in self.tables.effects.values() if o.new.lane == row.new.lane), key=lambda o: o.place)
        since = row.new.created_at
        told = len({o.ended_at for o in lane if o.state == "done" and o.ended_at and o.ended_at >= since})
        if not row.new.lane or not was_out_of_reach(since, now, told, self.fold_after):
            return []
        open_ones = [o for o in lane if o.place >= row.place and o.state not in OVER]
        return open_ones[1 : how_many([o.new.effect for o in open_ones])]

    def _cancel_answered(self) -> None:
        for row in self.tables.effects.values():
            left = row.state == "claimed" and row.lease_until is not None and row.lease_until <= self._clock()
            if row.new.cause != RESPONSE or not (left or row.state == "waiting"):
                continue
            state = self.tables.incidents[row.new.incident]
            # one asked for after the acknowledgement (a person pages another one) still goes out
            answered = state.acknowledged_at is not None and state.acknowledged_at >= row.new.created_at
            if answered or not state.is_active:
                row.state = "cancelled"

    def _may_run(self, row: Row, now: datetime) -> bool:
        if row.state == "claimed" and (row.lease_until is None or row.lease_until > self._clock()):
            return False
        if row.state not in ("waiting", "claimed") or row.held or (row.not_before and row.not_before > now):
            return False
        parked = self.tables.parked.get(self._budgets.get(row.new.effect.kind, ""))
        if parked and parked > now:
            return False
        others = [other for other in self.tables.effects.values() if other is not row and other.state not in OVER]
        if row.new.lane and any(o.new.lane == row.new.lane and o.place < row.place for o in others):
            return False
        if row.new.effect.kind == "archive_room" and not any(o.new.lane == row.new.lane for o in others):
            mine = (o for o in others if o.new.incident == row.new.incident and o.place < row.place)
            if any(o.new.effect.kind in IN_ROOM for o in mine):
                return False
        key = (row.new.incident, row.new.show_key)
        return not row.new.show_key or not any(
            o.state == "claimed" and (o.new.incident, o.new.show_key) == key for o in others
        )

    def _take(self, row: Row, worker: str, behind: Sequence[Row] = ()) -> Job:
        new, effect, of_house = row.new, row.new.effect, row.new.incident == HOUSE
        events = [] if of_house else self.tables.events[new.incident]
        state = house() if of_house else self.tables.incidents[new.incident]
        job = Job(
            id=new.id,
            effect=effect,
            token=f"t{next(self._tokens)}",
            attempt=row.attempt + 1,
            created_at=new.created_at,
            first_at=min((one.first_at for one in (row, *behind) if one.first_at), default=None),
            state=state,
            event=house_event() if of_house else events[new.seq - 1],
            runbook=events[state.runbook.seq - 1] if state.runbook else None,
            notice=next((one for one in self.tables.said if one.key == getattr(effect, "notice", None)), None),
            question=self.tables.questions.get(getattr(effect, "question", "")),
            folded=tuple(Folded(one.new.id, one.new.effect, events[one.new.seq - 1]) for one in behind),
            claimed_at=self._clock(),
        )
        for one in (row, *behind):
            one.state, one.token, one.worker, one.attempt = "claimed", job.token, worker, one.attempt + 1
            one.first_at = one.first_at or self._clock()
            one.lease_until = self._clock() + LEASE
        return job

    async def due_timers(self, now: datetime, limit: int) -> list[DueTimer]:
        """Armed timers whose time has come, the oldest first."""
        self._reach()
        armed = [(timer.due, key) for key, timer in self.tables.timers.items() if timer.state == "armed"]
        return [DueTimer(number, kind, due) for due, (number, kind) in sorted(armed) if due <= now][:limit]

    async def due_looks(self, now: datetime, limit: int) -> tuple[list[Look], datetime | None]:
        """What is due and given to nobody else, and when the next is."""
        self._reach()
        owed = sorted(self.tables.looks.items(), key=lambda item: item[1][0].due)
        if not owed or owed[0][1][0].due > now:
            return [], owed[0][1][0].due if owed else None
        free = [look for _, (look, taken) in owed if look.due <= now and (taken is None or taken <= self._clock())]
        for look in free[:limit]:
            self.tables.looks[look.id] = (look, self._clock() + LOOK_HELD)
        return free[:limit], None

    async def next_wake(self, now: datetime) -> datetime | None:
        """The earliest future moment at which something becomes ripe."""
        self._reach()
        moments = [timer.due for timer in self.tables.timers.values() if timer.state == "armed"]
        moments += self.tables.parked.values()
        for row in self.tables.effects.values():
            moment = {"waiting": row.not_before, "claimed": row.lease_until}.get(row.state)
            moments += [moment] if moment else []
        return min((moment for moment in moments if moment > now), default=None)

    async def park(self, budget: str, until: datetime) -> None:
        """Start nothing of `budget` before `until`."""
        self._reach()
        self.tables.parked[budget] = max(until, self.tables.parked.get(budget, until))

    async def release(self, worker: str) -> None:
        """Hand back what `worker` holds."""
        self._reach()
        for row in self.tables.effects.values():
            if row.state == "claimed" and row.worker == worker:
                row.state, row.lease_until = "waiting", None

    async def holders(self) -> list[str]:
        """Who holds effects."""
        self._reach()
        return sorted({row.worker for row in self.tables.effects.values() if row.state == "claimed"})

    def _waiting(self) -> list[Row]:
        return [row for row in self.tables.effects.values() if row.state == "waiting"]

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("the database is away")
