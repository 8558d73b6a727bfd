"""Posting once: our effect's id travels in the message's metadata, and is looked for before a repeat."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.outbound.slack.client import Slack
from bot.ports.delivery import Job
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
                return Posted(look_in, found, found=True)
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

    async def _find(self, channel: str, effect: str, since: datetime) -> str:
        """Return the ts of the message that carries this effect's id; empty if there is none.

        conversations.history is newest first and goes back to the first attempt: three pages hold 600 messages.
        """
        oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
        pages = self._slack.pages(
            "conversations.history", LOOK_PAGES, channel=channel, oldest=oldest, include_all_metadata=True
        )
        async for page in pages:
            for found in page.get("messages", []):
                if self._is_ours(found, effect):
                    return str(found["ts"])
        return ""

    def _is_ours(self, message: dict[str, Any], effect: str) -> bool:
        metadata = message.get("metadata") or {}
        return metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload") == self._payload(effect)
