"""What the world should be told or shown. Plain data in the domain's words; adapters carry them out.

`Say`: immutable content, once, in order within its lane. `Show`: make something look like the state; rendered
when it runs, at most one waiting per (incident, key). Set-up effects are Says without a lane: they depend only on
the event that caused them. Words are never copied into an effect: the text is read from the causing event.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


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


class PostRunbook(Effect):
    kind: Literal["post_runbook"] = "post_runbook"


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


# --- Show -------------------------------------------------------------------------------------------
class ShowTopic(Effect):
    kind: Literal["show_topic"] = "show_topic"

    @property
    def show_key(self) -> str | None:
        return "topic"


class ShowMessage(Effect):
    """Bring the live message `what` (card, announcement, runbook, draft) up to date."""

    kind: Literal["show_message"] = "show_message"
    what: str

    @property
    def show_key(self) -> str | None:
        return self.what


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


class QuietPager(Effect):
    """Tell the pager that its alert is acknowledged or resolved."""

    kind: Literal["quiet_pager"] = "quiet_pager"
    target: str
    action: Literal["acknowledge", "resolve"]


AnyEffect = Annotated[
    OpenRoom
    | Invite
    | PostCard
    | PostAnnouncement
    | PostRunbook
    | PostDraft
    | PinCard
    | Bookmark
    | ShowTopic
    | ShowMessage
    | ShowStatusPage
    | Tell
    | TellUser
    | PagePager
    | QuietPager,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[AnyEffect] = TypeAdapter(AnyEffect)


def read_effect(data: str) -> AnyEffect:
    """Return the effect stored as JSON `data`."""
    return _ADAPTER.validate_json(data)


RESPONSE = "response"
"""The cause of everything that calls for an acknowledgement."""


def cause_of(effect: Effect) -> str:
    """Return the cause with which `effect` is cancelled, or an empty string."""
    if isinstance(effect, PagePager) or (isinstance(effect, TellUser) and effect.response):
        return RESPONSE
    return ""
