"""The cases: declare, act on an incident, let a timer ring, settle deliveries, record an observation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.alert_reports import handed_over
from bot.domain.audit import Audited, action_of
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.incident.repeats import SaidBefore
from bot.domain.notices import Notice
from bot.domain.people import acts, is_person
from bot.domain.policy import Policy
from bot.domain.record import Entry, Observation
from bot.domain.refusals import AlreadyMerged, PrivateMeetsPublic, UnknownIncident
from bot.domain.text import clean_line
from bot.ports.delivery import Look
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEntry, Settled, Superseded
from bot.usecases.asking import settle
from bot.usecases.notices import said
from bot.usecases.unfold import unfold

OF_A_QUESTION = (c.QuestionPlaced, c.QuestionUnasked)
"""What deliveries report back that is about no incident."""
SAME_DECLARATION = timedelta(minutes=2)
"""The same person and title within this time get the existing incident (CONTRACT, section 4)."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks. `command_id` makes a repeat harmless; `request_id` ties logs and timeline together.

    `surface` is the door they came through (`slack:button`, `cli`, `api:<name of the token>`); `sees_private` is for a
    token that was marked so.
    """

    actor: str
    command_id: str = ""
    request_id: str = ""
    surface: str = "slack"
    sees_private: bool = False

    def done(self, command: c.Command, incident: int, now: datetime) -> Audited:
        """Return the line of the audit trail that says that `command` was carried out."""
        return Audited(now, self.actor, self.surface, self.request_id, action_of(command), incident, "done")


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
            "private": state.private,
            "drill": state.drill,
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
        if (same := self._declared_before(loaded, now)) is not None:
            return self._again(same, now)
        number = loaded.next_number
        context = Context(self.policy, now, self.request.actor, number)
        changes = Changes(Answer(kind="declared"), self.command_id, numbers=1)
        state = unfold(changes, None, decide(None, self.command, context), context, self.request.request_id)
        assert state is not None
        wanted = is_person(self.request.actor) and context.missing_roles(state.severity, state.roles)
        changes.audit.append(self.request.done(self.command, number, now))
        changes.answer = answer_for("declared", state, lead_wanted="lead" in (wanted or ()))
        return changes

    def _declared_before(self, loaded: Loaded, now: datetime) -> Incident | None:
        """The same thing, said twice. What was taken back, and a drill or a secret of the same name, is another."""
        title, kind = clean_line(self.command.title), (self.command.private, self.command.drill)
        recent = ((loaded.incidents.get(number), at) for number, _, at in loaded.recent.get(self.request.actor, []))
        for state, at in recent:
            if state is None or not state.is_active or (state.private, state.drill) != kind:
                continue
            if title and title in (state.title, state.declared_as) and now - at < SAME_DECLARATION:
                return state
        return None

    def _again(self, state: Incident, now: datetime) -> Changes:
        """Answer with the incident that there is. Said to be worse the second time, it is: a SEV1 never waits."""
        changes = Changes(Answer(kind="declared_before"), self.command_id)
        severity = self.command.severity
        if severity is not None and severity.worse_than(state.severity):
            command = c.SetSeverity(severity, f"declared again as {severity.label}")
            context = Context(self.policy, now, self.request.actor)
            worse = unfold(changes, state, decide(state, command, context), context, self.request.request_id)
            changes.audit.append(self.request.done(command, state.number, now))
            state = worse or state
        changes.answer = answer_for("declared_before", state)
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
            if not into.is_active:
                raise AlreadyMerged(key=before.key)
            if into.private != before.private:
                raise PrivateMeetsPublic(key=before.key, into=into.number)
        context = Context(self.policy, now, self.request.actor)
        changes = Changes(Answer(kind="nothing"), self.command_id)
        try:
            events = decide(before, self.command, context)
        except SaidBefore as repeat:
            changes.answer = answer_for("said_before", before, said_at=repeat.at.isoformat())
            return changes
        after = unfold(changes, before, events, context, self.request.request_id)
        if isinstance(self.command, c.Merge):
            self._hand_over(changes, before, loaded.incidents[self.command.into], context)
        if changes.events and acts(self.request.actor):
            changes.audit.append(self.request.done(self.command, self.incident, now))
        kind = changes.events[0].recorded.event.type if changes.events else "nothing"
        fields = changes.events[0].recorded.event.model_dump(mode="json") if changes.events else {}
        changes.answer = answer_for(kind, after or before, event=fields)
        return changes

    def _hand_over(self, changes: Changes, before: Incident, into: Incident, context: Context) -> None:
        """The other one learns of it, takes its people over, and counts its alerts."""
        undone = isinstance(self.command, c.Merge) and self.command.undone
        events = [] if undone else decide(into, _absorbed(before), context)
        events += decide(into, handed_over(before, into), context) if before.alerts_total else []
        unfold(changes, into, events, context, self.request.request_id)


def _absorbed(state: Incident) -> c.Absorb:
    """What a merge of `state` means to the other one. A private title stays where it is."""
    here = (one for one in (state.declared_by, *state.roles.values(), *state.people) if state.includes(one))
    channel = state.room.channel if state.room else ""
    return c.Absorb(state.number, "" if state.private else state.title, channel, tuple(dict.fromkeys(here)))


@dataclass(frozen=True, slots=True)
class Deny:
    """Somebody was refused what they may not do: kept, so that the operator sees it."""

    request: Request
    action: str
    incident: int | None
    reason: str

    @property
    def command_id(self) -> str:
        """Slack's own repeat of the request is one try, not two."""
        return f"{self.request.command_id}:denied:{self.action}" if self.request.command_id else ""

    def keys(self) -> Keys:
        return Keys()

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Write it down."""
        asked = self.request
        line = Audited(
            now, asked.actor, asked.surface, asked.request_id, self.action, self.incident, "denied", self.reason
        )
        return Changes(Answer(kind="denied"), self.command_id, audit=[line])


@dataclass(frozen=True, slots=True)
class Ring:
    """A timer is due. Claim and outcome are one commit, so it rings once however many replicas see it."""

    incident: int
    kind: str
    due: datetime
    policy: Policy
    command_id: str = ""

    def keys(self) -> Keys:
        return Keys(incidents=frozenset({self.incident}), timers=frozenset({self.incident}))

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
        unfold(changes, before, events, context)
        changes.disarm = [d for d in changes.disarm if d[:2] != (self.incident, self.kind)]
        return changes


def _breach(before: Incident, events: Sequence[e.Event]) -> dict[str, object]:
    """Return the severity whose promise has just been broken; never for a private incident or a drill.

    A response is late once, however far it escalates; each update that was owed and did not come counts.
    """
    if before.private or before.drill:
        return {}
    first = any(isinstance(event, e.ResponseOverdue) and event.level == 1 for event in events)
    missed = any(isinstance(event, e.UpdateOverdue) for event in events)
    return {what: before.severity.value for what, so in (("breached", first), ("missed", missed)) if so}


@dataclass(frozen=True, slots=True)
class PageSlipped:
    """A page left a process that had lost its claim: should nobody be called any more, it is withdrawn."""

    incident: int
    target: str
    policy: Policy
    command_id: str = ""

    def keys(self) -> Keys:
        return Keys(incidents=frozenset({self.incident}))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Decide as for everything else that deliveries report."""
        changes = Changes(Answer(kind="nothing"))
        before = loaded.incidents[self.incident]
        context = Context(self.policy, now, "tocsin")
        unfold(changes, before, decide(before, c.PageEscaped(self.target), context), context)
        return changes


