"""Reactions and pins: https://docs.slack.dev/reference/events/reaction_added, …/pin_added"""

from typing import Literal

from bot.domain import commands as c
from bot.domain.incident.alerting import owes_answer
from bot.domain.record import Kind, Observation
from bot.inbound.slack.counter import Body, Counter, Heard, Said
from bot.inbound.slack.events.recording import record
from bot.inbound.slack.origins import author, is_ours, moment
from bot.render.slack.message import Message
from bot.usecases.queries import Viewer


async def reacted(counter: Counter, body: Body) -> None:
    await _reaction(counter, body, "reaction")


async def unreacted(counter: Counter, body: Body) -> None:
    await _reaction(counter, body, "unreaction")


async def pinned(counter: Counter, body: Body) -> None:
    await _pin(counter, body, "pinned")


async def unpinned(counter: Counter, body: Body) -> None:
    await _pin(counter, body, "unpinned")


async def _reaction(counter: Counter, body: Body, kind: Literal["reaction", "unreaction"]) -> None:
    """Some emojis mean something: see `reactions` in the configuration."""
    event = body["event"]
    item = event.get("item") or {}
    channel, ts, user = str(item.get("channel") or ""), str(item.get("ts") or ""), str(event.get("user") or "")
    if is_ours(body, event) or not channel or not ts:
        return  # on a file, from the days when those could be reacted to
    name, when = str(event.get("reaction") or ""), str(event.get("event_ts") or "")
    what: Kind = kind
    if name in counter.policy.reactions.pin:
        what = "pinned" if kind == "reaction" else "unpinned"
    seen = Observation(
        kind=what, key=f"{channel}:{ts}:{kind}:{name}:{user}:{when}", channel=channel, ts=ts, user=user, name=name
    )
    number = await record(counter, moment(when), author(event), seen)
    if number is None or kind != "reaction":
        return
    counter.tasks.start(_answer_call(counter, body, number, user))
    if name in counter.policy.reactions.update:
        counter.tasks.start(_say_as_update(counter, body, number, channel, ts, user))


async def _answer_call(counter: Counter, body: Body, number: int, user: str) -> None:
    """Whoever was called and reacts to anything in the channel has seen it."""
    state = await counter.desk.queries.state(Viewer(user, room=number), number)
    if state.is_active and owes_answer(state, user):
        await counter.desk.grant(
            c.Attend("reacted"), counter.request(user, body.get("event_id"), "reaction"), number, number
        )


async def _say_as_update(counter: Counter, body: Body, number: int, channel: str, ts: str, user: str) -> None:
    """Post what the message says as an internal update of whoever reacted; refusals go to them only."""
    entries = [entry.observation for entry in await counter.reader.entries(number)]
    texts = [seen.text for seen in entries if seen.ts == ts and seen.kind in ("message", "edited")]
    if not texts or not texts[-1].strip():
        return  # one of ours, or one that we have never seen

    async def post() -> Said:
        request = counter.request(user, body.get("event_id"), "reaction")
        await counter.desk.grant(c.PostUpdate(texts[-1]), request, number, number)
        return None

    async def tell(said: Message) -> None:
        await counter.whisper(channel, user, said)

    said = await counter.settle(Heard("action", "update"), post(), tell)
    if isinstance(said, Message):
        await tell(said)


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
