"""Answers as Slack shows them to the asker: the text, and buttons where a click saves typing."""

from typing import Any, Final

from slack_sdk.models.blocks import Block

from bot.domain.severity import Severity
from bot.ports.store import Answer
from bot.render.slack import ids, looks, message
from bot.render.slack.answers import answer_text, query_text
from bot.render.slack.message import Message
from bot.render.texts import Texts

_TEXT_ALONE_MAX: Final = 2_900
"""Characters of a reply that needs no blocks."""
_OFFERS: Final = {
    "declare": ("Declare an incident", ids.DECLARE),
    "update": ("Write the update", ids.UPDATE),
    "resolve": ("Resolve", ids.RESOLVE),
    "public": ("Write the public update", ids.PUBLIC),
    "runbook": ("Choose a runbook", ids.RUNBOOK),
    "title": ("Give it a title", ids.TITLE),
}
"""Form → the label and action of the button that opens it."""


def just(text: str) -> Message:
    """Return `text` (mrkdwn) as a reply, in as many sections as it takes."""
    return Message(text) if len(text) <= _TEXT_ALONE_MAX else message.message(text, message.sections(text))


def answer(answered: Answer, texts: Texts) -> Message:
    """Return what was done. A fresh declaration can be corrected or undone on the spot."""
    text = answer_text(answered, texts)
    if answered.kind != "declared" or answered.incident is None:
        return just(text)
    number = answered.incident
    controls: list[Any] = []
    if answered.fields.get("severity_assumed"):
        levels = {f"{number}:{level.value}": looks.severity(level) for level in Severity}
        controls.append(message.select(ids.SEVERITY, "Severity", levels, None))
    controls.append(message.button(ids.UNDO, "Undo (5 min)", number))
    return message.message(text, [*message.sections(text), message.actions(*controls)])


def looked_up(kind: str, data: Any, texts: Texts) -> Message:
    """Return what was looked up. Help comes with buttons."""
    text = query_text(kind, data, texts)
    if kind == "help" and not data:
        blocks: list[Block] = [
            message.actions(
                message.button(ids.DECLARE, "Declare an incident", ids.NO_TITLE, "danger"),
                message.button(ids.ASK, "Open incidents", "list"),
                message.button(f"{ids.ASK}:oncall", "Who is on call", "oncall"),
            )
        ]
        return message.message(text, [*blocks, *message.sections(text)])
    return just(text)


def offer(form: str, number: int | None) -> Message:
    """Return a button that opens `form`, for where no form can open by itself."""
    if form == "severity":  # its form carries a choice that no button does
        return Message("That needs a reason. Write it like this: `/incident sev 2 because …`")
    label, action = _OFFERS[form]
    button = message.button(action, label, ids.NO_TITLE if number is None else number, "primary")
    text = "A form says it best:"
    return message.message(text, [message.section(text), message.actions(button)])
