"""What happened. The log is a list of these; everything else follows from it.

Each class is one kind of fact, versioned by `v` and told apart by `type`. Fields marked `Words` were
written by people or alerts: storage keeps them apart and erasable. Never change the meaning of a stored
version: add a field with a default, or raise `v` and teach `upcast` the old shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.domain.severity import Severity, Status
from bot.domain.text import WORDS, Words

WhenAlertsEnd = Literal["propose", "monitoring", "resolve"]
"""What follows when all alerts of an incident are over: people are asked, or the status follows, or it resolves."""


class Event(BaseModel):
    """A fact of an incident's control stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    v: Literal[1, 2] = 1


class Declared(Event):
    type: Literal["declared"] = "declared"
    number: int
    title: Words
    title_assumed: bool = False
    severity: Severity
    severity_assumed: bool = False
    severity_reason: Words = ""
    service: str | None = None
    description: Words = ""
    private: bool = False
    drill: bool = False
    via: str
    room_name: Words
    respond_by: datetime
    update_by: datetime | None = None
    labels: Annotated[dict[str, str], WORDS] = {}
    previous: int | None = None
    role_by: datetime | None = None
    stale_after: float | None = None
    """Seconds without anything a person does, after which the channel is asked."""
    when_alerts_end: WhenAlertsEnd = "propose"
    quiet: float = 900.0
    """With `resolve`: seconds of silence after the last alert before it resolves by itself."""
    call_url: str = ""
    """Where people talk, http(s) only."""


class Acknowledged(Event):
    type: Literal["acknowledged"] = "acknowledged"
    took: float
    """Seconds since the declaration (or the reopening)."""
    late: bool = False


class SeverityChanged(Event):
    type: Literal["severity_changed"] = "severity_changed"
    old: Severity
    new: Severity
    reason: Words = ""
    by_itself: bool = False
    respond_by: datetime | None = None
    update_by: datetime | None = None
    role_by: datetime | None = None
    stale_after: float | None = None
    relief_by: datetime | None = None
    anew: bool = False
    """The escalation begins anew, from its first level."""
    unacknowledged: str = ""
    """Who acknowledged what was something less: an answer is asked for again."""
    v: Literal[1, 2] = 2
    """1 left the clocks of relief and staleness as they were."""

    @property
    def confirmed(self) -> bool:
        """It is as bad as was assumed, which somebody has said now."""
        return self.old is self.new

    @property
    def course(self) -> str:
        """Return from what to what."""
        return f"{self.new.label} confirmed" if self.confirmed else f"{self.old.label} → {self.new.label}"


class StatusChanged(Event):
    type: Literal["status_changed"] = "status_changed"
    old: Status
    new: Status
    text: Words = ""


class TitleChanged(Event):
    type: Literal["title_changed"] = "title_changed"
    old: Words
    new: Words
    room_name: Words = ""
    """What the channel should be called from now on; empty: as before."""


class ServiceChanged(Event):
    type: Literal["service_changed"] = "service_changed"
    old: str | None
    new: str


class Resolved(Event):
    type: Literal["resolved"] = "resolved"
    text: Words = ""
    postmortem_by: datetime | None = None
    took: float = 0.0


class Reopened(Event):
    type: Literal["reopened"] = "reopened"
    reason: Words
    respond_by: datetime
    update_by: datetime | None = None
    role_by: datetime | None = None
    relief_by: datetime | None = None
    v: Literal[1, 2] = 2
    """With 1, who had been called before the reopening stood there as if called since."""


class Closed(Event):
    type: Literal["closed"] = "closed"
    archive_by: datetime | None = None


class Cancelled(Event):
    type: Literal["cancelled"] = "cancelled"
    reason: Words
    merged_into: int | None = None
    archive_by: datetime | None = None
    undone: bool = False
    """Declared by mistake and taken back at once: the channel goes away."""
    room_name: Words = ""
    v: Literal[1, 2] = 2
    """1 left the clock of action items running, though a cancelled incident owes nothing."""


class RoleAssigned(Event):
    type: Literal["role_assigned"] = "role_assigned"
    role: str
    user: str
    old: str | None = None
    role_by: datetime | None = None
    """When to ask for the required roles that are still free."""
    relief_by: datetime | None = None
    """For the commander: when somebody else should take over."""


class HandoffOffered(Event):
    type: Literal["handoff_offered"] = "handoff_offered"
    user: str
    lead: str | None = None


