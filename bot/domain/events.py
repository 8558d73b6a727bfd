"""What happened. The log is a list of these; everything else follows from it.

Each class is one kind of fact, versioned by `v` and told apart by `type`. Fields marked `Words` were
written by people or alerts: storage keeps them apart and erasable. Never change the meaning of a stored
version: add a field with a default, or raise `v` and teach `upcast` the old shape.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.domain.severity import Severity, Status
from bot.domain.text import WORDS, Words


class Event(BaseModel):
    """A fact of an incident's control stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    v: Literal[1] = 1


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


class StatusChanged(Event):
    type: Literal["status_changed"] = "status_changed"
    old: Status
    new: Status
    text: Words = ""


class TitleChanged(Event):
    type: Literal["title_changed"] = "title_changed"
    old: Words
    new: Words


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


class Closed(Event):
    type: Literal["closed"] = "closed"


class Cancelled(Event):
    type: Literal["cancelled"] = "cancelled"
    reason: Words
    merged_into: int | None = None


class RoleAssigned(Event):
    type: Literal["role_assigned"] = "role_assigned"
    role: str
    user: str
    old: str | None = None


class HandoffOffered(Event):
    type: Literal["handoff_offered"] = "handoff_offered"
    user: str
    lead: str | None = None


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


class AlertFact(BaseModel):
    """One alert's news as the log keeps it; the rest of the alert is in its episode."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str
    fingerprint: str
    name: str
    summary: str
    status: Literal["firing", "resolved"]
    url: str = ""


class AlertsReported(Event):
    """One delivery's news, however many alerts it carried; `facts` lists the first few."""

    type: Literal["alerts_reported"] = "alerts_reported"
    opened: int
    closed: int
    firing: int
    total: int
    truncated: int = 0
    """Alerts that the sender left out: with some, `firing` 0 does not mean that nothing fires any more."""
    facts: Annotated[tuple[AlertFact, ...], WORDS] = ()


class ResponseOverdue(Event):
    """Nobody acknowledged in time. `level` counts the escalations so far, 1 for the first."""

    type: Literal["response_overdue"] = "response_overdue"
    level: int
    due: datetime
    late_by: float
    next_at: datetime | None = None


class UpdateOverdue(Event):
    type: Literal["update_overdue"] = "update_overdue"
    due: datetime
    late_by: float
    next_at: datetime | None = None


class PostmortemOverdue(Event):
    type: Literal["postmortem_overdue"] = "postmortem_overdue"
    due: datetime
    late_by: float


class RoomCreated(Event):
    type: Literal["room_created"] = "room_created"
    channel: str
    name: Words


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
    | JoinRequested
    | PageRequested
    | PageAnswered
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
    | ResponseOverdue
    | UpdateOverdue
    | PostmortemOverdue
    | RoomCreated
    | Posted
    | DeliveryFailed
    | DeliveryRetried
    | Redacted,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)

UPCASTS: Final[Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""(type, old version) → a function from the stored shape to the next one. Applied after the hash is checked."""


class Recorded(BaseModel):
    """An event in its place: who, when, and the sequence it has in its incident."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    seq: int
    at: datetime
    actor: str
    """`U…` a Slack user, `cli:name`, `api:name`, `alert:source`, `timer:kind`, or `tocsin`."""
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
