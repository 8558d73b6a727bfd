"""Several messages that waited for the channel, told in one: in order, each with its time, none shortened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.domain import events as e
from bot.domain.effects import Tell
from bot.domain.folding import FOLD_LEAST
from bot.domain.incident import Incident
from bot.render.slack import limits
from bot.render.slack.message import Block, Message, Surroundings, message, sections
from bot.render.slack.tells import told

_ROOM: Final = limits.MESSAGE_CHARACTERS - 1000
"""Characters for the lines: the head needs some, and no line shall be cut."""
_BLOCKS: Final = limits.BLOCKS_IN_MESSAGE - 2


def digest(
    waited: Sequence[tuple[Tell, e.Recorded]], state: Incident, around: Surroundings, until: datetime
) -> tuple[Message, int] | None:
    """Return one message of as many of `waited` as it can hold uncut, from the first on, and how many these are.

    `until` is when they go out. None: so few fit that they are better told one by one.
    """
    blocks: list[Block] = []
    size = count = 0
    since = waited[0][1].at
    for effect, item in waited:
        text = told(effect, item, state, around)
        line = around.parts("digest", at=item.at, text=text, since=since, until=until)["line"]
        made = sections(line)
        size += len(line)
        if size > _ROOM or len(blocks) + len(made) > _BLOCKS:
            break
        blocks += made
        count += 1
    if count < FOLD_LEAST:
        return None
    head = around.parts("digest", at=since, text="", since=since, until=until)["head"]
    return message(head, [*sections(head), *blocks]), count