class Absorbed(Event):
    """Another incident was merged into this one, which goes on with its people."""

    type: Literal["absorbed"] = "absorbed"
    number: int
    title: Words = ""
    """Empty: it was private."""
    channel: str = ""
    people: tuple[str, ...] = ()


class HandoffDeclined(Event):
    """Whoever the command was offered to does not take it; the commander stays."""

    type: Literal["handoff_declined"] = "handoff_declined"
    user: str
    reason: Words = ""


class HandoffWithdrawn(Event):
    """The command is not offered to `user` any more."""

    type: Literal["handoff_withdrawn"] = "handoff_withdrawn"
    user: str
    reason: Words = ""


class JoinRequested(Event):
    """Somebody wants to be in the channel."""

    type: Literal["join_requested"] = "join_requested"
    user: str


class PageRequested(Event):
    """Somebody (or the response timer) asked for people. `users` are told; `keys` go to the pager."""

    type: Literal["page_requested"] = "page_requested"
    target: str
    level: int = 0
    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    pagers: tuple[str, ...] = ()
    reason: Words = ""
    skipped: tuple[str, ...] = ()
    """Were to be called, but their accounts are deactivated, or are bots."""
    v: Literal[1, 2] = 2
    """1 left it at the first call of somebody, and at what became of that."""


class PageEscaped(Event):
    """A page went out, or may have, when nobody was to be called any more: it is withdrawn."""

    type: Literal["page_escaped"] = "page_escaped"
    target: str


class CallAnswered(Event):
    """Somebody who was called shows that they know: `how` they did."""

    type: Literal["call_answered"] = "call_answered"
    user: str
    how: Literal["joined", "reacted", "acknowledged"]


class PageAnswered(Event):
    type: Literal["page_answered"] = "page_answered"
    target: str
    ok: bool
    error: Words = ""


class UpdatePosted(Event):
    type: Literal["update_posted"] = "update_posted"
    text: Words
    update_by: datetime | None = None


class NoteAdded(Event):
    type: Literal["note_added"] = "note_added"
    text: Words
    happened_at: datetime | None = None
    link: str = ""
    """Where it was said: `slack:<channel>/<ts>`."""


class TaskAdded(Event):
    type: Literal["task_added"] = "task_added"
    number: int
    text: Words
    owner: str | None = None
    due: datetime | None = None


class TaskDone(Event):
    type: Literal["task_done"] = "task_done"
    number: int


class Step(BaseModel):
    """One runbook step, filled in for the incident."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    number: int
    section: str
    text: str
    command: str = ""
    language: str = ""
    expect: str = ""
    if_not: str = ""


class RunbookAttached(Event):
    type: Literal["runbook_attached"] = "runbook_attached"
    name: str
    title: Words
    digest: str
    reason: Words = ""
    escalation: str | None = None
    by_hand: bool = False
    """A person chose it: a change of severity does not take it away again."""
    steps: Annotated[tuple[Step, ...], WORDS] = ()
    count: int


class StepMarked(Event):
    type: Literal["step_marked"] = "step_marked"
    number: int
    outcome: Literal["done", "skipped", "failed", "open"]
    note: Words = ""


class PublicDrafted(Event):
    type: Literal["public_drafted"] = "public_drafted"
    version: int
    title: Words
    text: Words
    status: Status
    components: tuple[str, ...] = ()
    automatic: bool = False


class PublicApproved(Event):
    type: Literal["public_approved"] = "public_approved"
    version: int


class PublicPublished(Event):
    type: Literal["public_published"] = "public_published"
    version: int
    title: Words
    text: Words
    status: Status
    components: tuple[str, ...] = ()
    providers: tuple[str, ...] = ("builtin",)


class PublicDiscarded(Event):
    type: Literal["public_discarded"] = "public_discarded"
    version: int


class PublicDeliveredTo(Event):
    type: Literal["public_delivered_to"] = "public_delivered_to"
    provider: str
    version: int
    remote_id: str
    url: str = ""


FACTS_MAX: Final = 20
"""Alerts named in one event; the rest are counted, and each stands in its episode."""


class AlertFact(BaseModel):
    """One alert's news as the log keeps it; the rest of the alert is in its episode."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str
    fingerprint: str
    name: str
    summary: str
    status: Literal["firing", "resolved"]
    url: str = ""
    runbook_url: str = ""
    dashboard_url: str = ""
    why: str = ""
    """What triage decided about it, and why."""
    where: str = ""
    """What tells it from others of its name: `instance=web-1`."""
    inexact: tuple[str, ...] = ()
    """Labels that are not here as the sender has them: it cannot be asked to be silent about this alert."""


