"""One use of a button or menu, read out of its payload. Everything in it is as hostile as any other text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.refusals import OldControl
from bot.inbound.slack.counter import Body
from bot.inbound.slack.origins import part
from bot.usecases.cases import Request


@dataclass(frozen=True, slots=True)
class Click:
    """`value` is the button's value, the chosen option's, or the chosen person; `where` the channel's incident."""

    request: Request
    action_id: str
    block_id: str
    value: str
    channel: str
    trigger_id: str
    response_url: str
    where: int | None = None

    def parts(self, count: int) -> list[str]:
        """Return the value's `count` parts. Refuses any other shape."""
        parts = self.value.split(":")
        if len(parts) != count:
            raise OldControl
        return parts

    @property
    def incident(self) -> int:
        """The incident, where it is the whole value. Refuses junk."""
        return number(self.value)


def number(text: str) -> int:
    """Return a number that was in a control. Refuses junk."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise OldControl
    return int(text)


def used(body: Body) -> Mapping[str, Any]:
    """Return the control that was used; nothing where the payload names none."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, Mapping) else {}


def chosen(action: Mapping[str, Any]) -> str:
    """Return what was pressed or chosen; empty if a menu was emptied."""
    option = action.get("selected_option")
    if isinstance(option, Mapping):
        return str(option.get("value") or "")
    for key in ("selected_user", "value"):
        if action.get(key):
            return str(action[key])
    return ""


def channel_of(body: Body) -> str:
    """Return the channel in which a control was used; empty in a form."""
    channel, container = part(body, "channel"), part(body, "container")
    return str(channel.get("id") or container.get("channel_id") or "")
