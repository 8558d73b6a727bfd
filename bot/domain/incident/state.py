"""The folded state of one incident: small, for decisions and for the card. Never the whole story."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.severity import Severity, Status


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Room(_Part):
    """The incident's channel."""

    channel: str
    name: str


class LiveMessage(_Part):
    """A message that is edited in place."""

    channel: str
    ts: str
    shown: int


class Handoff(_Part):
    """Command offered to `user`, who has not accepted yet."""

    user: str
    at: datetime


class Draft(_Part):
    """The public update that waits. `approved_by` holds for exactly this version."""

    version: int
    title: str
    text: str
    status: Status
    components: tuple[str, ...] = ()
    author: str
    automatic: bool = False
    approved_by: str | None = None


class Published(_Part):
    """The last public update that went out."""

    version: int
    title: str = ""
    status: Status
    components: tuple[str, ...] = ()
    at: datetime
    count: int


class AttachedRunbook(_Part):
    """Which runbook is in use; its filled steps stand in event `seq`."""

    name: str
    title: str
    digest: str
    seq: int
    count: int
    outcomes: dict[int, Literal["done", "skipped", "failed"]] = {}


class Task(_Part):
    """An action item. Its words are in event `seq`; `text` is cut."""

    number: int
    text: str
    owner: str | None = None
    due: datetime | None = None
    done: bool = False


class Incident(_Part):
    """What is so now. Times are UTC."""

    number: int
    seq: int
    looks: int
    """Sequence of the last event that changes what the card shows."""
    title: str
    title_assumed: bool = False
    severity: Severity
    severity_assumed: bool = False
    severity_reason: str = ""
    status: Status = Status.INVESTIGATING
    service: str | None = None
    description: str = ""
    private: bool = False
    drill: bool = False
    via: str = "slack"
    labels: dict[str, str] = {}
    previous: int | None = None
    declared_at: datetime
    declared_by: str
    room_name: str
    room: Room | None = None
    messages: dict[str, LiveMessage] = {}
    """card, announcement, runbook, draft."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    respond_by: datetime | None = None
    """When the response timer rings next; None once acknowledged or over."""
    escalation: int = 0
    """How often the response timer has escalated."""
    update_by: datetime | None = None
    """When the next internal update is owed."""
    last_update: str = ""
    last_update_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str = ""
    reopened_at: datetime | None = None
    closed_at: datetime | None = None
    merged_into: int | None = None
    postmortem_by: datetime | None = None
    roles: dict[str, str] = {}
    handoff: Handoff | None = None
    people: tuple[str, ...] = ()
    """Slack ids that were invited or did something, in order of appearance; at most 50."""
    reached: dict[str, str] = {}
    """Who was paged → paged, sent, failed, answered."""
    runbook: AttachedRunbook | None = None
    tasks: tuple[Task, ...] = ()
    alerts_firing: int = 0
    alerts_total: int = 0
    sources: tuple[str, ...] = ()
    draft: Draft | None = None
    drafts: int = 0
    published: Published | None = None
    remote: dict[str, str] = {}
    """Status-page provider → its id of this incident."""
    failed: dict[str, str] = {}
    """Deliveries that gave up: effect id → what it was."""

    @property
    def key(self) -> str:
        """`INC-7`."""
        return f"INC-{self.number}"

    @property
    def is_active(self) -> bool:
        """True while people still work on it."""
        return self.status.is_active

    @property
    def lead(self) -> str | None:
        """The incident commander."""
        return self.roles.get("lead")
