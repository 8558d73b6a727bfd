"""The folded state of one incident: small, for decisions and for the card. Never the whole story."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.events import AlertFact, WhenAlertsEnd
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
    text: str = ""
    """The beginning of it."""
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
    by_hand: bool = False
    outcomes: dict[int, Literal["done", "skipped", "failed"]] = {}


class Task(_Part):
    """An action item. Its words are in event `seq`; `text` is cut."""

    number: int
    text: str
    owner: str | None = None
    due: datetime | None = None
    done: bool = False
    reminded: bool = False
    """Its due time has passed and was said."""
    put_off: datetime | None = None
    """It is not to be said earlier."""
    added_at: datetime | None = None
    """Of those from before this was kept, nobody knows."""

    @property
    def rings_at(self) -> datetime | None:
        """When people are to be reminded of it; None: not any more."""
        if self.due is None or self.done or self.reminded:
            return None
        return max(self.due, self.put_off or self.due)


class Silence(_Part):
    """An alert that its sender is asked not to tell of. `remote` is the sender's name for it, once it took it."""

    name: str
    until: datetime
    remote: str = ""
    ending: bool = False


class Call(_Part):
    """How far it came with one who was called: a person, or a pager by its name."""

    at: datetime
    told_at: datetime | None = None
    """The direct message was delivered, or the pager took the page."""
    failed_at: datetime | None = None
    answered_at: datetime | None = None
    how: str = ""
    """How they answered: acknowledged, joined, reacted, or did something else."""


class Said(_Part):
    """That somebody wrote something: a digest of who and what, to recognise it when it is typed again."""

    mark: str
    at: datetime


class Mend(_Part):
    """Why a delivery gave up, and what a person can do about it; both are cut short, the timeline has the whole."""

    error: str
    mend: str = ""


class Incident(_Part):
    """What is so now. Times are UTC."""

    number: int
    seq: int
    looks: int
    """Sequence of the last event that changes what the card shows."""
    title: str
    title_assumed: bool = False
    declared_as: str = ""
    """The title under which it was declared, once it has another one."""
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
    """card, announcement (of a further channel: announcement:<its name>), runbook, draft."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    asked_again_at: datetime | None = None
    """Since when an answer is asked for again, though somebody had acknowledged: it had been something less."""
    respond_by: datetime | None = None
    """When the response timer rings next; None once acknowledged or over."""
    escalation: int = 0
    """How often the response timer has escalated."""
    escalation_place: int = 0
    """Where on the ladder that was, if levels were passed over."""
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
    """When people are reminded of the postmortem next."""
    postmortem_due: datetime | None = None
    """When it is due, until it is closed."""
    role_by: datetime | None = None
    """When to ask for required roles that nobody holds."""
    relief_by: datetime | None = None
    """When somebody else should take the command."""
    stale_after: float | None = None
    """Seconds without anything a person does, after which to ask; None: never."""
    stale_by: datetime | None = None
    when_alerts_end: WhenAlertsEnd = "propose"
    quiet: float = 900.0
    touched: bool = False
    """Somebody has done something, so it does not end by itself."""
    quiet_by: datetime | None = None
    """When it resolves by itself, if nobody does anything."""
    task_by: datetime | None = None
    """When the next action item is due."""
    archive_by: datetime | None = None
    archived: bool = False
    roles: dict[str, str] = {}
    handoff: Handoff | None = None
    people: tuple[str, ...] = ()
    """Slack ids that were invited or did something, in order of appearance; at most 50."""
    departed: tuple[str, ...] = ()
    """Who left the channel of a private incident, or was removed, and was not asked in again."""
    reached: dict[str, str] = {}
    """Who was paged → paged, sent, failed."""
    calls: dict[str, Call] = {}
    """How far it came with the first of them."""
    runbook: AttachedRunbook | None = None
    tasks: tuple[Task, ...] = ()
    alerts_firing: int = 0
    alerts_total: int = 0
    """Firings, so an alert that fires again counts twice."""
    alerts_again: int = 0
    """Of these: firings of an alert that had fired before."""
    alerts_left_out: int = 0
    """How many the sender left out of its last news: some of them may fire."""
    newest_alerts: tuple[AlertFact, ...] = ()
    """The last news of the last few that were heard of, the newest at the end."""
    sources: tuple[str, ...] = ()
    absorbed: tuple[int, ...] = ()
    """Incidents that were merged into this one and brought alerts along."""
    silences: dict[str, Silence] = {}
    """Asked for and not lifted yet: `<seq of the request>.<number>` → silence."""
    remotes: tuple[str, ...] = ()
    """Incidents of a sender that go on and can be answered: `pagerduty:Q1GR0VU2ABCDEF`; at most 50."""
    call_url: str = ""
    """Where people talk, http(s) only."""
    call_dial: str = ""
    draft: Draft | None = None
    drafts: int = 0
    published: Published | None = None
    remote: dict[str, str] = {}
    """Status-page provider → its id of this incident."""
    failed: dict[str, str] = {}
    """Deliveries that gave up: effect id → what it was."""
    mends: dict[str, Mend] = {}
    """Of the last few of these: effect id → why, and what a person can do."""
    said: tuple[Said, ...] = ()
    """The last few updates, notes and action items."""
    room_failed: int = 0
    """How often the channel could not be opened; since the first time it is announced without one."""

    @property
    def key(self) -> str:
        """`INC-7`."""
        return f"INC-{self.number}"

    @property
    def alerts_known(self) -> int:
        """How many different alerts are or were part of it."""
        return self.alerts_total - self.alerts_again

    @property
    def is_active(self) -> bool:
        """True while people still work on it."""
        return self.status.is_active

    def includes(self, user: str) -> bool:
        """True for somebody who may see it: everybody, unless it is private."""
        if not self.private:
            return True
        return user not in self.departed and user in (self.declared_by, *self.people, *self.roles.values())

    @property
    def waits_since(self) -> datetime:
        """Since when an acknowledgement is waited for, or was."""
        return self.asked_again_at or self.reopened_at or self.declared_at

    def waits_for(self, user: str) -> bool:
        """True while somebody who was called is to answer: neither they have, nor has anybody acknowledged since."""
        call = self.calls.get(user)
        if not self.is_active or call is None or call.answered_at is not None:
            return False
        return self.acknowledged_at is None or call.at > self.acknowledged_at

    def needs(self, user: str) -> bool:
        """True while it is of use that somebody who was called acknowledges: nobody has, or not since the call."""
        return self.is_active and (self.acknowledged_at is None or self.waits_for(user))

    @property
    def postmortem_owed(self) -> datetime | None:
        """When its postmortem is or was due; None: it is not owed."""
        return (self.postmortem_due or self.postmortem_by) if self.status is Status.RESOLVED else None

    @property
    def lead(self) -> str | None:
        """The incident commander."""
        return self.roles.get("lead")
