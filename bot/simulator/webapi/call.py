"""One call of a Web API method: its arguments, checked, and what it may touch."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from bot.simulator.channel import Channel
from bot.simulator.errors import SlackError
from bot.simulator.events import FAMILY, granted
from bot.simulator.socket_mode import Links
from bot.simulator.store import Json
from bot.simulator.world import World

T = TypeVar("T")
TRUE, FALSE = (True, 1, "1", "true", "True"), (False, 0, "0", "false", "False", "", None)


@dataclass(frozen=True)
class Method:
    """One method: who answers, its arguments, the scopes of which one is needed, its tier."""

    handler: Callable[[Call], Json]
    required: str = ""
    optional: str = ""
    scopes: str = ""
    tier: str = "t3"
    caller: Literal["bot", "app", "anyone"] = "bot"

    @property
    def arguments(self) -> frozenset[str]:
        """All arguments that the method takes, besides token and team_id."""
        return frozenset(self.required.split()) | frozenset(self.optional.split())

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises SlackError invalid_arguments for what is missing or unknown."""
        missing = [name for name in self.required.split() if arguments.get(name) in (None, "")]
        unknown = sorted(set(arguments) - self.arguments - {"token", "team_id"})
        faults = [f"[ERROR] missing required field: {name}" for name in missing]
        faults += [f"[ERROR] unknown argument: {name}" for name in unknown]
        if faults:
            raise SlackError("invalid_arguments", faults)


@dataclass(frozen=True)
class Call:
    """The arguments of one call, and the workspace it is made in."""

    world: World
    links: Links
    method: Method
    arguments: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)

    @property
    def me(self) -> str:
        """The app's own user id."""
        return self.world.app.user_id

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as text."""
        value = self.arguments.get(name)
        if value is None:
            return default
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ",".join(value)
        if isinstance(value, dict | list | bool):
            raise SlackError("invalid_arguments", [f"[ERROR] must be a string: {name}"])
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return an argument as yes or no."""
        value = self.arguments.get(name, default)
        if value in TRUE:
            return True
        if value in FALSE:
            return False
        raise SlackError("invalid_arguments", [f"[ERROR] must be a boolean: {name}"])

    def number(self, name: str, default: int, most: int) -> int:
        """Return an argument as a number from 1 to `most`. Raises SlackError invalid_limit."""
        try:
            value = int(self.arguments.get(name) or default)
        except (TypeError, ValueError):
            raise SlackError("invalid_limit") from None
        if value < 1:
            raise SlackError("invalid_limit")
        return min(value, most)

    def data(self, name: str, refusal: str = "invalid_arguments") -> Any:
        """Return an argument that is JSON, in a form as text or in a JSON body as it is."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(refusal, [f"[ERROR] invalid JSON: {name}"]) from None

    def names(self, name: str) -> list[str]:
        """Return a list of ids, given with commas or as a list."""
        return [part for part in self.text(name).replace(" ", "").split(",") if part]

    # -- what the app may touch -------------------------------------------------------------

    def need(self, *scopes: str) -> None:
        """Refuse the call if the app has none of the scopes. Raises SlackError missing_scope."""
        have = granted(self.world)
        if scopes and not have & set(scopes):
            needed, provided = ",".join(scopes), ",".join(sorted(have))
            raise SlackError("missing_scope", needed=needed, provided=provided)

    def need_for(self, kind: str) -> None:
        """Ask for the method's scope for one kind of channel."""
        scopes = self.method.scopes.split()
        family = FAMILY.get(kind, "channels") + ":"  # type: ignore[call-overload]
        fitting = [scope for scope in scopes if scope.startswith(family)]
        self.need(*(fitting or scopes))

    def channel(self, name: str = "channel", *, member: bool = False) -> Channel:
        """Return the channel named by an argument, if the app may know of it.

        Raises SlackError channel_not_found, missing_scope, and not_in_channel for `member`.
        """
        channel = self.world.channels.get(self.text(name))
        if channel is None or not self.world.may_see(channel, self.me):
            raise SlackError("channel_not_found")
        if "channels:" in self.method.scopes:
            self.need_for(channel.kind)
        if member and self.me not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "ts") -> Json:
        """Return a message of a channel. Raises SlackError message_not_found."""
        message = self.world.messages.get(channel.id, {}).get(self.text(name))
        if message is None:
            raise SlackError("message_not_found")
        return message

    def user(self, user: str, refusal: str = "user_not_found") -> Json:
        """Return a user."""
        found = self.world.users.get(user)
        if found is None:
            raise SlackError(refusal)
        return found

    def page(self, entries: Sequence[T], default: int, most: int) -> tuple[list[T], Json]:
        """Return one page and the cursor's metadata. Raises SlackError invalid_cursor."""
        limit = self.number("limit", default, most)
        start = 0
        if cursor := self.text("cursor"):
            try:
                start = int(base64.b64decode(cursor, validate=True).removeprefix(b"next:"))
            except (binascii.Error, ValueError):
                raise SlackError("invalid_cursor") from None
        after = start + limit
        token = base64.b64encode(b"next:%d" % after).decode() if after < len(entries) else ""
        return list(entries[start:after]), {"response_metadata": {"next_cursor": token}}
