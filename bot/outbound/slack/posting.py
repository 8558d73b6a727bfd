"""Posting once: our effect's id travels in the message's metadata, and is looked for before a repeat."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.outbound.slack.client import Slack
from bot.outbound.slack.refusals import SlackRefusal
from bot.ports.delivery import Job, Placed
from bot.render.slack.message import Message

EVENT_TYPE: Final = "tocsin_effect"
LOOK_PAGES: Final = 3
CLOCKS_APART: Final = timedelta(minutes=1)
"""Our clock and Slack's may differ by this much."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Where the message is. `found`: an earlier attempt had posted it, perhaps with an older state."""

    channel: str
    ts: str
    found: bool


class Poster:
    """Posts a job's message, unless it is there already. `installation` tells two Tocsins in one workspace apart."""

    def __init__(self, slack: Slack, installation: str) -> None:
        self._slack = slack
        self._installation = installation

    async def post(self, job: Job, channel: str, message: Message) -> Posted:
        """Return the one message of this effect. Raises DeliveryError."""
        if job.first_at is not None:
            look_in = channel if channel[:1] not in "UW" else await self._direct(channel)
            if found := await self._find(look_in, job.id, job.first_at):
                return Posted(look_in, found[0], found=True)
        answer = await self._slack.call(
            "chat.postMessage",
            channel=channel,
            text=message.text,
            blocks=message.blocks or None,
            metadata={"event_type": EVENT_TYPE, "event_payload": self._payload(job.id)},
            unfurl_links=False,
            unfurl_media=False,
        )
        return Posted(str(answer["channel"]), str(answer["ts"]), found=False)

    def _payload(self, effect: str) -> dict[str, str]:
        return {"installation": self._installation, "effect": effect}

    async def _direct(self, user: str) -> str:
        """Return the id of our direct conversation with `user`: history is asked for by it only."""
        answer = await self._slack.call("conversations.open", users=user)
        return str(answer["channel"]["id"])

    async def tidy(self, job: Job, placed: Placed, lost: bool) -> list[Placed]:
        """Delete the copies of a job's message and return them; one is left, whoever looks.

        Who holds the claim keeps what it has placed or found, and the earliest is what is found. So who lost it may
        delete its own, unless that is the earliest.
        """
        found = await self._find(placed.channel, job.id, job.first_at or job.created_at)
        copies = [ts for ts in found[1:] if ts == placed.ts] if lost else [ts for ts in found if ts != placed.ts]
        for ts in copies:
            try:
                await self._slack.call("chat.delete", channel=placed.channel, ts=ts)
            except SlackRefusal as exc:
                if exc.code != "message_not_found":  # somebody else was faster
                    raise
        return [Placed(placed.channel, ts) for ts in copies]

    async def _find(self, channel: str, effect: str, since: datetime) -> list[str]:
        """Return the ts of the messages that carry this effect's id, the earliest first.

        conversations.history is newest first and goes back to the first attempt: three pages hold 600 messages.
        """
        oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
        pages = self._slack.pages(
            "conversations.history", LOOK_PAGES, channel=channel, oldest=oldest, include_all_metadata=True
        )
        found = [
            str(one["ts"]) async for page in pages for one in page.get("messages", []) if self._is_ours(one, effect)
        ]
        return sorted(found)

    def _is_ours(self, message: dict[str, Any], effect: str) -> bool:
        metadata = message.get("metadata") or {}
        return metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload") == self._payload(effect)
