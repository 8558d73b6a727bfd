"""Who came and who left: https://docs.slack.dev/reference/events/member_joined_channel"""

from datetime import datetime, timedelta
from typing import Final, Literal

from bot.domain import commands as c
from bot.domain.incident.alerting import owes_answer
from bot.domain.people import is_person
from bot.domain.record import Observation
from bot.domain.verbs import Query
from bot.inbound.slack.counter import Body, Counter
from bot.inbound.slack.events.recording import record
from bot.inbound.slack.origins import author, is_ours, moment, our_users
from bot.render.slack.message import Message
from bot.usecases.queries import Viewer

LATE_AFTER: Final = timedelta(minutes=2)
"""Whoever joins so long after the declaration is told what happened; those invited at once have the card."""


async def joined(counter: Counter, body: Body) -> None:
    """Record it; to whoever joins late, show the short story, once and to them only, also when it is over."""
    number = await _moved(counter, body, "joined")
    event = body["event"]
    user, at = str(event.get("user") or ""), moment(event.get("event_ts"))
    if number is not None and at is not None and is_person(user):
        counter.tasks.start(_catch_up(counter, number, str(event.get("channel") or ""), user, at))
        if str(event.get("inviter") or "") not in our_users(body):
            await _attend(counter, body, number, user)


async def left(counter: Counter, body: Body) -> None:
    await _moved(counter, body, "left")


async def regrouped(counter: Counter, body: Body) -> None:
    """Permissions follow usergroups: https://docs.slack.dev/reference/events/subteam_members_changed"""
    counter.desk.directory.refresh()


async def _moved(counter: Counter, body: Body, kind: Literal["joined", "left"]) -> int | None:
    event = body["event"]
    if is_ours(body, event):
        return None
    channel, user, when = (str(event.get(key) or "") for key in ("channel", "user", "event_ts"))
    await _seat(counter, body, channel, c.Enter(user) if kind == "joined" else c.Leave(user))
    seen = Observation(kind=kind, key=f"{channel}:{kind}:{user}:{when}", channel=channel, user=user)
    return await record(counter, moment(when), author(event), seen)


async def _seat(counter: Counter, body: Body, channel: str, command: c.Enter | c.Leave) -> None:
    """Who sees a private incident follows from who is in its channel."""
    number = await counter.rooms.incident(channel)
    state = await counter.reader.incident(number) if number is not None else None
    if number is not None and state is not None and state.private:
        await counter.desk.grant(
            command, counter.request("tocsin", f"{body.get('event_id')}:seat", "event"), number, number
        )


async def _attend(counter: Counter, body: Body, number: int, user: str) -> None:
    """Whoever comes by themselves looks after it: it does not end by itself, and whoever was called has answered."""
    state = await counter.desk.queries.state(Viewer(user, room=number), number)
    alone = state.when_alerts_end == "resolve" and not state.touched
    if state.is_active and (alone or owes_answer(state, user)):
        await counter.desk.grant(c.Attend(), counter.request(user, body.get("event_id"), "event"), number, number)


async def _catch_up(counter: Counter, number: int, channel: str, user: str, at: datetime) -> None:
    state = await counter.desk.queries.state(Viewer(user, room=number), number)
    if at - state.declared_at < LATE_AFTER:
        return
    said = counter.message(
        await counter.desk.grant(Query("catchup"), counter.request(user, "", "event"), number, number)
    )
    if isinstance(said, Message):
        await counter.whisper(channel, user, said)
