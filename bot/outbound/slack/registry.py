"""Slack's part of the registry: which effect is carried out how, and what people call it."""

from bot.outbound.slack.client import Slack
from bot.outbound.slack.directory import Directory
from bot.outbound.slack.messages import Messages
from bot.outbound.slack.posting import Poster
from bot.outbound.slack.rooms import Rooms
from bot.ports.delivery import Handler, Registration, Registry
from bot.render.slack.renderer import Renderer


def registry(slack: Slack, render: Renderer, installation: str, directory: Directory | None = None) -> Registry:
    """Return how Slack's effects are carried out. Budgets are named by `budgets.budget_of`."""
    directory = directory or Directory(slack)
    rooms = Rooms(slack, directory, render)
    poster = Poster(slack, installation)
    messages = Messages(slack, directory, poster, render)

    def post(handler: Handler, name: str) -> Registration:
        return Registration(handler, name, "chat.postMessage", tidy=poster.tidy)

    return {
        "open_room": Registration(rooms.open, "open the channel", "conversations.create"),
        "invite": Registration(rooms.invite, "invite people", "conversations.invite"),
        "show_topic": Registration(rooms.show_topic, "set the topic", "conversations.setTopic"),
        "pin_card": Registration(rooms.pin, "pin the card", "pins.add"),
        "bookmark": Registration(rooms.bookmark, "add a bookmark", "bookmarks.add", tidy=rooms.tidy_bookmark),
        "post_card": post(messages.post_card, "post the card"),
        "post_announcement": post(messages.post_announcement, "announce the incident"),
        "post_runbook": post(messages.post_runbook, "post the runbook"),
        "post_draft": post(messages.post_draft, "post the public draft"),
        "show_message": Registration(messages.show, "update a message", "chat.update"),
        "tell": post(messages.tell, "post in the channel"),
        "tell_user": post(messages.tell_user, "send a direct message"),
    }
