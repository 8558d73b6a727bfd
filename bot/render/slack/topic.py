"""The channel's topic: the incident in one line."""

from bot.domain.incident import Incident
from bot.render.slack import limits, looks, mrkdwn
from bot.render.slack.message import Surroundings, title


def topic(state: Incident, around: Surroundings) -> str:
    """Return at most 250 characters: severity, status, lead, then as much of the title as fits.

    Nothing in it changes by itself (no time left, no counts): every change of a topic is announced in the channel.
    """
    line = around.words(
        "topic", state=state, title=title(state), severity=looks.severity(state.severity), marks=looks.marks(state)
    )
    return mrkdwn.cut(" ".join(line.split()), limits.TOPIC)