class AlertsReported(Event):
    """One delivery's news, however many alerts it carried; `facts` lists the first few."""

    type: Literal["alerts_reported"] = "alerts_reported"
    opened: int
    closed: int
    firing: int
    total: int
    quiet_by: datetime | None = None
    """When it resolves by itself, unless something happens before."""
    again: int = 0
    """Of `total`: firings of an alert that had fired in this incident before."""
    truncated: int = 0
    """Alerts that the sender left out: with some, `firing` 0 does not mean that nothing fires any more."""
    facts: Annotated[tuple[AlertFact, ...], WORDS] = ()
    raised: tuple[str, ...] = ()
    """Incidents of a sender that can be answered, `source:id`, which began."""
    lowered: tuple[str, ...] = ()
    absorbed: tuple[int, ...] = ()
    """Incidents that were merged into this one: these are their alerts."""


class SenderReported(Event):
    """A sender of alerts told something about its own incident: `what` is a word of `sender_news.What`."""

    type: Literal["sender_reported"] = "sender_reported"
    source: str
    what: str
    who: Words = ""
    text: Words = ""
    happened_at: datetime | None = None


class CallChanged(Event):
    """People talk to each other elsewhere: where to join (`url`, http(s) only) and what to dial."""

    type: Literal["call_changed"] = "call_changed"
    url: str = ""
    dial: Words = ""
    source: str = ""
    who: Words = ""
    happened_at: datetime | None = None


