"""The cases: declare, act on an incident, let a timer ring, settle deliveries, record an observation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.policy import Policy
from bot.domain.record import Entry, Observation
from bot.domain.refusals import AlreadyMerged, UnknownIncident
from bot.domain.text import clean_line
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEntry, Settled, Superseded
from bot.usecases.unfold import unfold

SAME_DECLARATION = timedelta(minutes=2)
"""The same person and title within this time get the existing incident (CONTRACT, section 4)."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks. `command_id` makes a repeat harmless; `request_id` ties logs and timeline together."""

    actor: str
    command_id: str = ""
    request_id: str = ""
    surface: str = "slack"


def answer_for(kind: str, state: Incident, **fields: object) -> Answer:
    """Return an answer about `state` with what every text may need."""
    return Answer(
        kind=kind,
        incident=state.number,
        fields={
            "key": state.key,
            "title": state.title,
            "severity": state.severity.value,
            "severity_assumed": state.severity_assumed,
            "status": state.status.value,
            "channel": state.room.channel if state.room else None,
            "room_name": state.room.name if state.room else state.room_name,
            **fields,
        },
    )


@dataclass(frozen=True, slots=True)
class Open:
    """Declare an incident."""

    request: Request
    command: c.Declare
    policy: Policy

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        return Keys(opens=True, declarers=frozenset({self.request.actor}))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Open the next incident, or answer with the one just declared by the same person under the same title."""
        title = clean_line(self.command.title)
        for number, earlier, at in loaded.recent.get(self.request.actor, []):
            if title and earlier == title and now - at < SAME_DECLARATION and number in loaded.incidents:
                return Changes(answer_for("declared_before", loaded.incidents[number]), self.command_id)
        number = loaded.next_number
        context = Context(self.policy, now, self.request.actor, number)
        changes = Changes(Answer(kind="declared"), self.command_id, numbers=1)
        state = unfold(
            changes,
            None,
            decide(None, self.command, context),
            policy=self.policy,
            now=now,
            actor=self.request.actor,
            request_id=self.request.request_id,
        )
        assert state is not None
        changes.answer = answer_for("declared", state)
        return changes


@dataclass(frozen=True, slots=True)
class Act:
    """Do something to an incident."""

    request: Request
    incident: int
    command: c.Command
    policy: Policy

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        more = {self.command.into} if isinstance(self.command, c.Merge) else set()
        return Keys(incidents=frozenset({self.incident, *more}))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Decide, and unfold what was decided."""
        before = loaded.incidents.get(self.incident)
        if before is None:
            raise UnknownIncident(key=f"INC-{self.incident}")
        if isinstance(self.command, c.Merge):
            into = loaded.incidents.get(self.command.into)
            if into is None:
                raise UnknownIncident(key=f"INC-{self.command.into}")
            if not into.is_active or (into.private and not before.private):
                raise AlreadyMerged(key=before.key)
        context = Context(self.policy, now, self.request.actor)
        changes = Changes(Answer(kind="nothing"), self.command_id)
        after = unfold(
            changes,
            before,
            decide(before, self.command, context),
            policy=self.policy,
            now=now,
            actor=self.request.actor,
            request_id=self.request.request_id,
        )
        kind = changes.events[0].recorded.event.type if changes.events else "nothing"
        fields = changes.events[0].recorded.event.model_dump(mode="json") if changes.events else {}
        changes.answer = answer_for(kind, after or before, event=fields)
        return changes


@dataclass(frozen=True, slots=True)
class Ring:
    """A timer is due. Claim and outcome are one commit, so it rings once however many replicas see it."""

    incident: int
    kind: str
    due: datetime
    policy: Policy
    command_id: str = ""

    def keys(self) -> Keys:
        return Keys(incidents=frozenset({self.incident}))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Fire the timer if it is still armed for that time."""
        before = loaded.incidents.get(self.incident)
        if before is None or loaded.timers.get((self.incident, self.kind)) != self.due:
            raise Superseded
        late = max((now - self.due).total_seconds(), 0.0)
        context = Context(self.policy, now, f"timer:{self.kind}")
        events = decide(before, c.FireTimer(self.kind, self.due), context)
        changes = Changes(
            Answer(kind="rang", incident=self.incident, fields=_breach(before, events)),
            fired=[(self.incident, self.kind, self.due, late)],
        )
        unfold(changes, before, events, policy=self.policy, now=now, actor=context.actor)
        changes.disarm = [d for d in changes.disarm if d[:2] != (self.incident, self.kind)]
        return changes


def _breach(before: Incident, events: Sequence[e.Event]) -> dict[str, object]:
    """Return the severity whose response time has just passed: counted once, and never for a private one or a drill."""
    first = any(isinstance(event, e.ResponseOverdue) and event.level == 1 for event in events)
    return {"breached": before.severity.value} if first and not before.private and not before.drill else {}


@dataclass(frozen=True, slots=True)
class Settle:
    """A claimed effect ended: its outcome and what it learnt, in one commit. A lost claim records nothing."""

    settled: Settled
    incident: int
    command: c.Command | None
    policy: Policy
    note: Observation | None = None
    command_id: str = ""

    def keys(self) -> Keys:
        records = frozenset({self.incident}) if self.note else frozenset[int]()
        return Keys(incidents=frozenset({self.incident}) if self.command else frozenset(), records=records)

    def claims(self) -> Sequence[Claim]:
        return (Claim(self.settled.effect, self.settled.token),)

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Record the outcome if the claim still holds."""
        if loaded.held.get(self.settled.effect) != self.settled.token:
            raise Superseded
        changes = Changes(Answer(kind="settled"), settled=[self.settled])
        if self.command is not None:
            before = loaded.incidents[self.incident]
            events = decide(before, self.command, Context(self.policy, now, "tocsin"))
            unfold(changes, before, events, policy=self.policy, now=now, actor="tocsin")
        if self.note is not None:
            entry = Entry(seq=0, at=now, actor="tocsin", observation=self.note)
            changes.entries.append(NewEntry(self.incident, entry))
        return changes


@dataclass(frozen=True, slots=True)
class Observe:
    """Something was seen in an incident's channel. The same key is recorded once."""

    request: Request
    incident: int
    at: datetime
    observation: Observation
    command_id: str = field(default="", init=False)

    def keys(self) -> Keys:
        return Keys(records=frozenset({self.incident}), entry_keys=frozenset({(self.incident, self.observation.key)}))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Append it, unless it is on record."""
        changes = Changes(Answer(kind="observed", incident=self.incident))
        if (self.incident, self.observation.key) not in loaded.entry_keys:
            entry = Entry(
                seq=0,
                at=self.at,
                actor=self.request.actor,
                observation=self.observation,
                request_id=self.request.request_id,
            )
            changes.entries.append(NewEntry(self.incident, entry))
        return changes
