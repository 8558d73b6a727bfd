"""Reactions and pins: https://docs.slack.dev/reference/events/reaction_added, …/pin_added"""

from typing import Literal

from bot.domain.record import Observation
from bot.inbound.slack.counter import Body, Counter
from bot.inbound.slack.events.recording import record
from bot.inbound.slack.origins import author, is_ours, moment


async def reacted(counter: Counter, body: Body) -> None:
    await _reaction(counter, body, "reaction")


async def unreacted(counter: Counter, body: Body) -> None:
    await _reaction(counter, body, "unreaction")


async def pinned(counter: Counter, body: Body) -> None:
    await _pin(counter, body, "pinned")


async def unpinned(counter: Counter, body: Body) -> None:
    await _pin(counter, body, "unpinned")


async def _reaction(counter: Counter, body: Body, kind: Literal["reaction", "unreaction"]) -> None:
    event = body["event"]
    item = event.get("item") or {}
    channel, ts, user = str(item.get("channel") or ""), str(item.get("ts") or ""), str(event.get("user") or "")
    if is_ours(body, event) or not channel or not ts:
        return  # on a file, from the days when those could be reacted to
    name, when = str(event.get("reaction") or ""), str(event.get("event_ts") or "")
    seen = Observation(
        kind=kind, key=f"{channel}:{ts}:{kind}:{name}:{user}:{when}", channel=channel, ts=ts, user=user, name=name
    )
    await record(counter, moment(when), author(event), seen)


async def _pin(counter: Counter, body: Body, kind: Literal["pinned", "unpinned"]) -> None:
    event = body["event"]
    item = event.get("item") or {}
    about = item.get("message") or {}
    channel, ts = str(event.get("channel_id") or item.get("channel") or ""), str(about.get("ts") or "")
    if is_ours(body, event):
        return
    when = str(event.get("event_ts") or "")
    seen = Observation(
        kind=kind, key=f"{channel}:{ts}:{kind}:{when}", channel=channel, ts=ts, user=str(event.get("user") or "")
    )
    await record(counter, moment(when), author(event), seen)
