"""The Slack app manifest that fits the configuration, with the least scopes that the product's calls need.

Shape: https://docs.slack.dev/reference/app-manifest/
"""

from typing import Any, Final

from bot.render.slack import ids

SCOPES: Final = {
    "app_mentions:read": "`@Tocsin …` works like `/incident …`",
    "bookmarks:read": "look before adding a bookmark again",
    "bookmarks:write": "the runbook and the timeline at the top of the channel",
    "channels:history": "the timeline; looking whether a message was already posted",
    "channels:join": "the announcement channel",
    "channels:manage": "open public incident channels, invite, set the topic",
    "channels:read": "find the announcement channel",
    "chat:write": "post and update messages",
    "chat:write.public": "announce without being a member",
    "commands": "/incident and the shortcuts",
    "groups:history": "as channels:history, in private incidents",
    "groups:read": "as channels:read, in private incidents",
    "groups:write": "open private incident channels, invite, set the topic",
    "im:history": "look whether a direct message was already sent",
    "im:write": "the id of a direct conversation, to look there",
    "pins:read": "pins are on the timeline",
    "pins:write": "pin the incident card",
    "reactions:read": "reactions are on the timeline",
    "usergroups:read": "invite the members of a usergroup; permissions by usergroup",
    "users:read": "names of people; skip bots and deactivated accounts",
    "users:read.email": "find the people of PagerDuty's schedules, and whom a command names by e-mail",
}
"""Scope → why it is needed."""

EVENTS: Final = (
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "pin_added",
    "pin_removed",
    "reaction_added",
    "reaction_removed",
    "subteam_members_changed",
)

MESSAGE_SHORTCUTS: Final = (
    {
        "name": "Add to timeline",
        "callback_id": ids.SHORTCUT_NOTE,
        "description": "Keeps this message on the incident's timeline",
    },
    {
        "name": "Declare from message",
        "callback_id": ids.SHORTCUT_DECLARE_FROM,
        "description": "Opens the form, with this message in it",
    },
    {
        "name": "Make a task",
        "callback_id": ids.SHORTCUT_TASK,
        "description": "An action item out of this message",
    },
)
"""In a message's menu. Names have at most 24 characters: https://docs.slack.dev/reference/app-manifest/"""


def manifest(*, public_url: str, socket_mode: bool) -> dict[str, Any]:
    """Return the manifest. In HTTP mode Slack delivers to `{public_url}/slack/events`."""
    url = f"{public_url}/slack/events"
    events: dict[str, Any] = {"bot_events": list(EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    command: dict[str, Any] = {
        "command": "/incident",
        "description": "Declare an incident, or work on one",
        "usage_hint": "declare sev1 Checkout is down #checkout",
        "should_escape": True,
    }
    if not socket_mode:
        events["request_url"] = url
        interactivity["request_url"] = url
        command["url"] = url
    return {
        "display_information": {
            "name": "Tocsin",
            "description": "Opens the incident channel, runs the clock, keeps the record.",
            "background_color": "#7a1f3d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Tocsin", "always_online": True},
            "shortcuts": [
                {
                    "name": "Declare an incident",
                    "type": "global",
                    "callback_id": ids.SHORTCUT_DECLARE,
                    "description": "Opens the form",
                },
                *({**shortcut, "type": "message"} for shortcut in MESSAGE_SHORTCUTS),
            ],
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }
