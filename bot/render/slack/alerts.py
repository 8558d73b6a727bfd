"""The alerts of an outage in its channel: one message that counts, and the last few by name, kept true as more join."""

from bot.domain.incident import Incident
from bot.render.slack.alert_lines import alert_lines, silence_all_button, why_button
from bot.render.slack.message import Message, Surroundings, actions, link_button, message, sections


def alerts(state: Incident, around: Surroundings) -> Message:
    """Return the live message: what fires stands first, the newest of it at the top."""
    heard = [*reversed(state.newest_alerts)]
    newest = [*(one for one in heard if one.status == "firing"), *(one for one in heard if one.status != "firing")]
    parts = around.parts("alerts", state=state, newest=newest, left=max(state.alerts_known - len(newest), 0))
    runbook = link_button(1, "Runbook", around.links.runbook(state.runbook.name)) if state.runbook else None
    buttons = [silence_all_button(newest, state, around), runbook, why_button(state)]
    return message(
        parts["head"],
        [
            *sections(parts["head"]),
            *alert_lines(newest, state, around),
            *sections(parts.get("foot", "")),
            actions(*(one for one in buttons if one)),
        ],
    )
