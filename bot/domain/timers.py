"""The clocks of an incident: each is a field of its state that says when it rings next. None: it does not run.

Arming, moving and stopping are what happens to those fields; `reactions.react` turns that into timer rows. When one
rings, `incident.timekeeping.fire_timer` decides what that means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timer:
    """`field` of the state holds its due time; `title` is what people call it.

    `stop`: how people stop it for good; a timer without can be snoozed.
    """

    field: str
    title: str
    stop: str = ""


TIMERS: Final[Mapping[str, Timer]] = {
    "respond": Timer("respond_by", "Response", "`ack` stops it"),
    "update": Timer("update_by", "Next update"),
    "role": Timer("role_by", "Role unfilled"),
    "relief": Timer("relief_by", "Relief of the commander"),
    "stale": Timer("stale_by", "Is it still going on?"),
    "quiet": Timer("quiet_by", "Resolves by itself", "anything that a person does stops it"),
    "postmortem": Timer("postmortem_by", "Postmortem"),
    "task": Timer("task_by", "Action item"),
    "archive": Timer("archive_by", "Channel is archived"),
}
"""Kind → timer."""
