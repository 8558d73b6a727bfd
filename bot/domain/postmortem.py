"""The postmortem as data: a pure function of the record. What only people know is asked, never guessed.

Order and contents follow a comparison of thirteen published templates; a missing time is shown as missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.domain import events as e
from bot.domain.alerts import Episode
from bot.domain.durations import format_duration
from bot.domain.incident import Incident
from bot.domain.people import is_person, mention
from bot.domain.policy import Policy
from bot.domain.record import Entry
from bot.domain.timeline import TimelineEntry, timeline

BLAMELESS: Final = (
    "This document looks for causes in systems, tools and processes. A person is never the cause: people did what made "
    "sense to them with what they knew at that time."
)

QUESTIONS: Final = (
    ("Impact", "Who was affected, how many, and how did they notice?"),
    ("Impact", "When did the impact really begin? The first alert is only the latest it can have been."),
    ("Impact", "Was data lost or exposed? Which objectives (SLO, SLA) were missed, and by how much?"),
    ("Detection", "Could it have been noticed earlier, and by what?"),
    ("Background", "What must a reader know about the system to follow this?"),
    ("Trigger", "What set it off? Was it a change, and if so, how did the change get through?"),
    ("Causes and contributing factors", "Which conditions had to come together? Ask why until it is about the system."),
    ("Response", "What slowed the response down? What was missing: access, knowledge, tools, people?"),
    ("What went well", "What worked, and should be kept?"),
    ("What went badly", "What did not work?"),
    ("Where we were lucky", "What could have made it much worse, but did not?"),
    ("Lessons", "What do we know now that we did not know before?"),
    ("Recurrence", "Has this happened before? Would a known, open item have prevented it?"),
    ("Open questions", "What do we still not understand?"),
    ("Review", "When is it reviewed, who attends, who approves?"),
)
"""(section, question): what the record cannot know."""


@dataclass(frozen=True, slots=True)
class KeyTime:
    """A moment of the incident. `at` is None where the record has none; `note` says what it rests on."""

    name: str
    at: datetime | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A duration between two key times; None where one of them is missing."""

    name: str
    meaning: str
    length: timedelta | None

    @property
    def text(self) -> str:
        """`1h 5m`, or `not known`."""
        return format_duration(self.length) if self.length is not None else "not known"


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """Who played a part, and from when to when (None: until the end)."""

    role: str
    user: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PublicUpdate:
    """What the public was told."""

    at: datetime
    status: str
    title: str
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A runbook step somebody marked."""

    runbook: str
    number: int
    section: str
    text: str
    outcome: str
    by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class ActionItem:
    """What will be done so that it does not happen again."""

    number: int
    text: str
    owner: str | None
    due: datetime | None
    done: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What people must answer."""

    section: str
    text: str


@dataclass(frozen=True, slots=True)
class Postmortem:
    """The whole document. Sentences of the summary name the events (by sequence) that they rest on."""

    key: str
    title: str
    severity: str
    severity_changes: tuple[str, ...]
    status: str
    service: str | None
    private: bool
    drill: bool
    blameless: str
    summary: tuple[tuple[str, tuple[int, ...]], ...]
    times: tuple[KeyTime, ...]
    spans: tuple[Span, ...]
    missed: tuple[str, ...]
    """Promises that were not kept: response and update times."""
    detection: str
    alerts: tuple[tuple[str, str, datetime, datetime | None], ...]
    """(name, source, opened, closed)."""
    roles: tuple[RoleHeld, ...]
    responders: tuple[str, ...]
    resolution: str
    timeline: tuple[TimelineEntry, ...]
    public_updates: tuple[PublicUpdate, ...]
    steps: tuple[StepTaken, ...]
    steps_total: int
    runbooks: tuple[str, ...]
    action_items: tuple[ActionItem, ...]
    questions: tuple[Question, ...]
    head: int = 0
    """Sequence of the last event it rests on."""
    links: dict[str, str] = field(default_factory=dict)


