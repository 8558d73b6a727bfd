"""`@Tocsin …`: the same grammar, wherever the bot is. https://docs.slack.dev/reference/events/app_mention"""

import re
from functools import partial

from bot.domain.people import is_person
from bot.inbound.slack.commands import SLACK
from bot.inbound.slack.counter import Body, Counter, Heard, Said
from bot.inbound.slack.origins import our_users
from bot.render.slack import replies
from bot.render.slack.message import Message
from bot.usecases.desk import Form

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


async def mention(counter: Counter, body: Body) -> None:
    """Do what was said to the bot. There is no trigger here, so a form is offered by a button."""
    event = body["event"]
    channel, user = str(event.get("channel", "")), str(event.get("user", ""))
    if not is_person(user) or event.get("bot_id") or event.get("edited"):
        return  # other bots may not command us, and an edit is not said again
    tell = partial(counter.whisper, channel, user, thread_ts=event.get("thread_ts"))
    heard = Heard("mention")
    said = await counter.settle(heard, _do(counter, body, heard), tell)
    if isinstance(said, Message):
        counter.tasks.start(tell(said))


async def _do(counter: Counter, body: Body, heard: Heard) -> Said:
    event = body["event"]
    text = spoken(str(event.get("text", "")), our_users(body))
    request = counter.request(str(event.get("user", "")), body.get("event_id"), "mention")
    asked = counter.desk.read(text, request, SLACK)
    heard.verb = asked.verb.name
    outcome = await counter.desk.do(asked, request, await counter.rooms.incident(str(event.get("channel", ""))))
    if isinstance(outcome, Form):
        return replies.offer(outcome.name, outcome.state.number if outcome.state else None)
    return counter.message(outcome)


def spoken(text: str, ours: frozenset[str]) -> str:
    """Return what was said to us: what follows our mention, else what stands before it."""
    found = [match for match in _MENTION.finditer(text) if not ours or match[1] in ours]
    if not found:
        return text
    after = text[found[0].end() :].lstrip(" ,:\u00a0")
    return after if after.strip() else text[: found[0].start()].strip()
