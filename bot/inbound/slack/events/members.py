"""Who came and who left: https://docs.slack.dev/reference/events/member_joined_channel"""

from typing import Literal

from bot.domain.record import Observation
from bot.inbound.slack.counter import Body, Counter
from bot.inbound.slack.events.recording import record
from bot.inbound.slack.origins import author, is_ours, moment


async def joined(counter: Counter, body: Body) -> None:
    await _moved(counter, body, "joined")


async def left(counter: Counter, body: Body) -> None:
    await _moved(counter, body, "left")


async def _moved(counter: Counter, body: Body, kind: Literal["joined", "left"]) -> None:
    event = body["event"]
    if is_ours(body, event):
        return
    channel, user, when = (str(event.get(key) or "") for key in ("channel", "user", "event_ts"))
    seen = Observation(kind=kind, key=f"{channel}:{kind}:{user}:{when}", channel=channel, user=user)
    await record(counter, moment(when), author(event), seen)
