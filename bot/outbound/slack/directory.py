"""Who and where in the workspace: members of usergroups, channels by name. Kept for a while; asked for when needed."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from bot.outbound.slack.client import Slack
from bot.outbound.slack.refusals import SlackRefusal
from bot.ports.delivery import DeliveryError

KEPT: Final = 300.0
"""Seconds for which a usergroup's members are remembered."""
CHANNEL_PAGES: Final = 50
T = TypeVar("T")
_KINDS: Final = "public_channel,private_channel"


class Directory:
    """Looks up what the configuration only names. `clock` counts seconds."""

    def __init__(self, slack: Slack, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._clock = clock
        self._groups: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._channels: dict[str, str] = {}
        self._asked: dict[str, asyncio.Task[Any]] = {}
        """Questions under way: who asks the same meanwhile gets the same answer."""

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

    async def by_email(self, email: str) -> str | None:
        """Return the Slack id of whoever has that e-mail; None if nobody active has it. Raises DeliveryError.

        https://docs.slack.dev/reference/methods/users.lookupByEmail
        """
        try:
            answer = await self._slack.call("users.lookupByEmail", email=email)
        except SlackRefusal as exc:
            if exc.code == "users_not_found":
                return None
            raise
        return str(answer["user"]["id"])

    async def _members_of(self, group: str) -> tuple[str, ...]:
        at, known = self._groups.get(group, (0.0, ()))
        if group in self._groups and self._clock() - at < KEPT:
            return known
        return await self._once(f"group {group}", lambda: self._fetch_members(group))

    async def _fetch_members(self, group: str) -> tuple[str, ...]:
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
            self._channels[name] = await self._once(f"channel {name}", lambda: self._look_for(name))
        return self._channels[name]

    def forget(self, name: str) -> None:
        """Look the channel up anew next time: it was renamed, deleted or left."""
        self._channels.pop(name.removeprefix("#"), None)

    async def _once(self, what: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Twenty incidents at once ask Slack once. Whoever stops waiting does not stop it for the others."""
        asked = self._asked.get(what)
        if asked is None:
            asked = self._asked[what] = asyncio.create_task(ask(), name=what)
            asked.add_done_callback(partial(self._answered, what))
        answer: T = await asyncio.shield(asked)
        return answer

    def _answered(self, what: str, asked: asyncio.Task[Any]) -> None:
        del self._asked[what]
        if not asked.cancelled():
            asked.exception()  # perhaps everybody who waited for it went away

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
            mend=f"Create #{name} (invite @Tocsin if it is private), or set `channels.announce`; then press Try again.",
        )