def compile_postmortem(
    state: Incident,
    events: Sequence[e.Recorded],
    entries: Sequence[Entry],
    episodes: Sequence[Episode],
    policy: Policy,
) -> Postmortem:
    """Return the draft for `state`. Deterministic: the same record gives the same document."""
    times = _times(state, events, episodes)
    at = {time.name: time.at for time in times}
    return Postmortem(
        key=state.key,
        title=state.title,
        severity=state.severity.label,
        severity_changes=tuple(
            f"{ev.course}{' by itself' if ev.by_itself else ''}: {ev.reason or 'no reason given'}"
            for item in events
            if isinstance(ev := item.event, e.SeverityChanged)
        ),
        status=state.status.value,
        service=state.service,
        private=state.private,
        drill=state.drill,
        blameless=BLAMELESS,
        summary=_summary(state, events),
        times=times,
        spans=_spans(at),
        missed=_missed(events),
        detection=_detection(state, episodes),
        alerts=tuple((ep.name, ep.source, ep.opened_at, ep.closed_at) for ep in episodes),
        roles=_roles(events, policy),
        responders=tuple(dict.fromkeys(p for p in _responders(events, entries) if is_person(p))),
        resolution=next((i.event.text for i in reversed(events) if isinstance(i.event, e.Resolved)), ""),
        timeline=tuple(timeline(state, events, entries)),
        public_updates=tuple(
            PublicUpdate(item.at, ev.status.value, ev.title, ev.text, item.actor)
            for item in events
            if isinstance(ev := item.event, e.PublicPublished)
        ),
        steps=_steps(events),
        steps_total=state.runbook.count if state.runbook else 0,
        runbooks=tuple(ev.title for item in events if isinstance(ev := item.event, e.RunbookAttached)),
        action_items=_action_items(state, events),
        questions=tuple(Question(section, text) for section, text in QUESTIONS),
        head=state.seq,
    )


def _first(events: Sequence[e.Recorded], kind: type[e.Event]) -> e.Recorded | None:
    return next((item for item in events if isinstance(item.event, kind)), None)


def _times(state: Incident, events: Sequence[e.Recorded], episodes: Sequence[Episode]) -> tuple[KeyTime, ...]:
    starts = [ep.starts_at or ep.opened_at for ep in episodes]
    seen = [ep.opened_at for ep in episodes]
    acknowledged = _first(events, e.Acknowledged)
    published = _first(events, e.PublicPublished)
    detected = min([*seen, state.declared_at])
    return (
        KeyTime(
            "Impact began",
            None,
            f"to be filled in; no later than {min(starts):%Y-%m-%d %H:%M} UTC" if starts else "to be filled in",
        ),
        KeyTime(
            "Detected",
            detected,
            "first alert received" if seen and min(seen) <= state.declared_at else "declared by a person",
        ),
        KeyTime("Declared", state.declared_at),
        KeyTime("Acknowledged", acknowledged.at if acknowledged else None),
        KeyTime("First public update", published.at if published else None, "" if published else "none was published"),
        KeyTime("Mitigated", state.mitigated_at, "first set to monitoring, else the resolve"),
        KeyTime("Resolved", state.resolved_at),
    )


def _spans(at: dict[str, datetime | None]) -> tuple[Span, ...]:
    def between(start: str, end: str) -> timedelta | None:
        a, b = at[start], at[end]
        return b - a if a is not None and b is not None else None

    return (
        Span("Time to detect", "impact began → detected", between("Impact began", "Detected")),
        Span("Time to acknowledge", "declared → acknowledged", between("Declared", "Acknowledged")),
        Span(
            "Time to the first public update",
            "declared → first public update",
            between("Declared", "First public update"),
        ),
        Span("Time to mitigate", "detected → mitigated", between("Detected", "Mitigated")),
        Span("Time to resolve", "detected → resolved", between("Detected", "Resolved")),
    )


