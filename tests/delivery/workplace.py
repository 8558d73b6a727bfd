"""A strict workspace, pager and status page for generated schedules: what stands in it is a picture to be compared.

Every call may meet a misfortune. What is repeated without having looked stands twice, and is found.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, get_args

from bot.domain import commands as c
from bot.domain.effects import (
    RESPONSE,
    AnyEffect,
    AskTriage,
    LiftSilence,
    NameRoom,
    OpenRoom,
    PagePager,
    PostAlerts,
    PostAnnouncement,
    PostCard,
    PostDraft,
    PostRunbook,
    QuietPager,
    RestoreRoom,
    ShowStatusPage,
    SilenceAlert,
    cause_of,
)
from bot.domain.events import PublicPublished, SilenceRequested
from bot.domain.incident import Incident
from bot.ports.delivery import DeliveryError, Done, Job, Look, Placed, Registration

KINDS: Final = sorted(effect.model_fields["kind"].default for effect in get_args(get_args(AnyEffect)[0]))
BEFORE: Final = ("429", "500", "reset", "silence", "bug")
AFTER: Final = ("reset after", "silence after", "malformed")
ASLEEP: Final = "asleep"
ASLEEP_FIRST: Final = "asleep first"
LATE: Final = "late"
PERMANENT: Final = "permanent"
MISFORTUNES: Final = (*BEFORE, *AFTER, ASLEEP, ASLEEP_FIRST, LATE, PERMANENT)
"""What may happen to a call. `…after`, and `malformed`: the vendor has done it, and the caller does not know.
`asleep`: done, but the caller's process is frozen until its lease has ended and another one has taken its work over;
`asleep first`: it is frozen with the bytes still in its hands, and they leave when it wakes up. `late`: nobody waits
for it any more, and it arrives right after its repeat."""
MESSAGES: Final = frozenset(
    {"tell", "tell_user", "bookmark", "ask_triage", *(kind for kind in KINDS if kind.startswith("post_"))}
)
"""Of these a vendor takes a second one; everything else that is said says what holds already."""
Nobody = Callable[[str], Awaitable[None]]


async def _wakes(_: str) -> None:
    """Nobody takes over."""


@dataclass
class Workplace:
    """All vendors of one life. `weather` says which call (counted over all workers) meets what."""

    weather: dict[int, str] = field(default_factory=dict)
    calls: int = 0
    kinds: set[str] = field(default_factory=set)
    """Of what was called."""
    placed: list[tuple[str, str]] = field(default_factory=list)
    """(kind, effect id) of whatever must stand there once, in order of appearance."""
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Lane → effect ids, in order of appearance."""
    shown: dict[tuple[int, str], Any] = field(default_factory=dict)
    pager: dict[tuple[int, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    public: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    idle_calls: list[str] = field(default_factory=list)
    """Calls for a response that were claimed though it had been given."""
    refused: list[str] = field(default_factory=list)
    """Effects that met a refusal which does not pass."""
    claims: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """Under which claims a message stands there: the earliest first."""
    removed: int = 0
    late: dict[str, Job] = field(default_factory=dict)
    """Attempts that are still on their way: by effect, or by what they show."""
    on_sleep: Nobody = _wakes
    asleep: set[str] = field(default_factory=set)

    def registry(self, worker: str) -> Mapping[str, Registration]:
        """Every kind of effect, as `worker` carries it out."""
        return {kind: self._registered(kind, worker) for kind in KINDS}

    def _registered(self, kind: str, worker: str) -> Registration:
        handler, name = partial(self.carry, worker), kind.replace("_", " ")
        if kind not in MESSAGES:
            return Registration(handler, name, kind)
        return Registration(handler, name, kind, tidy=self.tidy, where=self.where)

    async def where(self, job: Job) -> Placed:
        """All messages stand in one place."""
        return Placed("here", "", job.token)

    async def tidy(self, look: Look) -> list[Placed]:
        """Remove the copies of a message, as at Slack: who holds the claim keeps its own, who lost it not its copy."""
        mark = (look.kind, look.effect)
        standing = self.claims[mark]
        if look.lost:
            copies = [claim for claim in standing[1:] if claim in (look.placed.ts, look.placed.claim)]
        else:
            copies = [claim for claim in standing if claim != look.placed.ts]
        for claim in copies:
            standing.remove(claim)
            self._forget(mark)
        self.removed += len(copies)
        return [Placed("here", claim) for claim in copies]

    def _forget(self, mark: tuple[str, str]) -> None:
        self.placed.reverse()
        self.placed.remove(mark)
        self.placed.reverse()
        for said in self.said.values():
            if said.count(mark[1]) > 1:
                place = len(said) - 1 - said[::-1].index(mark[1])
                del said[place]

    def twice(self) -> list[tuple[str, str]]:
        """What stands there more than once."""
        return [mark for mark, times in Counter(self.placed).items() if times > 1]

    async def carry(self, worker: str, job: Job) -> Done:
        """One call."""
        misfortune = self.weather.pop(self.calls, "")
        self.calls += 1
        self.kinds.add(job.effect.kind)
        self._judge(job)
        await asyncio.sleep(0)
        if worker in self.asleep:
            raise DeliveryError("the line was dead when the process woke up")
        match misfortune:
            case "429":
                raise DeliveryError("ratelimited", retry_after=30, parks=job.effect.kind)
            case "500":
                raise DeliveryError("the vendor has trouble (500)")
            case "reset":
                raise DeliveryError("the line dropped")
            case "silence":
                raise TimeoutError
            case "bug":
                raise KeyError("a mistake of ours")
            case "permanent":
                self.refused.append(job.id)
                raise DeliveryError("channel_not_found", permanent=True, mend="Open the channel again.")
        same = f"{job.state.number} {job.effect.show_key}" if job.effect.show_key else job.id
        if misfortune == LATE and same not in self.late:
            self.late[same] = job
            raise TimeoutError
        if misfortune == ASLEEP_FIRST:
            self.asleep.add(worker)
            await self.on_sleep(worker)
            self.asleep.discard(worker)
            self._arrives(job)
            raise TimeoutError
        done = self._do(job)
        if late := self.late.pop(same, None):
            self._arrives(late)
        if misfortune == "silence after":
            raise TimeoutError
        if misfortune in AFTER:
            raise DeliveryError("the line dropped")
        if misfortune == ASLEEP:
            self.asleep.add(worker)
            await self.on_sleep(worker)
            self.asleep.discard(worker)
        return done

    def _judge(self, job: Job) -> None:
        state = job.state
        answered = state.acknowledged_at is not None and state.acknowledged_at >= job.created_at
        if cause_of(job.effect) == RESPONSE and (answered or not state.is_active):
            self.idle_calls.append(job.id)

    def _do(self, job: Job) -> Done:
        effect, number = job.effect, job.state.number
        if isinstance(effect, ShowStatusPage):
            return self._publish(job, effect.provider)
        if effect.show_key:
            self.shown[number, effect.show_key] = looks(job.state, effect.show_key)
            return Done()
        if job.first_at is None or (effect.kind, job.id) not in self.placed:
            self._place(job)
        left = frozenset(one.id for one in job.folded if ("tell", one.id) not in self.placed)
        return Done(_learnt(job), left=left, placed=self._standing(job))

    def _standing(self, job: Job) -> Placed | None:
        """Where the message of `job` is: one that was found is the earliest."""
        claims = self.claims[job.effect.kind, job.id] if job.effect.kind in MESSAGES else []
        return Placed("here", job.token if job.token in claims else claims[0]) if claims else None

    def _arrives(self, job: Job) -> None:
        """The bytes of an attempt that was given up arrive: nobody looks before that."""
        effect, number = job.effect, job.state.number
        if effect.show_key and not isinstance(effect, ShowStatusPage):
            self.shown[number, effect.show_key] = looks(job.state, effect.show_key)
        elif effect.kind in MESSAGES and not job.folded:
            self._place(replace(job, first_at=None))
        elif isinstance(effect, PagePager):
            self.pager[number, effect.target].append("trigger")

    def _place(self, job: Job) -> None:
        """Leave it where it belongs, and what is told in the same message; a repeat has looked what stands there."""
        effect, number = job.effect, job.state.number
        marks = [(one.effect.kind, one.id) for one in (job, *job.folded)]
        fresh = [mark for mark in marks if job.first_at is None or mark not in self.placed]
        self.placed += fresh
        if effect.kind in MESSAGES:
            for mark in fresh:
                self.claims[mark].append(job.token)
        if effect.lane:
            lane = f"{number}:room" if effect.lane == "room" else effect.lane
            self.said[lane] += [one for _, one in fresh]
        match effect:
            case PagePager():
                self.pager[number, effect.target].append("trigger")
            case QuietPager():
                self.pager[number, effect.target].append(effect.action if job.state.is_active else "resolve")

    def _publish(self, job: Job, provider: str) -> Done:
        update = job.event.event
        assert isinstance(update, PublicPublished)
        seen = self.public[job.state.number]
        if not seen or seen[-1] < update.version:
            seen.append(update.version)
        return Done(c.PublicDelivered(provider, update.version, f"remote {job.state.number}"))


def looks(s: Incident, what: str) -> Any:
    """What the live message `what` shows of an incident."""
    match what:
        case "draft":
            return (s.draft.version, s.draft.approved_by) if s.draft else None
        case "runbook":
            return s.runbook and s.runbook.outcomes
        case "announcement":
            return (s.title, s.severity, s.status)
        case "alerts":
            return (s.alerts_firing, s.alerts_total)
        case _:
            return (s.title, s.severity, s.status, s.acknowledged_by, s.roles, s.last_update, s.alerts_firing, s.tasks)


def _learnt(job: Job) -> c.Command | None:
    state, effect, event = job.state, job.effect, job.event.event
    room = state.room.channel if state.room else ""
    match effect:
        case OpenRoom() | RestoreRoom():
            return c.RoomOpened(f"C{state.number}", effect.name)
        case NameRoom():
            return c.RoomNamed(effect.name)
        case PostAnnouncement():
            return c.MessagePosted("announcement", effect.channel, job.id, state.seq)
        case PostCard() | PostRunbook() | PostDraft() | PostAlerts():
            return c.MessagePosted(effect.kind.removeprefix("post_"), room, job.id, state.seq)
        case PagePager():
            return c.PageSent(effect.target, ok=True)
        case SilenceAlert() if isinstance(event, SilenceRequested):
            wish = event.silences[effect.number]
            key = f"{job.event.seq}.{effect.number}"
            return c.SilencePlaced(key, wish.name, f"s{key}", wish.matchers, event.until)
        case LiftSilence():
            return c.SilenceEnded(effect.silence)
        case AskTriage() if job.question:
            return c.QuestionPlaced(effect.question, effect.to, "C1", job.id, job.question.version)
        case _:
            return None
