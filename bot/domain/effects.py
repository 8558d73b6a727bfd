"""What the world should be told or shown. Plain data in the domain's words; adapters carry them out.

`Say`: immutable content, once, in order within its lane. `Show`: make something look like the state; rendered
when it runs, at most one waiting per (incident, key). Set-up effects are Says without a lane: they depend only on
the event that caused them. Words are never copied into an effect: the text is read from the causing event.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.domain.people import is_person

CAN_WAIT: Final = frozenset({"task_overdue"})
"""Direct messages that wait for the end of the person's quiet hours."""
ANNOUNCEMENT: Final = "announcement"
"""The live message in the announcement channel; those in further channels are called `announcement:<channel>`."""


PAGE: Final = "page"
"""The live messages to those who were called are named `page:<user>`."""


class Effect(BaseModel):
    """One thing to do outside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def lane(self) -> str | None:
        """Effects of one lane run one after another, in order of the log. None: no order."""
        return None

    @property
    def show_key(self) -> str | None:
        """For a Show: what it shows. None for a Say."""
        return None


# --- set-up: no lane --------------------------------------------------------------------------------
class OpenRoom(Effect):
    """Create the channel. Everything else waits for it."""

    kind: Literal["open_room"] = "open_room"
    name: str
    private: bool = False


class Invite(Effect):
    kind: Literal["invite"] = "invite"
    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()


class PostCard(Effect):
    kind: Literal["post_card"] = "post_card"


class PostAnnouncement(Effect):
    kind: Literal["post_announcement"] = "post_announcement"
    channel: str
    further: bool = False
    """Besides the announcement channel, in one that the severity names."""

    @property
    def shown_as(self) -> str:
        """The live message's name."""
        return f"{ANNOUNCEMENT}:{self.channel}" if self.further else ANNOUNCEMENT


class PostRunbook(Effect):
    kind: Literal["post_runbook"] = "post_runbook"


class PostAlerts(Effect):
    """The line that counts the alerts of this outage; from then on it is edited in place."""

    kind: Literal["post_alerts"] = "post_alerts"


class PostDraft(Effect):
    kind: Literal["post_draft"] = "post_draft"


class PinCard(Effect):
    kind: Literal["pin_card"] = "pin_card"
    channel: str
    ts: str


class Bookmark(Effect):
    """Keep a link at the top of the channel; `link` identifies it."""

    kind: Literal["bookmark"] = "bookmark"
    title: str
    link: str
    emoji: str = ":notebook:"


class NameRoom(Effect):
    """Give the channel the name that the causing event says."""

    kind: Literal["name_room"] = "name_room"
    name: str

    @property
    def lane(self) -> str | None:
        return "room"


class ArchiveRoom(Effect):
    """Put the channel away, after everything that was to be said or shown in it (IN_ROOM): Slack changes nothing there
    any more. A reopening waits for none of that."""

    kind: Literal["archive_room"] = "archive_room"

    @property
    def lane(self) -> str | None:
        return "room"


class RestoreRoom(Effect):
    """Take the channel out of the archive; where Slack does not let us, open a new one called `name`."""

    kind: Literal["restore_room"] = "restore_room"
    name: str
    private: bool = False

    @property
    def lane(self) -> str | None:
        return "room"


# --- Show -------------------------------------------------------------------------------------------
class ShowTopic(Effect):
    kind: Literal["show_topic"] = "show_topic"

    @property
    def show_key(self) -> str | None:
        return "topic"


class ShowCall(Effect):
    """Keep the link to where people talk at the top of the channel, and none to where they talked before."""

    kind: Literal["show_call"] = "show_call"

    @property
    def show_key(self) -> str | None:
        return "call"


class ShowMessage(Effect):
    """Bring the live message `what` (card, announcement, runbook, alerts, draft) up to date."""

    kind: Literal["show_message"] = "show_message"
    what: str

    @property
    def show_key(self) -> str | None:
        return self.what


class ShowHome(Effect):
    """Bring what App Home shows `user` up to date. It belongs to no incident: its row stands under HOUSE."""

    kind: Literal["show_home"] = "show_home"
    user: str

    @property
    def show_key(self) -> str | None:
        return f"home:{self.user}"


class ShowStatusPage(Effect):
    """Bring an external status page up to date with the last published update."""

    kind: Literal["show_status_page"] = "show_status_page"
    provider: str

    @property
    def show_key(self) -> str | None:
        return f"statuspage:{self.provider}"


# --- Say --------------------------------------------------------------------------------------------
class Tell(Effect):
    """A message in the incident's channel, from the template that is named like the causing event."""

    kind: Literal["tell"] = "tell"
    template: str
    urgent: bool = False

    @property
    def lane(self) -> str | None:
        return "room"


