"""What people, alerts, timers and deliveries ask for. Decided by `incident.decide`, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.events import AlertFact, Silencing, WhenAlertsEnd
from bot.domain.runbooks import Runbook
from bot.domain.sender_news import News
from bot.domain.severity import Severity, Status


@dataclass(frozen=True, slots=True)
class Command:
    """Anything that may change an incident."""


# --- life cycle ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Declare(Command):
    """Open an incident. `number` is given by the committer, in the same commit."""

    title: str = ""
    severity: Severity | None = None
    assumed: bool = False
    """The severity was given by nobody, even if there is one."""
    severity_reason: str = ""
    service: str | None = None
    description: str = ""
    private: bool = False
    drill: bool = False
    via: str = "slack"
    runbook: Runbook | None = None
    runbook_reason: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    previous: int | None = None
    alerts: "ReportAlerts | None" = None
    when_alerts_end: WhenAlertsEnd = "propose"
    quiet: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Acknowledge(Command):
    """Somebody is on it: the response timer stops."""


@dataclass(frozen=True, slots=True)
class SetSeverity(Command):
    severity: Severity
    reason: str = ""
    runbook: Runbook | None = None


@dataclass(frozen=True, slots=True)
class SetStatus(Command):
    status: Status
    text: str = ""


@dataclass(frozen=True, slots=True)
class SetTitle(Command):
    title: str


@dataclass(frozen=True, slots=True)
class SetService(Command):
    service: str


@dataclass(frozen=True, slots=True)
class SetCall(Command):
    """Where people talk from now on; empty: nowhere any more."""

    url: str


@dataclass(frozen=True, slots=True)
class Resolve(Command):
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reopen(Command):
    reason: str


@dataclass(frozen=True, slots=True)
class Close(Command):
    pass


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    reason: str
    undone: bool = False
    """Taken back right after the declaration."""


@dataclass(frozen=True, slots=True)
class Merge(Command):
    """Fold this incident into `into`, whose key was checked by the caller."""

    into: int
    undone: bool = False
    """Right after its declaration: it should never have been."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Absorb(Command):
    """Incident `number` was merged into this one: its people come over. `title` is empty if it was private."""

    number: int
    title: str
    channel: str = ""
    people: tuple[str, ...] = ()


# --- people -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AssignRole(Command):
    role: str
    user: str


@dataclass(frozen=True, slots=True)
class OfferHandoff(Command):
    user: str


@dataclass(frozen=True, slots=True)
class AcceptHandoff(Command):
    pass


@dataclass(frozen=True, slots=True)
class DeclineHandoff(Command):
    """Whoever the command was offered to does not take it."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawHandoff(Command):
    """The offer does not stand any more."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Join(Command):
    """The one who asks wants to be in the incident's channel."""


@dataclass(frozen=True, slots=True)
class Attend(Command):
    """The one who asks has joined the channel without being invited, or reacted in it."""

    how: Literal["joined", "reacted"] = "joined"


@dataclass(frozen=True, slots=True)
class Enter(Command):
    """`user` is in the incident's channel now, whoever let them in."""

    user: str


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """`user` is in the incident's channel no more."""

    user: str


@dataclass(frozen=True, slots=True)
class PageSomeone(Command):
    """Page a person (`U…`) or whoever is on call for a service."""

    target: str
    reason: str = ""


# --- words --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PostUpdate(Command):
    text: str
    next_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AddNote(Command):
    """A timeline entry; `at` may lie in the past."""

    text: str
    at: datetime | None = None
    link: str = ""
    """The message that it was taken from: `slack:<channel>/<ts>`."""


@dataclass(frozen=True, slots=True)
class AddTask(Command):
    text: str
    owner: str | None = None
    due_in: timedelta | None = None
    due: datetime | None = None
    """A day, or a moment; `due_in` is a span from now on."""


@dataclass(frozen=True, slots=True)
class CompleteTask(Command):
    number: int


# --- runbook ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AttachRunbook(Command):
    """Use this runbook, filled in for the incident."""

    runbook: Runbook
    reason: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class MarkStep(Command):
    number: int
    outcome: Literal["done", "skipped", "failed", "open"]
    note: str = ""


# --- status page --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DraftPublic(Command):
    """Write the next public update. Empty text: draft it from the incident."""

    text: str = ""
    status: Status | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class ApprovePublic(Command):
    """Approve the draft; `version` is the one the approver read (None: the current one)."""

    version: int | None = None


@dataclass(frozen=True, slots=True)
class PublishPublic(Command):
    pass


@dataclass(frozen=True, slots=True)
class DiscardPublic(Command):
    pass


