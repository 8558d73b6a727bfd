"""Every Web API method that this Slack knows: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from bot.simulator.webapi import chat, conversations, marks, membership, people, surfaces
from bot.simulator.webapi.call import Method

READ = "channels:read groups:read im:read mpim:read"
HISTORY = "channels:history groups:history im:history mpim:history"
MANAGE = "channels:manage groups:write im:write mpim:write"
INVITE = "channels:manage channels:write.invites groups:write groups:write.invites"
TOPIC = "channels:manage channels:write.topic groups:write groups:write.topic im:write mpim:write"
TOPIC += " im:write.topic mpim:write.topic"
SAID = "text blocks attachments markdown_text metadata parse link_names as_user"
FACE = "username icon_emoji icon_url"
RANGE = "cursor limit oldest latest inclusive include_all_metadata"
PLACE = "channel timestamp"

METHODS: Mapping[str, Method] = {
    "api.test": Method(people.api_test, "", "error", tier="t4", caller="anyone"),
    "auth.test": Method(people.auth_test, tier="t5"),
    "apps.connections.open": Method(people.open_connection, tier="t3", caller="app"),
    "bookmarks.add": Method(
        marks.add_bookmark,
        "channel_id title type",
        "link emoji entity_id parent_id access_level",
        "bookmarks:write",
        "t2",
    ),
    "bookmarks.edit": Method(
        marks.edit_bookmark, "channel_id bookmark_id", "title link emoji", "bookmarks:write", "t2"
    ),
    "bookmarks.list": Method(marks.list_bookmarks, "channel_id", "", "bookmarks:read", "t3"),
    "bookmarks.remove": Method(
        marks.remove_bookmark, "channel_id bookmark_id", "quip_section_id", "bookmarks:write", "t2"
    ),
    "chat.delete": Method(chat.delete, "channel ts", "as_user", "chat:write", "t3"),
    "chat.getPermalink": Method(chat.get_permalink, "channel message_ts", tier="t5"),
    "chat.postEphemeral": Method(chat.post_ephemeral, "channel user", f"{SAID} {FACE} thread_ts", "chat:write", "t4"),
    "chat.postMessage": Method(
        chat.post_message,
        "channel",
        f"{SAID} {FACE} thread_ts reply_broadcast mrkdwn unfurl_links unfurl_media",
        "chat:write",
        "t5",
    ),
    "chat.update": Method(chat.update, "channel ts", f"{SAID} reply_broadcast file_ids", "chat:write", "t3"),
    "conversations.archive": Method(conversations.archive, "channel", "", MANAGE, "t2"),
    "conversations.create": Method(conversations.create, "name", "is_private", MANAGE, "t2"),
    "conversations.history": Method(membership.history, "channel", RANGE, HISTORY, "t3"),
    "conversations.info": Method(conversations.info, "channel", "include_locale include_num_members", READ, "t3"),
    "conversations.invite": Method(membership.invite, "channel users", "force", INVITE, "t3"),
    "conversations.join": Method(membership.join, "channel", "", "channels:join", "t3"),
    "conversations.kick": Method(membership.kick, "channel", "user", "channels:manage groups:write", "t3"),
    "conversations.leave": Method(membership.leave, "channel", "", MANAGE, "t3"),
    "conversations.list": Method(conversations.listing, "", "cursor exclude_archived limit types", READ, "t2"),
    "conversations.mark": Method(conversations.mark, "channel ts", "", MANAGE, "t3"),
    "conversations.members": Method(membership.members, "channel", "cursor limit", READ, "t4"),
    "conversations.open": Method(conversations.opened, "", "channel users return_im prevent_creation", MANAGE, "t3"),
    "conversations.rename": Method(conversations.rename, "channel name", "", MANAGE, "t2"),
    "conversations.replies": Method(membership.replies, "channel ts", RANGE, HISTORY, "t3"),
    "conversations.setPurpose": Method(conversations.set_purpose, "channel", "purpose", TOPIC, "t2"),
    "conversations.setTopic": Method(conversations.set_topic, "channel", "topic", TOPIC, "t2"),
    "conversations.unarchive": Method(conversations.unarchive, "channel", "", MANAGE, "t2"),
    "pins.add": Method(marks.add_pin, "channel", "timestamp", "pins:write", "t2"),
    "pins.list": Method(marks.list_pins, "channel", "", "pins:read", "t2"),
    "pins.remove": Method(marks.remove_pin, "channel", "timestamp", "pins:write", "t2"),
    "reactions.add": Method(marks.add_reaction, "channel name timestamp", "", "reactions:write", "t3"),
    "reactions.get": Method(marks.get_reactions, "", f"{PLACE} full", "reactions:read", "t3"),
    "reactions.remove": Method(marks.remove_reaction, "name", PLACE, "reactions:write", "t2"),
    "team.info": Method(people.team_info, "", "team domain", "team:read", "t3"),
    "usergroups.list": Method(
        people.usergroups, "", "include_count include_disabled include_users", "usergroups:read", "t2"
    ),
    "usergroups.users.list": Method(people.usergroup_users, "usergroup", "include_disabled", "usergroups:read", "t2"),
    "users.conversations": Method(conversations.of_user, "", "cursor exclude_archived limit types user", READ, "t3"),
    "users.getPresence": Method(people.presence, "", "user", "users:read", "t3"),
    "users.info": Method(people.info, "user", "include_locale", "users:read", "t4"),
    "users.list": Method(people.listing, "", "cursor include_locale limit", "users:read", "t2"),
    "users.lookupByEmail": Method(people.lookup_by_email, "email", "", "users:read.email", "t3"),
    "views.open": Method(surfaces.open_view, "view", "trigger_id interactivity_pointer", tier="t4"),
    "views.publish": Method(surfaces.publish_view, "user_id view", "hash interactivity_pointer", tier="t4"),
    "views.push": Method(surfaces.push_view, "view", "trigger_id interactivity_pointer", tier="t4"),
    "views.update": Method(surfaces.update_view, "view", "view_id external_id hash", tier="t4"),
}