class TellUser(Effect):
    """A direct message."""

    kind: Literal["tell_user"] = "tell_user"
    user: str
    template: str
    response: bool = False
    """Part of the call for a response: cancelled by the acknowledgement."""

    @property
    def lane(self) -> str | None:
        return f"user:{self.user}"


class PagePager(Effect):
    """Trigger the pager of `target` (a name under the pager's settings)."""

    kind: Literal["page_pager"] = "page_pager"
    target: str

    @property
    def lane(self) -> str | None:
        return f"pager:{self.target}"


class QuietPager(Effect):
    """Tell the pager that its alert is acknowledged or resolved.

    In one lane with the page: while that is on its way, this waits, or the page would come last and stay.
    """

    kind: Literal["quiet_pager"] = "quiet_pager"
    target: str
    action: Literal["acknowledge", "resolve"]

    @property
    def lane(self) -> str | None:
        return f"pager:{self.target}"


class SilenceAlert(Effect):
    """Place silence `number` of the causing request at the sender."""

    kind: Literal["silence_alert"] = "silence_alert"
    number: int


class LiftSilence(Effect):
    """End silence `silence`, which the sender calls `remote`."""

    kind: Literal["lift_silence"] = "lift_silence"
    silence: str
    remote: str


class AnswerSender(Effect):
    """Tell a sender of alerts that its own incident `remote` is acknowledged or resolved here."""

    kind: Literal["answer_sender"] = "answer_sender"
    source: Literal["pagerduty"]
    remote: str
    action: Literal["acknowledge", "resolve"]

    @property
    def lane(self) -> str | None:
        return f"sender:{self.source}:{self.remote}"


class TryPager(Effect):
    """Prove the way to the pager `target` by an alert of its own, at once resolved. It belongs to no incident."""

    kind: Literal["try_pager"] = "try_pager"
    target: str
    ticket: str
    asker: str = ""

    @property
    def lane(self) -> str | None:
        return f"try:{self.ticket}:{self.target}"


class AskTriage(Effect):
    """Ask people about a group of alerts (`bot/domain/questions.py`); `to` is a channel's name or a person's id."""

    kind: Literal["ask_triage"] = "ask_triage"
    question: str
    to: str

    @property
    def lane(self) -> str | None:
        return f"{'user' if is_person(self.to) else 'channel'}:{self.to}"


class ShowTriage(Effect):
    """Bring a question up to date where it stands."""

    kind: Literal["show_triage"] = "show_triage"
    question: str
    to: str

    @property
    def show_key(self) -> str | None:
        return f"triage:{self.question}:{self.to}"


class PostNotice(Effect):
    """Post a notice of the house (`bot/domain/notices.py`): it belongs to no incident, its words lie under `notice`."""

    kind: Literal["post_notice"] = "post_notice"
    notice: str
    channel: str = ""
    user: str = ""

    @property
    def lane(self) -> str | None:
        return f"user:{self.user}" if self.user else f"channel:{self.channel}"


AnyEffect = Annotated[
    OpenRoom
    | Invite
    | PostCard
    | PostAnnouncement
    | PostRunbook
    | PostAlerts
    | PostDraft
    | PinCard
    | Bookmark
    | NameRoom
    | ArchiveRoom
    | RestoreRoom
    | ShowTopic
    | ShowCall
    | ShowMessage
    | ShowHome
    | ShowStatusPage
    | Tell
    | TellUser
    | PagePager
    | AnswerSender
    | AskTriage
    | ShowTriage
    | PostNotice
    | TryPager
    | QuietPager
    | SilenceAlert
    | LiftSilence,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[AnyEffect] = TypeAdapter(AnyEffect)


def read_effect(data: str) -> AnyEffect:
    """Return the effect stored as JSON `data`."""
    return _ADAPTER.validate_json(data)


IN_ROOM: Final = frozenset(
    {
        "bookmark",
        "invite",
        "name_room",
        "pin_card",
        "post_alerts",
        "post_card",
        "post_draft",
        "post_runbook",
        "show_call",
        "show_message",
        "show_topic",
        "tell",
    }
)
"""The kinds of effects that change the incident's channel, and are refused once it is archived. (Live messages in other
channels are among them: they hold an archive up no longer than those here.)"""

RESPONSE = "response"
"""The cause of everything that calls for an acknowledgement."""


def cause_of(effect: Effect) -> str:
    """Return the cause with which `effect` is cancelled, or an empty string."""
    if isinstance(effect, PagePager) or (isinstance(effect, TellUser) and effect.response):
        return RESPONSE
    return ""
