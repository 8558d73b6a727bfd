"""The forms behind the shortcuts in a message's menu: put it on a timeline, make a task of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from bot.domain.text import cut
from bot.render.slack import ids, limits
from bot.render.slack.message import Block, option, prompt
from bot.render.slack.views import VALUE, form, input_of, select_of, text_of
from bot.render.slack.windows import View

Incidents: TypeAlias = Sequence[Mapping[str, Any]]
"""Open incidents as lists show them."""
SPANS: Final = {"1d": "tomorrow", "3d": "in 3 days", "1w": "in a week", "2w": "in two weeks", "4w": "in four weeks"}
TASK_MAX: Final = 1000


def note_form(offered: Incidents, text: str, remembered: str, zone: str = "UTC") -> View:
    """Return the form that puts `text` on the timeline of one of the `offered` incidents.

    With nothing `offered` the incident is known, and no message says when it was: that is asked, in time zone `zone`.
    """
    when = text_of("14:32, or yesterday 23:50", most=40)
    blocks = [
        *([_incident(offered)] if offered else []),
        input_of("text", "What the timeline shall say", text_of("What happened", initial=text, lines=True)),
        *(
            []
            if offered
            else [
                input_of("when", "When was it?", when, hint=f"In the time of {zone}. Left empty: now.", optional=True)
            ]
        ),
    ]
    return form(ids.FORM_NOTE, "Add to timeline", "Add", blocks, remembered)


def task_form(offered: Incidents, text: str, remembered: str) -> View:
    """Return the form of an action item. With nothing `offered` the incident is known."""
    spans = [option(span, label) for span, label in SPANS.items()]
    who = {"type": "users_select", "action_id": VALUE, "placeholder": prompt("Nobody yet")}
    blocks = [
        *([_incident(offered)] if offered else []),
        input_of("text", "What is to be done?", text_of("Add a lag alert", initial=text, lines=True, most=TASK_MAX)),
        input_of("owner", "Who does it?", who, optional=True),
        input_of("due", "By when?", select_of("No date", spans), optional=True),
    ]
    return form(ids.FORM_TASK, "Make a task", "Add", blocks, remembered)


def _incident(offered: Incidents) -> Block:
    options = [option(str(one["number"]), f"{one['key']} {one['title']}") for one in offered[: limits.OPTIONS]]
    only = str(offered[0]["number"]) if len(offered) == 1 else None
    return input_of("incident", "Which incident?", select_of("Choose one", options, only))


def described(text: str, link: str) -> str:
    """Return a description of `text` and the address of the message, within what an input holds."""
    foot = f"\n{link}" if link else ""
    return cut(text, limits.INPUT_LENGTH - len(foot)) + foot
