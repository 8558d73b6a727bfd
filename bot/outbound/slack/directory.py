"""Who and where in the workspace: members of usergroups, channels by name. Kept for a while; asked for when needed."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from bot.outbound.slack.client import Slack
from bot.outbound.slack.refusals import SlackRefusal
from bot.ports.delivery import DeliveryError

KEPT: Final = 300.0
"""Seconds for which a usergroup's members are remembered."""
CHANNEL_PAGES: Final = 50
_KINDS: Final = "public_channel,private_channel"


class Directory:
    """Looks up what the configuration only names. `clock` counts seconds."""

    def __init__(self, slack: Slack, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._clock = clock
        self._groups: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._channels: dict[str, str] = {}

    async def members(self, users: Iterable[str], groups: Iterable[str]) -> tuple[list[str], dict[str, str]]:
        """Return everyone named, each once, in order; and the groups that could not be read, with Slack's reason."""
        asked = list(dict.fromkeys(groups))
        answers = await asyncio.gather(*(self._members_of(group) for group in asked), return_exceptions=True)
        found = dict.fromkeys(users)
        missing: dict[str, str] = {}
        for group, answer in zip(asked, answers, strict=True):
            if isinstance(answer, SlackRefusal) and answer.permanent:
                missing[group] = answer.code
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found |= dict.fromkeys(answer)
        return list(found), missing

    async def _members_of(self, group: str) -> tuple[str, ...]:
        at, known = self._groups.get(group, (0.0, ()))
        if group in self._groups and self._clock() - at < KEPT:
            return known
        answer = await self._slack.call("usergroups.users.list", usergroup=group)
        members = tuple(str(user) for user in answer.get("users", []))
        self._groups[group] = (self._clock(), members)
        return members

    async def channel(self, name: str) -> str:
        """Return the id of the channel called `name` (or of that id), having joined it if need be.

        Our own channels are looked through first: a workspace may have tens of thousands of others. Raises
        DeliveryError if there is none that we can see.
        """
        name = name.removeprefix("#")
        if name not in self._channels:
            self._channels[name] = await self._look_for(name)
        return self._channels[name]

    def forget(self, name: str) -> None:
        """Look the channel up anew next time: it was renamed, deleted or left."""
        self._channels.pop(name.removeprefix("#"), None)

    async def _look_for(self, name: str) -> str:
        for method in ("users.conversations", "conversations.list"):
            pages = self._slack.pages(method, CHANNEL_PAGES, types=_KINDS, exclude_archived=True)
            async for page in pages:
                for found in page.get("channels", []):
                    if name in (found.get("name"), found.get("id")):
                        if method == "conversations.list" and not found.get("is_member"):
                            await self._slack.call("conversations.join", channel=found["id"])
                        return str(found["id"])
        raise DeliveryError(
            f"there is no channel #{name} that Tocsin can see",
            permanent=True,
            mend=f"Create #{name} (if it is private, invite @Tocsin), or set `channels.announce`; then press Retry.",
        )
