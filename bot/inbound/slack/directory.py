"""Names, usergroups and the address of the workspace, in memory; fetched beside everything else, never in a request."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbound.slack.errors import FAILED, code_of, name_of
from bot.inbound.slack.tasks import Tasks

log = structlog.get_logger()
FRESH_SECONDS: Final = 300.0
"""How long a usergroup's members are believed before they are fetched again; Slack tells of changes, when it can."""
GONE: Final = frozenset({"no_such_subteam"})
"""https://docs.slack.dev/reference/methods/usergroups.users.list#errors"""
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
        self._gone: frozenset[str] = frozenset()
        self._members: dict[str, frozenset[str]] = {}
        self._url = ""
        self._asked_at = float("-inf")
        self.on_people: list[Callable[[frozenset[str]], None]] = []
        """Told the ids of deactivated people and of bots, each time the people were fetched."""

    def find(self, word: str) -> str | None:
        """Return the person with that handle, e-mail or id, None if nobody has it.

        Never by display name: everybody may give themselves any. The id of a bot, or of somebody who left, is found as
        well: who asks for one is told why it will not do.
        """
        known = word in self._names or word in self._gone
        found = word if known else self._by_word.get(word.lstrip("@").lower())
        if found is None:
            self._fetch_if_older(ASK_AGAIN_SECONDS)
        return found

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
            await self.fetch_usergroups()
        except FAILED as exc:
            log.info("could not fetch the directory", error=name_of(exc))

    def refresh(self) -> None:
        """Somebody came into a usergroup or left it: learn it now."""
        self._tasks.start(self.fetch_usergroups())

    async def fetch_usergroups(self) -> None:
        """Fetch who is in which usergroup. One that Slack does not know holds nobody; else what fails stays as it was.

        While Slack is away the last known members keep their rights: an outage is when they are needed.
        """
        for group in self._usergroups:
            try:
                answer = await self._client.usergroups_users_list(usergroup=group)
            except FAILED as exc:
                if code_of(exc) in GONE:
                    self._members[group] = frozenset()
                log.warning("a usergroup's members are not known", usergroup=group, error=name_of(exc))
            else:
                self._members[group] = frozenset(answer.get("users") or ())

    async def _fetch_people(self) -> None:
        by_word: dict[str, str] = {}
        names: dict[str, str] = {}
        gone: set[str] = set()
        cursor = ""
        while True:
            answer = await self._client.users_list(limit=PAGE, cursor=cursor or None)
            for member in answer.get("members") or ():
                if not member.get("deleted") and not member.get("is_bot"):
                    _learn(member, by_word, names)
                else:
                    gone.add(str(member.get("id")))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        self._by_word, self._names, self._gone = by_word, names, frozenset(gone)
        for told in self.on_people:
            told(self._gone)


def _base(answer: Any) -> str:
    """Return the workspace's address as https://docs.slack.dev/reference/methods/auth.test tells it, with its slash."""
    url = str(answer.get("url") or "")
    return url.rstrip("/") + "/" if url.startswith(("https://", "http://")) else ""


def _learn(member: Mapping[str, Any], by_word: dict[str, str], names: dict[str, str]) -> None:
    profile = member.get("profile") or {}
    user, handle, shown = str(member["id"]), str(member.get("name") or ""), str(profile.get("display_name") or "")
    names[user] = shown or handle
    # A handle is unique in its workspace, and so is an e-mail (which is there only with `users:read.email`).
    for word in {handle.lower(), str(profile.get("email") or "").lower()} - {""}:
        by_word[word] = user
