"""Alerts about which people are asked first: what fires, why they are asked, and two buttons."""

from typing import Final

from bot.domain.questions import Question
from bot.render.slack import ids, looks
from bot.render.slack.message import Message, Surroundings, actions, button, context, message, sections

ALERT_SECTIONS: Final = 6
"""Hostile texts grow when they are escaped; the rest of the message must stay whole."""


def question_message(question: Question, around: Surroundings) -> Message:
    """Return the message as things stand; once it is decided, without buttons and in one line."""
    newest = [*reversed(question.alerts)]
    left = max(question.total - len(newest), 0)
    words = {"question": question, "newest": newest, "left": left, "looks_severity": looks.severity}
    parts = around.parts("question", **words)
    blocks = [*sections(parts["head"]), *sections(parts.get("alerts", ""))[:ALERT_SECTIONS]]
    if "why" in parts:
        blocks.append(context(parts["why"]))
    if question.is_open:
        declare = button(ids.TRIAGE_DECLARE, "Declare", question.id, "danger")
        blocks.append(actions(declare, button(ids.TRIAGE_DISMISS, "Dismiss", question.id)))
    return message(parts["head"], blocks)
