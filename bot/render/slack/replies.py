"""Answers as Slack shows them to the asker: the text, and buttons where a click saves typing."""

from typing import Any, Final

from bot.domain.severity import ACTIVE, Severity
from bot.ports.store import Answer
from bot.render.slack import ids, looks, message
from bot.render.slack.answers import answer_text, query_text
from bot.render.slack.message import Block, Message
from bot.render.texts import Texts

_TEXT_ALONE_MAX: Final = 2_900
"""Characters of a reply that needs no blocks."""
_OPEN: Final = frozenset(status.value for status in ACTIVE)
_JOINS: Final = 5
"""Incidents of a list that have a button."""
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
    if answered.fields.get("lead_wanted"):
        controls.append(message.button(ids.TAKE_LEAD, "Take command", number, "primary"))
    if answered.fields.get("severity_assumed"):
        levels = {f"{number}:{level.value}": looks.severity(level) for level in Severity}
        controls.append(message.select(ids.SEVERITY, "Severity", levels, None))
    for n, other in enumerate(one for one in answered.fields.get("alike", ()) if one["open"]):
        controls.append(
            message.button(f"{ids.JOIN_INSTEAD}:{n}", f"Join {other['key']} instead", f"{number}:{other['number']}")
        )
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
    clicks = _clicks(kind, data)
    return message.message(text, [*message.sections(text), message.actions(*clicks)]) if clicks else just(text)


def _clicks(kind: str, data: Any) -> list[message.Element]:
    """Return buttons where a click saves typing: the way into the first open incidents, and to their story."""
    if kind == "list":
        opened = [one for one in data if one["status"] in _OPEN][:_JOINS]
        return [message.button(f"{ids.JOIN}:{one['number']}", f"Join {one['key']}", one["number"]) for one in opened]
    if kind == "status" and data["status"] in _OPEN:
        return [message.button(f"{ids.ASK}:catchup", "Catch up", f"catchup {data['key']}")]
    if kind == "undelivered" and data:
        return [message.button(ids.REDELIVER, "Try again", ids.NO_TITLE)]
    return rota() if kind == "oncall" else []


def rota() -> list[message.Element]:
    """Return what can be done about on-call: put somebody else there for a while, and prove that a page arrives."""
    return [
        message.button(f"{ids.OPEN}:override", "Put somebody else on call", ids.NO_TITLE),
        message.button(ids.PAGE_TEST, "Test my page", ids.NO_TITLE),
    ]


def offer(form: str, number: int | None) -> Message:
    """Return a button that opens `form`, for where no form can open by itself."""
    if form == "severity":  # its form carries a choice that no button does
        return Message("That needs a reason. Write it like this: `/incident sev 2 because …`")
    label, action = _OFFERS.get(form, ("Open the form", f"{ids.OPEN}:{form}"))
    button = message.button(action, label, ids.NO_TITLE if number is None else number, "primary")
    text = "A form says it best:"
    return message.message(text, [message.section(text), message.actions(button)])
