"""Slack's part of the registry: which effect is carried out how, and what people call it."""

from bot.outbound.slack.client import Slack
from bot.outbound.slack.directory import Directory
from bot.outbound.slack.homes import Homes
from bot.outbound.slack.messages import Messages
from bot.outbound.slack.posting import Poster
from bot.outbound.slack.rooms import Rooms
from bot.ports.delivery import Handler, Registration, Registry
from bot.render.slack.renderer import Renderer


def registry(
    slack: Slack, render: Renderer, installation: str, directory: Directory | None = None, homes: Homes | None = None
) -> Registry:
    """Return how Slack's effects are carried out. Budgets are named by `budgets.budget_of`.

    Without `homes` nobody can be shown an App Home.
    """
    directory = directory or Directory(slack)
    rooms = Rooms(slack, directory, render)
    poster = Poster(slack, installation)
    messages = Messages(slack, directory, poster, render)

    def post(handler: Handler, name: str) -> Registration:
        return Registration(handler, name, "chat.postMessage", tidy=poster.tidy, where=messages.where)

    made = {
        "open_room": Registration(
            rooms.open, "open the channel", "conversations.create", tidy=rooms.tidy_opened, where=rooms.where_opened
        ),
        "invite": Registration(rooms.invite, "invite people", "conversations.invite"),
        "show_topic": Registration(rooms.show_topic, "set the topic", "conversations.setTopic"),
        "pin_card": Registration(rooms.pin, "pin the card", "pins.add"),
        "bookmark": Registration(
            rooms.bookmark, "add a bookmark", "bookmarks.add", tidy=rooms.tidy_bookmark, where=rooms.where
        ),
        "show_call": Registration(rooms.show_call, "link the call", "bookmarks.add", tidy=rooms.tidy_bookmark),
        "name_room": Registration(rooms.name, "rename the channel", "conversations.rename"),
        "archive_room": Registration(rooms.archive, "archive the channel", "conversations.archive"),
        "restore_room": Registration(rooms.restore, "reopen the channel", "conversations.create"),
        "post_card": post(messages.post_card, "post the card"),
        "post_announcement": post(messages.post_announcement, "announce the incident"),
        "post_runbook": post(messages.post_runbook, "post the runbook"),
        "post_alerts": post(messages.post_alerts, "post the alerts"),
        "post_draft": post(messages.post_draft, "post the public draft"),
        "show_message": Registration(messages.show, "update a message", "chat.update"),
        "tell": post(messages.tell, "post in the channel"),
        "tell_user": post(messages.tell_user, "send a direct message"),
        "ask_triage": post(messages.ask_triage, "ask about alerts"),
        "show_triage": Registration(messages.show_triage, "update a question", "chat.update"),
        "post_notice": post(messages.post_notice, "post a notice"),
    }
    if homes is not None:
        made["show_home"] = Registration(homes.show, "update App Home", "views.publish")
    return made
