"""Names, usergroups and the address of the workspace, in memory; fetched beside everything else, never in a request."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbound.slack.tasks import Tasks

log = structlog.get_logger()
FRESH_SECONDS: Final = 600.0
"""How long a usergroup's members are believed before they are fetched again."""
ASK_AGAIN_SECONDS: Final = 60.0
"""A name nobody has is looked for in Slack at most this often."""
PAGE: Final = 200  # https://docs.slack.dev/reference/methods/users.list recommends no more
_MESSAGE: Final = re.compile(r"slack:([A-Z0-9]+)/([0-9]+)\.([0-9]+)")


class SlackDirectory:
    """Answers from memory. A name it does not know starts a fetch, so that the next try finds a newcomer."""

    def __init__(
        self,
        client: AsyncWebClient,
        tasks: Tasks,
        usergroups: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._usergroups = tuple(usergroups)
        self._monotonic = monotonic
        self._by_word: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._url = ""
        self._asked_at = float("-inf")

    def find(self, word: str) -> str | None:
        """Return the person with that handle or display name, None if nobody has it or two do."""
        found = self._by_word.get(word.lstrip("@").lower())
        if found is None:
            self._fetch_if_older(ASK_AGAIN_SECONDS)
        return found or None

    def name(self, user: str) -> str | None:
        """Return the display name of `user`."""
        return self._names.get(user)

    def members(self, usergroup: str) -> frozenset[str]:
        """Return who is in `usergroup`; empty until it was fetched once."""
        self._fetch_if_older(ASK_AGAIN_SECONDS if usergroup not in self._members else FRESH_SECONDS)
        return self._members.get(usergroup, frozenset())

    def channel_link(self, channel: str) -> str:
        """Return the address of a channel; empty until the workspace's own is known."""
        if not self._url:
            self._fetch_if_older(ASK_AGAIN_SECONDS)
        return f"{self._url}archives/{channel}" if self._url else ""

    def message_link(self, place: str) -> str:
        """Return the address of the message at `slack:<channel>/<ts>`; empty for another place, or until it is known.

        The shape is that of https://docs.slack.dev/reference/methods/chat.getPermalink.
        """
        found = _MESSAGE.fullmatch(place)
        channel = self.channel_link(found[1]) if found else ""
        return f"{channel}/p{found[2]}{found[3]}" if found and channel else ""

    def _fetch_if_older(self, seconds: float) -> None:
        if self._monotonic() - self._asked_at >= seconds:
            self._asked_at = self._monotonic()
            self._tasks.start(self.fetch())

    async def fetch(self) -> None:
        """Fetch the workspace's address, people and usergroups. What fails stays as it was."""
        self._asked_at = self._monotonic()
        try:
            if not self._url:
                self._url = _base(await self._client.auth_test())
            await self._fetch_people()
            for group in self._usergroups:
                answer = await self._client.usergroups_users_list(usergroup=group)
                self._members[group] = frozenset(answer.get("users") or ())
        except (SlackClientError, aiohttp.ClientError, TimeoutError) as exc:
            log.info("could not fetch the directory", error=type(exc).__name__)

    async def _fetch_people(self) -> None:
        by_word: dict[str, str] = {}
        names: dict[str, str] = {}
        cursor = ""
        while True:
            answer = await self._client.users_list(limit=PAGE, cursor=cursor or None)
            for member in answer.get("members") or ():
                if not member.get("deleted") and not member.get("is_bot"):
                    _learn(member, by_word, names)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        self._by_word, self._names = by_word, names


def _base(answer: Any) -> str:
    """Return the workspace's address as https://docs.slack.dev/reference/methods/auth.test tells it, with its slash."""
    url = str(answer.get("url") or "")
    return url.rstrip("/") + "/" if url.startswith(("https://", "http://")) else ""


def _learn(member: Mapping[str, Any], by_word: dict[str, str], names: dict[str, str]) -> None:
    profile = member.get("profile") or {}
    user, handle, shown = str(member["id"]), str(member.get("name") or ""), str(profile.get("display_name") or "")
    names[user] = shown or handle
    for word in {handle.lower(), shown.lower()} - {""}:
        # A name that two people share means nobody: better to ask than to page the wrong one.
        by_word[word] = user if by_word.get(word, user) == user else ""
