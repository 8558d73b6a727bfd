"""Windows that say something: what was done or found, with the buttons of the answer, as a message would show it.

An answer comes as a window where there is no message that could carry it: after a form, from App Home, in a window.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from bot.render.slack import ids, legal, limits, message
from bot.render.slack.message import Block, Message, plain

View: TypeAlias = dict[str, Any]
"""A modal, or App Home: https://docs.slack.dev/reference/views"""

_ENDED_BY: Final = frozenset({ids.UNDO, ids.JOIN_INSTEAD})
"""Buttons after which the others of their answer are about nothing any more."""


def note(title: str, said: Message | str, kept: Sequence[Block] = ()) -> View:
    """Return a window that says `said` (text is mrkdwn), with the controls `kept`. Closing it closes all."""
    answer = said if isinstance(said, Message) else Message(said)
    blocks = [*(answer.blocks or message.sections(answer.text)), *kept]
    view: View = {
        "type": "modal",
        "callback_id": ids.ANSWER,
        "title": plain(title, limits.VIEW_TITLE),
        "close": plain("Close", limits.VIEW_BUTTON),
        "clear_on_close": True,
        "blocks": blocks[: limits.BLOCKS_IN_VIEW],
    }
    legal.check(view)
    return view


def above(view: View) -> View:
    """Return `view` as it is laid above another window: it closes to that one."""
    return view | {"close": plain("Back", limits.VIEW_BUTTON)}


def left_of(view: Mapping[str, Any], used: Mapping[str, Any]) -> list[Block]:
    """Return the controls of an answer's window that are of use after one of them was `used`."""
    if view.get("callback_id") != ids.ANSWER or str(used.get("action_id", "")).partition(":")[0] in _ENDED_BY:
        return []
    rows = (block for block in view.get("blocks") or () if block.get("type") == "actions")
    left = [[one for one in row["elements"] if one["action_id"] != used.get("action_id")] for row in rows]
    return [message.actions(*row) for row in left if row]
