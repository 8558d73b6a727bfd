"""Notices: what the house itself has to say, in a channel or to a person, apart from every incident.

A notice is delivered by the same runner as everything else – once, in order within its channel, tried again – and its
`key` makes it unique: N replicas that say the same thing under the same key say it once.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from bot.domain.events import NoteAdded, Recorded
from bot.domain.incident import Incident
from bot.domain.severity import Severity

HOUSE: Final = 0
"""The number that stands for no incident where a row of the queue needs one; incidents begin at 1."""
KEY_MAX: Final = 200


class Notice(BaseModel):
    """One message of the house: the template `slack/notice/<template>.j2`, filled with `fields`.

    Exactly one of `channel` (a name without `#`, or an id) and `user` (a Slack id). `fields` may hold words from
    outside: they are escaped when shown, and forgotten with the notice (`retention.notices`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: str = Field(min_length=1, max_length=KEY_MAX, pattern=r"^[\x21-\x7e]+$")
    """Deterministic, such as `handover/primary/2026-11-23`."""
    template: str = Field(pattern="^[a-z_]+$")
    channel: str = ""
    user: str = ""
    fields: dict[str, JsonValue] = {}
    not_before: datetime | None = None
    """Not to be said earlier: it can wait for the end of somebody's quiet hours."""
    rank: int = Field(Severity.SEV3.rank, ge=1, le=4)
    """As a severity's: a smaller one goes first, and SEV3's and 4's share of the rate limits is smaller."""

    @model_validator(mode="after")
    def _one_address(self) -> "Notice":
        if bool(self.channel) == bool(self.user):
            raise ValueError("a notice goes to a channel or to a person")
        return self

    @property
    def effect_id(self) -> str:
        """The id of its effect: the same for every replica."""
        return f"notice:{self.key}"


@cache
def house() -> Incident:
    """Return what a notice's job has in place of an incident: number HOUSE, nothing else of meaning."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return Incident(
        number=HOUSE,
        seq=0,
        looks=0,
        title="Tocsin",
        severity=Severity.SEV4,
        declared_at=start,
        declared_by="tocsin",
        room_name="",
    )


@cache
def house_event() -> Recorded:
    """Return what a notice's job has in place of the event that caused it."""
    return Recorded(seq=0, at=house().declared_at, actor="tocsin", event=NoteAdded(text="notice"))
