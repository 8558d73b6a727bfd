"""Who acts at the page, where, and on what: each refusal in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.simulator.channel import Channel
from bot.simulator.errors import PersonError
from bot.simulator.store import Json
from bot.simulator.world import World

Body = Mapping[str, Any]


class Standing:
    """Finds what a request means, for the person who sent it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def person(self, user: object) -> str:
        """Return who acts. Raises PersonError for strangers and those who left."""
        found = self._world.users.get(str(user))
        if found is None or found["deleted"] or found["is_bot"]:
            raise PersonError("unknown_person", "Nobody of this name works here.", 403)
        return str(found["id"])

    def channel(self, me: str, body: Body) -> Channel:
        """Return the channel that is meant, if this person may see it."""
        channel = self._world.channels.get(str(body.get("channel")))
        if channel is None or not self._world.may_see(channel, me):
            raise PersonError("channel_not_found", "There is no such channel.", 404)
        return channel

    def _writable(self, me: str, body: Body) -> Channel:
        channel = self.channel(me, body)
        if channel.is_archived:
            raise PersonError("is_archived", "This channel is archived.")
        if me not in channel.members:
            raise PersonError("not_in_channel", "Join the channel first.")
        return channel

    def _message(self, channel: Channel, body: Body) -> Json:
        message = self._world.messages.get(channel.id, {}).get(str(body.get("ts")))
        if message is None:
            raise PersonError("message_not_found", "This message is gone.", 404)
        return message

    def _own(self, me: str, channel: Channel, body: Body) -> Json:
        message = self._message(channel, body)
        if message.get("user") != me or message.get("subtype") not in (None, "thread_broadcast"):
            raise PersonError("not_yours", "Only your own messages can be changed.", 403)
        return message
