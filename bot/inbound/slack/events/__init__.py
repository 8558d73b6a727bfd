"""What happens in the workspace: event type → handler. Recorded first, acknowledged then."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.inbound.slack.counter import Body, Counter
from bot.inbound.slack.events import home, marks, members, messages
from bot.inbound.slack.mentions import mention

EVENTS: Final[Mapping[str, Callable[[Counter, Body], Awaitable[None]]]] = {
    "app_home_opened": home.opened,
    "app_mention": mention,
    "member_joined_channel": members.joined,
    "member_left_channel": members.left,
    "message": messages.message,
    "pin_added": marks.pinned,
    "pin_removed": marks.unpinned,
    "reaction_added": marks.reacted,
    "reaction_removed": marks.unreacted,
    "subteam_members_changed": members.regrouped,
}