def _summary(state: Incident, events: Sequence[e.Recorded]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    made: list[tuple[str, tuple[int, ...]]] = []
    about = f" of {state.service}" if state.service else ""
    first = events[0]
    made.append((f"{state.key}{about} was declared as {_declared_as(first)}: {state.title}.", (first.seq,)))
    if state.alerts_total:
        made.append((f"{state.alerts_total} alert episodes were part of it.", _seqs(events, e.AlertsReported)))
    if acknowledged := _first(events, e.Acknowledged):
        took = format_duration(timedelta(seconds=getattr(acknowledged.event, "took", 0.0)))
        made.append((f"It was acknowledged by {mention(acknowledged.actor)} after {took}.", (acknowledged.seq,)))
    resolved = [item for item in events if isinstance(item.event, e.Resolved)]
    if resolved and isinstance(last := resolved[-1].event, e.Resolved):
        took = format_duration(timedelta(seconds=last.took))
        words = f": {last.text.rstrip('.')}." if last.text else "; what fixed it was not said."
        made.append((f"It was resolved after {took}{words}", (resolved[-1].seq,)))
    if published := _seqs(events, e.PublicPublished):
        made.append((f"The public was told {len(published)} times.", published))
    return tuple(made)


def _declared_as(first: e.Recorded) -> str:
    return first.event.severity.label if isinstance(first.event, e.Declared) else ""


def _seqs(events: Sequence[e.Recorded], kind: type[e.Event]) -> tuple[int, ...]:
    return tuple(item.seq for item in events if isinstance(item.event, kind))


def _missed(events: Sequence[e.Recorded]) -> tuple[str, ...]:
    made = []
    for item in events:
        if isinstance(item.event, e.ResponseOverdue):
            made.append(f"{item.at:%Y-%m-%d %H:%M:%S} UTC: not acknowledged in time (escalation {item.event.level})")
        elif isinstance(item.event, e.UpdateOverdue):
            made.append(f"{item.at:%Y-%m-%d %H:%M:%S} UTC: an internal update was overdue")
    return tuple(made)


def _detection(state: Incident, episodes: Sequence[Episode]) -> str:
    if episodes:
        first = min(episodes, key=lambda ep: ep.opened_at)
        return f"{first.source}: {first.name} (fingerprint {first.fingerprint}). {first.why}".strip()
    return f"{mention(state.declared_by)} declared it by hand, through {state.via}."


def _roles(events: Sequence[e.Recorded], policy: Policy) -> tuple[RoleHeld, ...]:
    held: list[RoleHeld] = []
    for item in events:
        if not isinstance(ev := item.event, e.RoleAssigned):
            continue
        title = policy.roles[ev.role].title if ev.role in policy.roles else ev.role
        held = [RoleHeld(h.role, h.user, h.since, item.at) if h.role == title and h.until is None else h for h in held]
        held.append(RoleHeld(title, ev.user, item.at, None))
    return tuple(held)


def _responders(events: Sequence[e.Recorded], entries: Sequence[Entry]) -> list[str]:
    return [item.actor for item in events] + [
        entry.actor for entry in entries if entry.observation.kind in ("message", "edited", "reaction", "pinned")
    ]


def _steps(events: Sequence[e.Recorded]) -> tuple[StepTaken, ...]:
    made: list[StepTaken] = []
    title, steps = "", dict[int, e.Step]()
    for item in events:
        if isinstance(ev := item.event, e.RunbookAttached):
            title, steps = ev.title, {step.number: step for step in ev.steps}
        elif isinstance(ev, e.StepMarked) and ev.number in steps:
            step = steps[ev.number]
            made.append(StepTaken(title, ev.number, step.section, step.text, ev.outcome, item.actor, item.at, ev.note))
    return tuple(made)


def _action_items(state: Incident, events: Sequence[e.Recorded]) -> tuple[ActionItem, ...]:
    done = {task.number for task in state.tasks if task.done}
    return tuple(
        ActionItem(ev.number, ev.text, ev.owner, ev.due, ev.number in done)
        for item in events
        if isinstance(ev := item.event, e.TaskAdded)
    )
