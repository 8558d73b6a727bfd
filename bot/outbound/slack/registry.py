"""Slack's part of the registry: which effect is carried out how, and what people call it."""

from bot.outbound.slack.client import Slack
from bot.outbound.slack.directory import Directory
from bot.outbound.slack.messages import Messages
from bot.outbound.slack.posting import Poster
from bot.outbound.slack.rooms import Rooms
from bot.ports.delivery import Registration, Registry
from bot.render.slack.renderer import Renderer


def registry(slack: Slack, render: Renderer, installation: str, directory: Directory | None = None) -> Registry:
    """Return how Slack's effects are carried out. Budgets are named by `budgets.budget_of`."""
    directory = directory or Directory(slack)
    rooms = Rooms(slack, directory, render)
    messages = Messages(slack, directory, Poster(slack, installation), render)
    return {
        "open_room": Registration(rooms.open, "open the channel", "conversations.create"),
        "invite": Registration(rooms.invite, "invite people", "conversations.invite"),
        "show_topic": Registration(rooms.show_topic, "set the topic", "conversations.setTopic"),
        "pin_card": Registration(rooms.pin, "pin the card", "pins.add"),
        "bookmark": Registration(rooms.bookmark, "add a bookmark", "bookmarks.add"),
        "post_card": Registration(messages.post_card, "post the card", "chat.postMessage"),
        "post_announcement": Registration(messages.post_announcement, "announce the incident", "chat.postMessage"),
        "post_runbook": Registration(messages.post_runbook, "post the runbook", "chat.postMessage"),
        "post_draft": Registration(messages.post_draft, "post the public draft", "chat.postMessage"),
        "show_message": Registration(messages.show, "update a message", "chat.update"),
        "tell": Registration(messages.tell, "post in the channel", "chat.postMessage"),
        "tell_user": Registration(messages.tell_user, "send a direct message", "chat.postMessage"),
    }
