"""Posting once: our effect's id travels in the message's metadata, and is looked for before a repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.outbound.slack.client import Slack
from bot.outbound.slack.refusals import SlackRefusal
from bot.ports.delivery import Job, Look, Placed
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
            look_in = await self.conversation(channel)
            if ts := (await self.standing(look_in, job.first_at)).get(job.id):
                return Posted(look_in, ts, found=True)
        return await self.send(channel, message, [job.id], job.token)

    async def send(self, channel: str, message: Message, effects: Sequence[str], claim: str) -> Posted:
        """Post `message`, which carries `effects` out: the first is its own, the others are folded into it.

        `claim` tells this attempt from others, should its answer be lost.
        """
        payload = {"installation": self._installation, "effect": effects[0], "claim": claim}
        if effects[1:]:
            payload["folded"] = " ".join(effects[1:])
        answer = await self._slack.call(
            "chat.postMessage",
            channel=channel,
            text=message.text,
            blocks=message.blocks or None,
            metadata={"event_type": EVENT_TYPE, "event_payload": payload},
            unfurl_links=False,
            unfurl_media=False,
        )
        return Posted(str(answer["channel"]), str(answer["ts"]), found=False)

    async def standing(self, channel: str, since: datetime) -> dict[str, str]:
        """Return effect → ts of its (earliest) message, for each of our effects that was carried out since then."""
        found: dict[str, str] = {}
        for ts, payload in sorted(await self._ours(channel, since), key=lambda one: one[0]):
            for effect in (payload["effect"], *payload.get("folded", "").split()):
                found.setdefault(effect, ts)
        return found

    async def conversation(self, channel: str) -> str:
        """Return `channel`, or our direct conversation with the person of that id: history is asked for by it only."""
        return channel if channel[:1] not in "UW" else await self._direct(channel)

    async def _direct(self, user: str) -> str:
        answer = await self._slack.call("conversations.open", users=user)
        return str(answer["channel"]["id"])

    async def tidy(self, look: Look) -> list[Placed]:
        """Delete the copies of an effect's message and return them; one is left, whoever looks.

        Who holds the claim keeps what it has placed or found, and the earliest is what is found. So who lost it may
        delete its own, unless that is the earliest.
        """
        placed = look.placed
        found = await self._find(placed.channel, look.effect, look.since)
        if look.lost:
            own = (ts for ts, claim in found[1:] if ts == placed.ts or (placed.claim and claim == placed.claim))
            copies = list(own)
        else:
            copies = [ts for ts, _ in found if ts != placed.ts]
        for ts in copies:
            try:
                await self._slack.call("chat.delete", channel=placed.channel, ts=ts)
            except SlackRefusal as exc:
                if exc.code != "message_not_found":  # somebody else was faster
                    raise
        return [Placed(placed.channel, ts) for ts in copies]

    async def _find(self, channel: str, effect: str, since: datetime) -> list[tuple[str, str]]:
        """Return ts and claim of the messages that are this effect's own, the earliest first."""
        ours = await self._ours(channel, since)
        return sorted((ts, payload.get("claim", "")) for ts, payload in ours if payload["effect"] == effect)

    async def _ours(self, channel: str, since: datetime) -> list[tuple[str, dict[str, str]]]:
        """Return ts and metadata of our messages: anybody may write our metadata under words of their own.

        conversations.history is newest first and goes back to the first attempt: three pages hold 600 messages.
        """
        oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
        pages = self._slack.pages(
            "conversations.history", LOOK_PAGES, channel=channel, oldest=oldest, include_all_metadata=True
        )
        me, found = await self._slack.me(), []
        async for page in pages:
            for one in page.get("messages", []):
                metadata: dict[str, Any] = one.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                ours = metadata.get("event_type") == EVENT_TYPE and payload.get("installation") == self._installation
                if ours and one.get("user") == me:
                    found.append((str(one["ts"]), payload))
        return found
