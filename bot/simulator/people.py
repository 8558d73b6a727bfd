"""What a person can do at the page: the acting half of PROTOCOL.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import aiohttp

from bot.simulator import events, pins, posts, rooms, samples, sight, text, views
from bot.simulator.channel import Channel
from bot.simulator.delivery import Courier
from bot.simulator.errors import PersonError, SlackError
from bot.simulator.interactions import Desk, commands
from bot.simulator.standing import Body, Standing
from bot.simulator.store import Json
from bot.simulator.world import World

Act = Callable[[str, Body], Awaitable[Json]]

WORDS: Mapping[str, str] = {
    "name_taken": "This name is taken.",
    "invalid_name_specials": "Names are lower case, with letters, digits, hyphens or underscores.",
    "invalid_name_punctuation": "Names need a letter or a digit.",
    "invalid_name_required": "A channel needs a name.",
    "invalid_name_maxlength": "Names have at most 80 characters.",
    "already_pinned": "This message is pinned already.",
    "no_pin": "This message is not pinned.",
    "already_reacted": "You gave this reaction already.",
    "no_reaction": "You did not give this reaction.",
    "cannot_reply_to_message": "This message is gone.",
    "invalid_name": "There is no such emoji.",
}


class People(Standing):
    """Carries out what people do. Every act takes who acts and the request's body."""

    def __init__(self, world: World, desk: Desk, courier: Courier, http: aiohttp.ClientSession) -> None:
        super().__init__(world)
        self._desk = desk
        self._courier = courier
        self._http = http
        self.acts: Mapping[str, Act] = {
            "send": self.send,
            "edit": self.edit,
            "delete": self.delete,
            "react": self.react,
            "pin": self.pin,
            "read": self.read,
            "join": self.join,
            "leave": self.leave,
            "invite": self.invite,
            "create": self.create,
            "dm": self.direct,
            "archive": self.archive,
            "action": self.action,
            "submit": self.submit,
            "close": self.close,
            "shortcut": self.shortcut,
            "options": self.options,
            "sample": self.sample,
        }

    async def act(self, name: str, body: Body) -> Json:
        """Carry out one act and return its answer. Raises PersonError."""
        act = self.acts.get(name)
        if act is None:
            raise PersonError("unknown_act", "There is no such thing to do here.", 404)
        me = self.person(body.get("as"))
        try:
            answer = await act(me, body)
        except SlackError as refused:
            words = WORDS.get(refused.code, refused.code.replace("_", " "))
            raise PersonError(refused.code, words) from None
        finally:
            self._world.commit()
            self._courier.wake()
        return {"ok": True, **answer}

    # -- messages ---------------------------------------------------------------------------

    async def send(self, me: str, body: Body) -> Json:
        """Say something, or give a slash command."""
        channel, typed = self.channel(me, body), _string(body, "text").strip()
        if not typed:
            raise PersonError("no_text", "There is nothing to send.")
        known = {command["command"] for command in commands(self._world)}
        thread_ts = body.get("thread_ts")
        first = typed.split(maxsplit=1)[0]
        if first.startswith("/") and first not in known:
            raise PersonError("unknown_command", f"{first} is not a valid command.")
        self._writable(me, body)
        if first in known and thread_ts:
            # https://docs.slack.dev/interactivity/implementing-slash-commands#best-practices
            raise PersonError("not_in_threads", f"{first} is not supported in threads. Sorry!")
        if first in known:
            answer = await self._desk.command(me, channel, typed)
            return {"command": True, **({"text": answer} if answer else {})}
        said, content = text.compose(self._world, typed)
        message = posts.by_person(self._world, me, said, content)
        ts = posts.say(self._world, channel, message, str(thread_ts) if thread_ts else None)["ts"]
        self._unheard(channel, me, said)
        return {"ts": ts}

    def _unheard(self, channel: Channel, me: str, said: str) -> None:
        """Say so, as Slackbot does, when somebody calls the app where it is not."""
        app = self._world.app
        if f"<@{app.user_id}>" in said and app.user_id not in channel.members:
            words = f"You mentioned <@{app.user_id}>, but they're not in this channel. Invite them?"
            message = {"type": "message", "user": "USLACKBOT", "text": words}
            posts.whisper(self._world, channel, me, message)

    async def edit(self, me: str, body: Body) -> Json:
        """Change one's own message."""
        channel = self._writable(me, body)
        message = self._own(me, channel, body)
        said, content = text.compose(self._world, _string(body, "text").strip())
        posts.edit(self._world, channel, message["ts"], {"text": said, "blocks": content}, me)
        return {}

    async def delete(self, me: str, body: Body) -> Json:
        """Delete one's own message; an ephemeral one is only put out of sight."""
        channel = self.channel(me, body)
        whispered = self._world.ephemerals.get(channel.id, {}).get(str(body.get("ts")))
        if whispered is not None and whispered["_reader"] == me:
            posts.hush(self._world, channel, whispered["ts"])
            return {}
        posts.delete(self._world, channel, self._own(me, channel, body)["ts"])
        return {}

    async def react(self, me: str, body: Body) -> Json:
        """Give a reaction or take it back."""
        channel = self._writable(me, body)
        change = posts.react if body.get("on", True) else posts.unreact
        name = _string(body, "name").strip(":")
        change(self._world, channel, self._message(channel, body), name, me)
        return {}

    async def pin(self, me: str, body: Body) -> Json:
        """Pin a message or take the pin off."""
        channel = self._writable(me, body)
        change = pins.pin if body.get("on", True) else pins.unpin
        change(self._world, channel, self._message(channel, body), me)
        return {}

    async def read(self, me: str, body: Body) -> Json:
        """Mark a channel read up to a message."""
        channel = self.channel(me, body)
        ts = _string(body, "ts")
        if ts > channel.last_read.get(me, ""):
            channel.last_read[me] = ts
            self._world.keep_channel(channel)
        return {}

    # -- channels ---------------------------------------------------------------------------

    def _seen(self, channel: Channel, me: str) -> Json:
        return {"channel": sight.room(self._world, channel, me)}

    async def join(self, me: str, body: Body) -> Json:
        """Join a public channel."""
        channel = self.channel(me, body)
        if channel.is_archived:
            raise PersonError("is_archived", "This channel is archived.")
        if me not in channel.members:
            rooms.join(self._world, channel, me)
        return self._seen(channel, me)

    async def leave(self, me: str, body: Body) -> Json:
        """Leave a channel."""
        channel = self.channel(me, body)
        if channel.is_general:
            raise PersonError("cant_leave_general", "Nobody leaves #general.")
        if me in channel.members and not channel.is_direct:
            rooms.leave(self._world, channel, me)
        return self._seen(channel, me)

    async def invite(self, me: str, body: Body) -> Json:
        """Bring others, or the app, into a channel."""
        channel = self._writable(me, body)
        users = body.get("users")
        if not isinstance(users, list):
            raise PersonError("missing_field", "`users` is a list of user ids.")
        for user in map(str, users):
            found = self._world.users.get(user)
            if found is None or found["deleted"]:
                raise PersonError("user_not_found", "Nobody of this name works here.", 404)
            if user not in channel.members:
                rooms.join(self._world, channel, user, me)
        return self._seen(channel, me)

    async def create(self, me: str, body: Body) -> Json:
        """Make a channel."""
        private = bool(body.get("is_private"))
        name = _string(body, "name").strip().removeprefix("#")
        return self._seen(rooms.create(self._world, name, me, private=private), me)

    async def direct(self, me: str, body: Body) -> Json:
        """Open a direct message."""
        other = self._world.users.get(_string(body, "user"))
        if other is None:
            raise PersonError("user_not_found", "Nobody of this name works here.", 404)
        return self._seen(rooms.direct(self._world, me, other["id"]), me)

    async def archive(self, me: str, body: Body) -> Json:
        """Archive a channel, or open it again with `on` false."""
        channel = self.channel(me, body)
        if body.get("on", True) and not channel.is_archived:
            rooms.archive(self._world, channel, me)
        elif not body.get("on", True) and channel.is_archived:
            rooms.unarchive(self._world, channel, me)
        return self._seen(channel, me)

    # -- the app ----------------------------------------------------------------------------

    async def home(self, me: str) -> Json | None:
        """Open App Home, which the app hears of, and return what is published there.

        https://docs.slack.dev/reference/events/app_home_opened
        """
        world = self._world
        channel = rooms.direct(world, me, world.app.user_id)
        view = views.home(world, me)
        event: Json = {"type": "app_home_opened", "user": me, "channel": channel.id, "tab": "home"}
        if view is not None:
            event["view"] = views.public(view)
        events.emit(world, event)
        world.commit()
        self._courier.wake()
        return views.public(view) if view else None

    async def action(self, me: str, body: Body) -> Json:
        """Use a button or a menu."""
        value = body.get("value")
        if not isinstance(value, dict):
            raise PersonError("invalid_value", "`value` is an object such as {type: button}.")
        await self._desk.action(me, self._place(me, body), *_used(body), value)
        return {}

    async def options(self, me: str, body: Body) -> Json:
        """Ask for an external menu's options."""
        asked = str(body.get("value") or "")
        answer = await self._desk.options(me, self._place(me, body), *_used(body), asked)
        return {key: answer[key] for key in ("options", "option_groups") if key in answer} or {"options": []}

    def _place(self, me: str, body: Body) -> Json:
        if body.get("view_id"):
            return {"view_id": str(body["view_id"])}
        return {"channel": self.channel(me, body).id, "ts": str(body.get("ts"))}

    async def submit(self, me: str, body: Body) -> Json:
        """Submit a modal."""
        values = body.get("values")
        if not isinstance(values, dict):
            raise PersonError("invalid_value", "`values` is an object by block_id.")
        return await self._desk.submit(me, _string(body, "view_id"), values)

    async def close(self, me: str, body: Body) -> Json:
        """Dismiss a modal."""
        await self._desk.close(me, _string(body, "view_id"))
        return {}

    async def shortcut(self, me: str, body: Body) -> Json:
        """Use a shortcut, on a message if one is named."""
        channel = self.channel(me, body) if body.get("channel") else None
        callback = _string(body, "callback_id")
        await self._desk.shortcut(me, callback, channel, str(body.get("ts") or ""))
        return {}

    async def sample(self, me: str, body: Body) -> Json:
        """Send a sample alert to the bot."""
        settings = self._world.settings
        return await samples.send(self._http, settings, _string(body, "id"), _string(body, "action"))


def _string(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise PersonError("missing_field", f"`{name}` is missing.")
    return value


def _used(body: Body) -> tuple[str, str]:
    return _string(body, "block_id"), _string(body, "action_id")
