"""Buttons and menus: action id (what stands before its first colon) → handler.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bot.domain.refusals import OldControl
from bot.inbound.slack.actions import incident, more, public, runbook, triage
from bot.inbound.slack.actions.click import Click, channel_of, chosen, used
from bot.inbound.slack.counter import Ack, Body, Counter, Heard, Said
from bot.inbound.slack.keeping import remembered
from bot.inbound.slack.origins import asker, part
from bot.render.slack import ids, views, windows
from bot.render.slack.message import Message
from bot.usecases.desk import Form

ACTIONS: Final[Mapping[str, Callable[[Counter, Click], Awaitable[Said]]]] = {
    ids.ACCEPT_HANDOFF: incident.accept_handoff,
    ids.ACK: incident.acknowledge,
    ids.ASK: incident.ask,
    ids.CLOSE: more.close,
    ids.DECLARE: incident.declare,
    ids.DECLINE_HANDOFF: incident.decline_handoff,
    ids.DRAFT_APPROVE: public.approve,
    ids.DRAFT_DISCARD: public.discard,
    ids.DRAFT_EDIT: public.edit,
    ids.DRAFT_PUBLISH: public.publish,
    ids.GOT_IT: incident.got_it,
    ids.JOIN: incident.join,
    ids.JOIN_INSTEAD: incident.join_instead,
    ids.LEAD: incident.lead,
    ids.MORE: more.show,
    ids.OPEN: more.open_form,
    ids.PAGE_TEST: more.try_page,
    ids.POSTMORTEM: incident.postmortem,
    ids.PUBLIC: incident.public,
    ids.REDELIVER: incident.redeliver,
    ids.RESOLVE: incident.resolve,
    ids.RETRY: incident.retry,
    ids.RUNBOOK: incident.runbook,
    ids.SNOOZE: incident.snooze,
    ids.TAKE_LEAD: incident.take_lead,
    ids.SEVERITY: incident.severity,
    ids.STATUS: incident.status,
    ids.STEP: runbook.step,
    ids.SILENCE: incident.silence,
    ids.STEPS_PAGE: runbook.page,
    ids.TASK_DONE: incident.task_done,
    ids.TRIAGE_DECLARE: triage.declare,
    ids.TRIAGE_DISMISS: triage.dismiss,
    ids.WHY: incident.why,
    ids.WITHDRAW_HANDOFF: more.withdraw_handoff,
    ids.TITLE: incident.title,
    ids.UNDO: incident.undo,
    ids.UNSILENCE: more.unsilence,
    ids.UPDATE: incident.update,
}


async def act(counter: Counter, body: Body) -> Ack:
    """Do what the control says, acknowledge; whatever is to be said goes to the asker only."""
    action = used(body)
    name = str(action.get("action_id", "")).partition(":")[0]
    url, user, channel = str(body.get("response_url") or ""), asker(body), channel_of(body)
    view = part(body, "view")
    at_home = view.get("type") == "home"
    if name in (ids.LINK, views.VALUE) or action.get("url"):
        return {}  # links open by themselves; inputs of a form come with its submission

    async def tell(said: Message) -> None:
        if at_home:  # there is no message that could answer; the Home itself follows
            await counter.open_note(said, str(body.get("trigger_id", "")))
        elif view:
            left = windows.left_of(view, action)
            await counter.replace_form(str(view.get("id") or ""), said, channel, user, left)
        elif url:
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
        request=counter.request(asker(body), trigger, "button"),
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
    channel = channel or remembered(part(body, "view")).channel
    title = incident.prefilled(click) if name == ids.DECLARE else ""
    kept = views.metadata(number, click.response_url, channel)
    return await counter.open_form(said, trigger, kept, title, above=part(body, "view").get("type") == "modal")
