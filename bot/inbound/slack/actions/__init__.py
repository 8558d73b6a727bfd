"""Buttons and menus: action id (what stands before its first colon) → handler.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bot.domain.refusals import OldControl
from bot.inbound.slack.actions import incident, public, runbook
from bot.inbound.slack.actions.click import Click, channel_of, chosen
from bot.inbound.slack.counter import Ack, Body, Counter, Heard, Said
from bot.render.slack import ids, views
from bot.render.slack.message import Message
from bot.usecases.desk import Form

ACTIONS: Final[Mapping[str, Callable[[Counter, Click], Awaitable[Said]]]] = {
    ids.ACCEPT_HANDOFF: incident.accept_handoff,
    ids.ACK: incident.acknowledge,
    ids.ASK: incident.ask,
    ids.DECLARE: incident.declare,
    ids.DRAFT_APPROVE: public.approve,
    ids.DRAFT_DISCARD: public.discard,
    ids.DRAFT_EDIT: public.edit,
    ids.DRAFT_PUBLISH: public.publish,
    ids.JOIN: incident.join,
    ids.LEAD: incident.lead,
    ids.POSTMORTEM: incident.postmortem,
    ids.PUBLIC: incident.public,
    ids.RESOLVE: incident.resolve,
    ids.RETRY: incident.retry,
    ids.RUNBOOK: incident.runbook,
    ids.SEVERITY: incident.severity,
    ids.STATUS: incident.status,
    ids.STEP: runbook.step,
    ids.STEPS_PAGE: runbook.page,
    ids.TITLE: incident.title,
    ids.UNDO: incident.undo,
    ids.UPDATE: incident.update,
}


async def act(counter: Counter, body: Body) -> Ack:
    """Do what the control says, acknowledge; whatever is to be said goes to the asker only."""
    actions = body.get("actions") or [{}]
    action: Mapping[str, Any] = actions[0]
    name = str(action.get("action_id", "")).partition(":")[0]
    url, user, channel = (
        str(body.get("response_url") or ""),
        str((body.get("user") or {}).get("id", "")),
        channel_of(body),
    )
    if name == ids.LINK or action.get("url") or body.get("view"):
        return {}  # links open by themselves; inputs of a form come with its submission

    async def tell(said: Message) -> None:
        if url:
            await counter.respond(url, said)
        elif channel:
            await counter.whisper(channel, user, said)

    heard = Heard("action", name) if name in ACTIONS else Heard("action")
    said = await counter.settle(heard, _do(counter, body, action, name), tell)
    if isinstance(said, Message):
        counter.tasks.start(tell(said))
    return {}


async def _do(counter: Counter, body: Body, action: Mapping[str, Any], name: str) -> Said:
    handler = ACTIONS.get(name)
    if handler is None:
        raise OldControl
    channel, trigger = channel_of(body), str(body.get("trigger_id", ""))
    click = Click(
        request=counter.request(str((body.get("user") or {}).get("id", "")), trigger),
        action_id=str(action.get("action_id", "")),
        block_id=str(action.get("block_id", "")),
        value=chosen(action),
        channel=channel,
        trigger_id=trigger,
        response_url=str(body.get("response_url") or ""),
        where=await counter.rooms.incident(channel),
    )
    said = await handler(counter, click)
    if not isinstance(said, Form):
        return said
    number = said.state.number if said.state else None
    title = incident.prefilled(click) if name == ids.DECLARE else ""
    return await counter.open_form(said, trigger, views.metadata(number, click.response_url, channel), title)
