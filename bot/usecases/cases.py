"""The cases of whoever asks: declare, act on an incident, be refused, put an observation on record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain import commands as c
from bot.domain.alert_reports import handed_over
from bot.domain.audit import Audited, action_of
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.incident.repeats import SaidBefore
from bot.domain.people import acts, is_person
from bot.domain.policy import Policy
from bot.domain.record import Entry, Observation
from bot.domain.refusals import AlreadyMerged, PrivateMeetsPublic, UnknownIncident
from bot.domain.text import clean_line
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEntry
from bot.usecases.unfold import unfold

SAME_DECLARATION = timedelta(minutes=2)
"""The same person and title within this time get the existing incident."""


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
