"""The announcement in the organisation's channel: one line, kept true while the incident goes on."""

from bot.domain.incident import Incident
from bot.render.slack import ids, looks
from bot.render.slack.message import Block, Message, Surroundings, actions, button, context, message, section, title


def announcement(state: Incident, around: Surroundings) -> Message:
    """Return the announcement: with a Join button while people work on it, struck through when it is over."""
    parts = around.parts(
        "announcement",
        state=state,
        title=title(state),
        severity=looks.severity(state.severity),
        status=looks.status(state.status),
        marks=looks.marks(state),
    )
    blocks: list[Block] = [section(parts["line"])]
    if "context" in parts:
        blocks.append(context(parts["context"]))
    if "failed" in parts:
        blocks.append(section(parts["failed"], button(ids.RETRY, "Try again", state.number)))
    if state.is_active:
        blocks.append(actions(button(ids.JOIN, "Join", state.number)))
    return message(parts["line"], blocks)
