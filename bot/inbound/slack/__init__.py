"""Slack's door: slash command, mentions, controls, forms, shortcuts and events, over signed HTTP or Socket Mode."""

from bot.inbound.slack.directory import SlackDirectory
from bot.inbound.slack.door import SlackDoor, build_slack, web_client
from bot.inbound.slack.tasks import Tasks

__all__ = ["SlackDirectory", "SlackDoor", "Tasks", "build_slack", "web_client"]
