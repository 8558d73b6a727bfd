"""What the house itself says: `templates/slack/notice/<template>.j2`, filled with the notice's fields."""

from datetime import timedelta
from typing import Final

from bot.domain.durations import format_duration
from bot.domain.notices import Notice
from bot.domain.severity import Severity
from bot.render.slack import ids, looks, mrkdwn
from bot.render.slack.answers import moment
from bot.render.slack.message import Message, Surroundings, actions, button, message, sections

_WORDS: Final = {
    "span": lambda value: format_duration(timedelta(seconds=float(value))),
    "at": lambda value: mrkdwn.date(moment(value)),
    "looks_severity": lambda value: looks.severity(Severity(value)),
}
"""A notice's fields are JSON: times and severities come as text."""


def notice_message(notice: Notice, around: Surroundings) -> Message:
    """Return the message. Every field is escaped where the template shows it."""
    text = around.words(f"notice/{notice.template}", **{**notice.fields, **_WORDS})
    made = (
        button(ids.GOT_IT, "I got it", str(notice.fields["ticket"]), "primary") if "ticket" in notice.fields else None
    )
    return message(text, [*sections(text), *([actions(made)] if made else [])])