class Silencing(BaseModel):
    """One silence at the sender: labels that an alert must have, all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    matchers: dict[str, str]


class SilenceRequested(Event):
    """Somebody asked the sender to say nothing of these alerts until then."""

    type: Literal["silence_requested"] = "silence_requested"
    until: datetime
    silences: Annotated[tuple[Silencing, ...], WORDS] = ()


class Silenced(Event):
    """The sender took it: `id` is its own name for the silence, `silence` is ours."""

    type: Literal["silenced"] = "silenced"
    silence: str
    name: Words
    id: str
    matchers: Annotated[dict[str, str], WORDS] = {}
    until: datetime


class SilenceLiftRequested(Event):
    type: Literal["silence_lift_requested"] = "silence_lift_requested"
    silences: tuple[str, ...]


class SilenceLifted(Event):
    """The sender speaks again. No `id`: it never was silent."""

    type: Literal["silence_lifted"] = "silence_lifted"
    silence: str
    name: Words
    id: str = ""


class ResponseOverdue(Event):
    """Nobody acknowledged in time. `level` counts the escalations so far, 1 for the first."""

    type: Literal["response_overdue"] = "response_overdue"
    level: int
    due: datetime
    late_by: float
    next_at: datetime | None = None
    place: int = 0
    """Place on the ladder of the escalation, where levels were passed over; 0: the same as `level`."""
    empty: tuple[int, ...] = ()
    """Levels, 1 is the first, that had nobody to call."""


class UpdateOverdue(Event):
    type: Literal["update_overdue"] = "update_overdue"
    due: datetime
    late_by: float
    next_at: datetime | None = None


class PostmortemOverdue(Event):
    type: Literal["postmortem_overdue"] = "postmortem_overdue"
    due: datetime
    late_by: float
    next_at: datetime | None = None
    """When people are reminded again, until it is closed."""


class Attended(Event):
    """Somebody came by themselves to an incident that would otherwise end by itself."""

    type: Literal["attended"] = "attended"
    user: str


class Entered(Event):
    """Somebody was let into the channel of a private incident, and sees it everywhere from now on."""

    type: Literal["entered"] = "entered"
    user: str


class Left(Event):
    """Somebody left the channel of a private incident, or was removed from it: it is no longer theirs to see."""

    type: Literal["left"] = "left"
    user: str


class RoleUnfilled(Event):
    """A role that this severity requires has had nobody for too long."""

    type: Literal["role_unfilled"] = "role_unfilled"
    roles: tuple[str, ...]
    due: datetime
    late_by: float
    next_at: datetime | None = None


class ReliefDue(Event):
    """`user` has been in command for long."""

    type: Literal["relief_due"] = "relief_due"
    user: str
    due: datetime
    late_by: float
    next_at: datetime | None = None


class WentStale(Event):
    """Nobody has done anything for `idle` seconds."""

    type: Literal["went_stale"] = "went_stale"
    idle: float
    due: datetime
    late_by: float
    next_at: datetime | None = None


class TaskOverdue(Event):
    type: Literal["task_overdue"] = "task_overdue"
    number: int
    due: datetime
    late_by: float


class TimerSnoozed(Event):
    type: Literal["timer_snoozed"] = "timer_snoozed"
    timer: str
    old: datetime
    until: datetime
    reason: Words = ""


class TimerHeld(Event):
    """A timer rang in the quiet hours of `user`, for whom it is, and can wait: it rings again `until` they end."""

    type: Literal["timer_held"] = "timer_held"
    timer: str
    user: str
    due: datetime
    until: datetime


class RoomExpired(Event):
    """The incident has been over for long enough: its channel is archived."""

    type: Literal["room_expired"] = "room_expired"
    due: datetime
    late_by: float


class RoomCreated(Event):
    type: Literal["room_created"] = "room_created"
    channel: str
    name: Words


class RoomNamed(Event):
    type: Literal["room_named"] = "room_named"
    name: Words


class RoomRestored(Event):
    """The channel was taken out of the archive."""

    type: Literal["room_restored"] = "room_restored"


class Posted(Event):
    """A live message now exists; `shown` is the sequence of the state it showed."""

    type: Literal["posted"] = "posted"
    what: str
    channel: str
    ts: str
    shown: int


class DeliveryFailed(Event):
    type: Literal["delivery_failed"] = "delivery_failed"
    effect: str
    kind: str = ""
    """What kind of effect it is; of a Show, what it shows: so that a failure to tell of failures ends there."""
    what: str
    error: Words
    mend: Words


class DeliveryRetried(Event):
    type: Literal["delivery_retried"] = "delivery_retried"
    effects: tuple[str, ...]


class Redacted(Event):
    """The words of event `target` were erased; its hash still stands in the chain."""

    type: Literal["redacted"] = "redacted"
    stream: Literal["control", "record"] = "control"
    target: int


AnyEvent = Annotated[
    Declared
    | Acknowledged
    | SeverityChanged
    | StatusChanged
    | TitleChanged
    | ServiceChanged
    | Resolved
    | Reopened
    | Closed
    | Cancelled
    | RoleAssigned
    | HandoffOffered
    | HandoffDeclined
    | HandoffWithdrawn
    | Absorbed
    | JoinRequested
    | PageRequested
    | PageAnswered
    | PageEscaped
    | CallAnswered
    | UpdatePosted
    | NoteAdded
    | TaskAdded
    | TaskDone
    | RunbookAttached
    | StepMarked
    | PublicDrafted
    | PublicApproved
    | PublicPublished
    | PublicDiscarded
    | PublicDeliveredTo
    | AlertsReported
    | SilenceRequested
    | Silenced
    | SilenceLiftRequested
    | SilenceLifted
    | SenderReported
    | CallChanged
    | ResponseOverdue
    | UpdateOverdue
    | PostmortemOverdue
    | Attended
    | Entered
    | Left
    | RoleUnfilled
    | ReliefDue
    | WentStale
    | TaskOverdue
    | TimerSnoozed
    | TimerHeld
    | RoomExpired
    | RoomCreated
    | RoomNamed
    | RoomRestored
    | Posted
    | DeliveryFailed
    | DeliveryRetried
    | Redacted,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)

UPCASTS: Final[Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""(type, old version) → a function from the stored shape to the next one. Applied after the hash is checked."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place: who, when, and the sequence it has in its incident."""

    seq: int
    at: datetime
    actor: str
    """`U…` a Slack user, `cli:name`, `api:name`, `alert:source`, `pagerduty:name`, `timer:kind`, or `tocsin`."""
    event: AnyEvent
    request_id: str = ""


@cache
def words_of(kind: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of the fields of `kind` that hold words from outside."""
    return tuple(name for name, field in kind.model_fields.items() if WORDS in field.metadata)


def read_event(data: dict[str, Any]) -> AnyEvent:
    """Return the event stored as `data` (words merged in), upcast to today's shape."""
    while upcast := UPCASTS.get((data.get("type", ""), data.get("v", 0))):
        data = upcast(data)
    return _ADAPTER.validate_python(data)
