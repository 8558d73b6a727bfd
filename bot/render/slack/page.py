"""The direct message to somebody who was called: live, so that no button is left that calls for what was done."""

from bot.domain.incident import Incident
from bot.render.slack import ids, looks
from bot.render.slack.message import (
    Block,
    Element,
    Message,
    Surroundings,
    actions,
    button,
    link_button,
    message,
    sections,
    title,
)


def page(state: Incident, around: Surroundings, user: str = "") -> Message:
    """Return the message to `user` as it stands now; what it first said besides is told once (`tells.tell_user`)."""
    waits = state.needs(user)
    text = around.words(
        "page",
        state=state,
        title=title(state),
        marks=looks.marks(state),
        waits=waits,
        looks_severity=looks.severity,
        looks_status=looks.status,
    )
    blocks: list[Block] = sections(text)
    buttons: list[Element] = [button(ids.ACK, "Acknowledge", state.number, "primary")] if waits else []
    timeline = link_button(1, "Open the timeline", around.links.incident(state.number))
    buttons += [timeline] if timeline else []
    return message(text, [*blocks, actions(*buttons)] if buttons else blocks)
