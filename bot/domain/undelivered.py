"""What belongs to no incident and could not be delivered: a notice, a question, App Home, the test of a pager. Pure.

It stays for people to see and to try again, unless something newer about the same has come since.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.effects import AnyEffect, AskTriage, PostNotice, ShowHome, ShowTriage, TryPager

_OF_ITS_TIME: Final = re.compile(
    r"/\d{4}-\d\d-\d\d[^/]*"  # notices: the day, the hour, the beginning of a shift
    r"|(?<=[:/])\d+\.[a-z0-9]+(?=[:/])"  # tests of a page: the ticket
    r"|/override_[a-z]+$"  # an override is made, then perhaps cancelled
)
"""What in an effect's id is different each time that the same is said again."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One effect of the house that gave up: when, why, and what mends it. `id` is the effect's."""

    id: str
    effect: AnyEffect
    at: datetime
    error: str
    mend: str
    private: bool = False
    """About a private route: that there is such a question is nobody's business who was not asked."""

    @property
    def to(self) -> str:
        """Whom or what it was for: a person's id, a channel, a pager."""
        match self.effect:
            case PostNotice():
                return self.effect.channel or self.effect.user
            case AskTriage() | ShowTriage():
                return self.effect.to
            case ShowHome():
                return self.effect.user
            case TryPager():
                return self.effect.target
        return ""


def about(effect: str, show_key: str | None) -> str:
    """Return what the effect of this id is about: of two that are about the same, only the newer one counts."""
    return show_key or _OF_ITS_TIME.sub("", effect)