@dataclass(frozen=True, slots=True)
class Settle:
    """A claimed effect ended: its outcome and what it learnt, in one commit. A lost claim records nothing.

    `folded` are the outcomes of what was claimed to be told with it.
    """

    settled: Settled
    incident: int
    command: c.Command | None
    policy: Policy
    notes: tuple[Observation, ...] = ()
    folded: tuple[Settled, ...] = ()
    looks: Sequence[Look] = ()
    """What a repeat owes: looks for a copy of it that comes late."""
    notices: tuple[Notice, ...] = ()
    command_id: str = ""

    def keys(self) -> Keys:
        records = frozenset({self.incident}) if self.notes else frozenset[int]()
        asked = self.command if isinstance(self.command, OF_A_QUESTION) else None
        return Keys(
            incidents=frozenset({self.incident}) if self.command and not asked else frozenset(),
            records=records,
            questions=frozenset({asked.question}) if asked else frozenset(),
            notices=frozenset(notice.key for notice in self.notices),
        )

    def claims(self) -> Sequence[Claim]:
        return tuple(Claim(one.effect, one.token) for one in (self.settled, *self.folded))

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Record the outcome if the claim still holds."""
        ended = [self.settled, *self.folded]
        if any(loaded.held.get(one.effect) != one.token for one in ended):
            raise Superseded
        changes = Changes(Answer(kind="settled"), settled=ended, looks=list(self.looks))
        if isinstance(self.command, OF_A_QUESTION):
            if question := loaded.questions.get(self.command.question):
                settle(changes, question, self.command, self.policy, now)
        elif self.command is not None:
            before = loaded.incidents[self.incident]
            context = Context(self.policy, now, "tocsin")
            unfold(changes, before, decide(before, self.command, context), context)
        for notice in self.notices:
            if notice.key not in loaded.notices:
                said(changes, notice, now)
        for note in self.notes:
            entry = Entry(seq=0, at=now, actor="tocsin", observation=note)
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
        known = (self.incident, self.observation.key) in loaded.entry_keys
        changes = Changes(Answer(kind="known" if known else "observed", incident=self.incident))
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
