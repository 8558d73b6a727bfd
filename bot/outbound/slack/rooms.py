"""The incident's channel: opened once, furnished, its people invited."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Final

from bot.domain.commands import RoomNamed, RoomOpened
from bot.domain.effects import Bookmark, Invite, NameRoom, OpenRoom, PinCard, RestoreRoom
from bot.domain.events import Posted, RoomCreated
from bot.domain.incident.state import Room
from bot.outbound.slack.client import Json, Slack, errors_by_user
from bot.outbound.slack.directory import Directory
from bot.outbound.slack.posting import CLOCKS_APART
from bot.outbound.slack.refusals import SlackRefusal
from bot.ports.delivery import DeliveryError, Done, Job, Look, Placed
from bot.render.slack import limits
from bot.render.slack.mrkdwn import plain
from bot.render.slack.renderer import Renderer

NAMES_TRIED: Final = 9
OWN_PAGES: Final = 20
CALL: Final = ("Join the call", ":telephone_receiver:")
"""Title and emoji of the bookmark that leads to where people talk."""
INVITED_AT_ONCE: Final = 100  # https://docs.slack.dev/reference/methods/conversations.invite
_SETTLED: Final = frozenset({"already_in_channel", "cant_invite_self"})
"""Refusals that mean: is there already."""
_SKIPPED: Final = frozenset(
    {"user_not_found", "user_disabled", "user_is_restricted", "org_user_not_in_team", "cant_invite", "ura_max_channels"}
    | {"invitee_cant_see_channel", "app_cannot_join_channel", "no_external_invite_permission"}
)
"""Refusals that concern one person; the others are invited all the same."""


def room_of(job: Job) -> Room:
    """Return the job's channel. Raises DeliveryError if there is none."""
    if job.state.room is None:
        raise DeliveryError(
            "the channel does not exist", permanent=True, mend="Open the channel first: press Try again."
        )
    return job.state.room


