"""The cases of what timers and deliveries bring back: a timer rings, an effect has ended, a page slipped out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.notices import Notice
from bot.domain.policy import Policy
from bot.domain.record import Entry, Observation
from bot.ports.delivery import Look
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEntry, Settled, Superseded
from bot.usecases.asking import settle
from bot.usecases.notices import said
from bot.usecases.unfold import unfold

OF_A_QUESTION = (c.QuestionPlaced, c.QuestionUnasked)
"""What deliveries report back that is about no incident."""


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