# --- alerts -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ReportAlerts(Command):
    """What one delivery changed for one incident, however many alerts it carried.

    `firing` and `total` are the incident's counts of open and of all episodes afterwards. `truncated` alerts were left
    out by the sender: with some, `firing` 0 does not mean that nothing fires any more. Of `total`, `again` are
    firings of an alert that had fired in this incident before. `facts` names the first few, the worst before others.
    """

    facts: tuple[AlertFact, ...]
    opened: int
    closed: int
    firing: int
    total: int
    severity: Severity | None = None
    severity_reason: str = ""
    truncated: int = 0
    raised: tuple[str, ...] = ()
    """Incidents of a sender that can be answered (`pagerduty:Q1GR0VU2ABCDEF`) which began with this delivery."""
    lowered: tuple[str, ...] = ()
    """…and those which ended."""
    absorbed: tuple[int, ...] = ()
    """Incidents whose alerts these are, and which were merged into this one."""
    again: int = 0


@dataclass(frozen=True, slots=True)
class HearSender(Command):
    """A sender of alerts tells something about its own incident."""

    news: News


@dataclass(frozen=True, slots=True)
class SilenceAlerts(Command):
    """Ask the sender to say nothing of these alerts for `span`. `word` is what the person said."""

    silences: tuple[Silencing, ...]
    span: timedelta
    word: str = ""
    inexact: tuple[str, ...] = ()
    """Labels for which alerts that the word means cannot be silenced."""


@dataclass(frozen=True, slots=True)
class LiftSilences(Command):
    """Hear of them again. `word` names an alert; empty: all."""

    word: str = ""


# --- timers -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class FireTimer(Command):
    """A timer rang. Stale ones (another due time than the state holds) decide to nothing."""

    kind: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Snooze(Command):
    """Let a timer ring later. `timer` is its kind."""

    timer: str
    span: timedelta
    reason: str = ""


# --- what deliveries report back ----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RoomOpened(Command):
    channel: str
    name: str


@dataclass(frozen=True, slots=True)
class RoomNamed(Command):
    """The channel is called `name` now."""

    name: str


@dataclass(frozen=True, slots=True)
class MessagePosted(Command):
    """A live message exists. `what` is card, announcement, runbook or draft; `shown` the sequence it shows."""

    what: str
    channel: str
    ts: str
    shown: int


@dataclass(frozen=True, slots=True)
class PageEscaped(Command):
    """A page that somebody else had taken over reached `target` all the same, or may have."""

    target: str


@dataclass(frozen=True, slots=True)
class PageSent(Command):
    """A pager took the page (`ok`) or could not (`error`); a person's stands at `channel` and `ts`."""

    target: str
    ok: bool
    error: str = ""
    channel: str = ""
    ts: str = ""
    shown: int = 0


@dataclass(frozen=True, slots=True)
class SilencePlaced(Command):
    """The sender took silence `silence`, and calls it `id`."""

    silence: str
    name: str
    id: str
    matchers: Mapping[str, str]
    until: datetime


@dataclass(frozen=True, slots=True)
class SilenceEnded(Command):
    """Silence `silence` is over, or was never placed."""

    silence: str


@dataclass(frozen=True, slots=True)
class PublicDelivered(Command):
    """A status-page vendor shows public update `version`."""

    provider: str
    version: int
    remote_id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class QuestionPlaced(Command):
    """Question `question` stands where it was to be asked; `shown` is its version there."""

    question: str
    to: str
    channel: str
    ts: str
    shown: int


@dataclass(frozen=True, slots=True)
class QuestionUnasked(Command):
    """It could not be asked there."""

    question: str
    to: str


@dataclass(frozen=True, slots=True)
class GiveUp(Command):
    """A delivery stopped trying: `effect` is its id, `what` its name in words, `mend` what a person can do.

    `unreached` is whom (or which pager) it was to call for a response. `kind` is the effect's kind, or what it shows.
    """

    effect: str
    what: str
    error: str
    mend: str
    unreached: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class OverrideOnCall(Command):
    """Put `user` on call in `schedule` from `start` until `end`, whoever's turn it is. About no incident."""

    schedule: str
    user: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TryPage(Command):
    """Prove that a page would arrive at `target`, a person or a service. About no incident."""

    target: str


@dataclass(frozen=True, slots=True)
class CancelOverride(Command):
    """Take override `number` back. About no incident."""

    number: int


@dataclass(frozen=True, slots=True)
class Redeliver(Command):
    """Try again what gave up and belongs to no incident. No `effect`: all of it."""

    effect: str = ""


@dataclass(frozen=True, slots=True)
class RetryDelivery(Command):
    """A person asks to try a given-up delivery again. No `effect`: all of them."""

    effect: str = ""