class Rooms:
    """Handlers of the channel's own effects."""

    def __init__(self, slack: Slack, directory: Directory, render: Renderer) -> None:
        self._slack = slack
        self._directory = directory
        self._render = render

    async def open(self, job: Job) -> Done:
        """Create the channel under its name, or under the first free one after it.

        On a repeat, a taken name may be our own work: a channel of that name, created by us since the first attempt.
        """
        effect = job.effect
        assert isinstance(effect, OpenRoom | RestoreRoom)
        mine: dict[str, str] | None = None
        for name in _names(effect.name):
            try:
                answer = await self._slack.call("conversations.create", name=name, is_private=effect.private)
            except SlackRefusal as exc:
                if exc.code != "name_taken":
                    raise
                if job.first_at is not None:
                    mine = await self._made_since(job.first_at, private=effect.private) if mine is None else mine
                    if name in mine:
                        return Done(RoomOpened(channel=mine[name], name=name), placed=Placed(mine[name], effect.name))
            else:
                made = answer["channel"]
                opened = RoomOpened(channel=made["id"], name=made.get("name", name))
                return Done(opened, placed=Placed(made["id"], effect.name))
        raise _all_taken("conversations.create", effect.name)

    async def where_opened(self, job: Job) -> Placed:
        """Return under which name an attempt at `job` may have left a channel."""
        effect = job.effect
        assert isinstance(effect, OpenRoom)
        return Placed("", effect.name)

    async def tidy_opened(self, look: Look) -> list[Placed]:
        """Archive a second channel of the same incident, which no app can delete.

        It can be made although the first one stands, when that has been renamed meanwhile and so has left its name
        free. A channel with a topic is in use, whatever it is called.
        """
        kept, names = look.placed.channel, _names(look.placed.ts)
        made = await self._made_by_us(look.since, "public_channel,private_channel")
        copies = [
            one["id"]
            for one in made
            if kept and one["id"] != kept and one["name"] in names and not one.get("is_archived") and not _topic_of(one)
        ]
        for channel in copies:
            try:
                await self._slack.call("conversations.archive", channel=channel)
            except SlackRefusal as exc:
                if exc.code != "already_archived":
                    raise
        return [Placed(channel, channel) for channel in copies]

    async def name(self, job: Job) -> Done:
        """Rename the channel, to the first free one of the names. One that is called so already stays."""
        effect, room = job.effect, room_of(job)
        assert isinstance(effect, NameRoom)
        for name in _names(effect.name):
            if name == room.name:
                return Done()
            try:
                answer = await self._slack.call("conversations.rename", channel=room.channel, name=name)
            except SlackRefusal as exc:
                if exc.code != "name_taken":
                    raise
                if job.first_at is not None and await self._is_called(room.channel, name):
                    return Done(RoomNamed(name))
            else:
                return Done(RoomNamed(str(answer["channel"].get("name") or name)))
        raise _all_taken("conversations.rename", effect.name)

    async def _is_called(self, channel: str, name: str) -> bool:
        answer = await self._slack.call("conversations.info", channel=channel)
        return bool(answer["channel"].get("name") == name)

    async def archive(self, job: Job) -> Done:
        """Put the channel away; put away already is fine."""
        try:
            await self._slack.call("conversations.archive", channel=room_of(job).channel)
        except SlackRefusal as exc:
            if exc.code != "already_archived":
                raise
        return Done()

    async def restore(self, job: Job) -> Done:
        """Take the channel out of the archive. Slack lets few apps do that: else the incident gets a new one.

        Bot tokens are refused: https://docs.slack.dev/reference/methods/conversations.unarchive ("bug alert").
        """
        room = room_of(job)
        try:
            await self._slack.call("conversations.unarchive", channel=room.channel)
        except SlackRefusal as exc:
            if exc.code == "not_archived":
                return Done(RoomOpened(room.channel, room.name))
            if not exc.permanent:
                raise
            return await self.open(job)
        return Done(RoomOpened(room.channel, room.name))

    async def _made_since(self, since: datetime, *, private: bool) -> dict[str, str]:
        """Return name → id of the channels that we created since then."""
        made = await self._made_by_us(since, "private_channel" if private else "public_channel")
        return {channel["name"]: channel["id"] for channel in made}

    async def _made_by_us(self, since: datetime, types: str) -> list[Json]:
        """Return the channels that we created since then."""
        me = await self._slack.me()
        earliest = (since - CLOCKS_APART).timestamp()
        return [
            channel
            async for page in self._slack.pages("users.conversations", OWN_PAGES, types=types)
            for channel in page.get("channels", [])
            if channel.get("creator") == me and channel.get("created", 0) >= earliest
        ]

    async def invite(self, job: Job) -> Done:
        """Invite everybody who is named; say who could not be, and never fail for one person."""
        effect = job.effect
        assert isinstance(effect, Invite)
        channel = room_of(job).channel
        wanted, missing = await self._directory.members(effect.users, effect.usergroups)
        refused: dict[str, str] = dict(missing)
        for start in range(0, len(wanted), INVITED_AT_ONCE):
            refused |= await self._invite(channel, wanted[start : start + INVITED_AT_ONCE])
        return Done(note={"channel": channel, "text": _not_invited(refused)}) if refused else Done()

    async def _invite(self, channel: str, people: Sequence[str]) -> dict[str, str]:
        """Invite `people` in one call, and return who was refused and why."""
        try:
            answer = await self._slack.call("conversations.invite", channel=channel, users=",".join(people), force=True)
        except SlackRefusal as exc:
            if exc.code not in _SKIPPED | _SETTLED:
                raise
            if len(people) == 1:
                return _real({people[0]: exc.code})
            if set(exc.errors) == set(people):
                return _real(exc.errors)
            # `force` did not help: one by one, so that one bad id does not keep the others out.
            alone: dict[str, str] = {}
            for person in people:
                alone |= await self._invite(channel, [person])
            return alone
        return _real(errors_by_user(answer))

    async def show_topic(self, job: Job) -> Done:
        """Set the topic to what the state says now. Each setting posts a notice, so look first, but in a new room.

        A takeover shows the state as it is by then: what waits behind it has nothing left to set.
        """
        channel, topic = room_of(job).channel, self._render.topic(job.state)
        if job.first_at or not isinstance(job.event.event, RoomCreated):
            answer = await self._slack.call("conversations.info", channel=channel)
            if unescape(answer["channel"].get("topic", {}).get("value", "")) == unescape(topic):
                return Done()
        await self._slack.call("conversations.setTopic", channel=channel, topic=topic)
        return Done()

    async def pin(self, job: Job) -> Done:
        """Pin the card; pinned already is fine."""
        effect = job.effect
        assert isinstance(effect, PinCard)
        try:
            await self._slack.call("pins.add", channel=effect.channel, timestamp=effect.ts)
        except SlackRefusal as exc:
            if exc.code != "already_pinned":
                raise
        return Done()

    async def bookmark(self, job: Job) -> Done:
        """Add a bookmark; on a repeat, look for its address first."""
        effect = job.effect
        assert isinstance(effect, Bookmark)
        channel = room_of(job).channel
        link = self._render.links.resolve(effect.link, job.state.number)
        if job.first_at is not None:
            answer = await self._slack.call("bookmarks.list", channel_id=channel)
            if _with_link(answer, link):
                return Done(placed=Placed(channel, link))
        await self._add_bookmark(channel, effect.title, link, effect.emoji)
        return Done(placed=Placed(channel, link))

    async def _add_bookmark(self, channel: str, title: str, link: str, emoji: str) -> None:
        title = plain(title, limits.BOOKMARK_TITLE)
        await self._slack.call("bookmarks.add", channel_id=channel, title=title, type="link", link=link, emoji=emoji)

    async def show_call(self, job: Job) -> Done:
        """Leave one bookmark that leads to the call, or none if there is no call. With a fresh card nothing stands yet.

        Ours are known by their title: Slack tells of a bookmark neither who made it nor what for. One that somebody
        gave another title is theirs.
        """
        channel, wanted = room_of(job).channel, job.state.call_url
        fresh = job.first_at is None and isinstance(job.event.event, Posted)
        answer: Json = {} if fresh else await self._slack.call("bookmarks.list", channel_id=channel)
        for old in answer.get("bookmarks", []):
            if old.get("title") == CALL[0] and unescape(str(old.get("link"))) != wanted:
                await self._remove_bookmark(channel, old["id"])
        if not wanted:
            return Done()
        if not _with_link(answer, wanted):
            await self._add_bookmark(channel, CALL[0], wanted, CALL[1])
        return Done(placed=Placed(channel, wanted))

    async def _remove_bookmark(self, channel: str, bookmark: str) -> None:
        """Remove it; gone already is fine. https://docs.slack.dev/reference/methods/bookmarks.remove"""
        try:
            await self._slack.call("bookmarks.remove", channel_id=channel, bookmark_id=bookmark)
        except SlackRefusal as exc:
            if exc.code != "not_found":
                raise

    async def tidy_bookmark(self, look: Look) -> list[Placed]:
        """Leave one bookmark of its address, the oldest, whoever looks."""
        placed = look.placed
        answer = await self._slack.call("bookmarks.list", channel_id=placed.channel)
        found = sorted(_with_link(answer, placed.ts), key=lambda one: (one.get("date_created", 0), one["id"]))
        for copy in found[1:]:
            await self._remove_bookmark(placed.channel, copy["id"])
        return [Placed(placed.channel, copy["id"]) for copy in found[1:]]

    async def where(self, job: Job) -> Placed:
        """Return where the bookmark of an attempt at `job` would be."""
        effect = job.effect
        assert isinstance(effect, Bookmark)
        return Placed(room_of(job).channel, self._render.links.resolve(effect.link, job.state.number))


def _topic_of(channel: Json) -> str:
    return str((channel.get("topic") or {}).get("value") or "")


def _names(name: str) -> list[str]:
    """Return the names to try, in order."""
    return [_suffixed(name, n) for n in range(1, NAMES_TRIED + 1)]


def _all_taken(method: str, name: str) -> DeliveryError:
    return DeliveryError(
        f"{method}: {name} and {NAMES_TRIED - 1} names after it are taken",
        permanent=True,
        mend="Change `channels.name` in tocsin.yaml so that names differ, then press Try again.",
    )


def _suffixed(name: str, n: int) -> str:
    suffix = f"-{n}" if n > 1 else ""
    return name[: limits.CHANNEL_NAME - len(suffix)].rstrip("-") + suffix


def _with_link(answer: Json, link: str) -> list[Json]:
    return [found for found in answer.get("bookmarks", []) if unescape(str(found.get("link"))) == link]


def _real(errors: Mapping[str, str]) -> dict[str, str]:
    return {person: code for person, code in errors.items() if code not in _SETTLED}


def _not_invited(refused: dict[str, str]) -> str:
    return "not invited: " + ", ".join(f"{who} ({why.replace('_', ' ')})" for who, why in refused.items())
