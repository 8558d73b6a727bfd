"""Submitted forms: callback id → handler, and the field beside which its refusals stand.

https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.domain import refusals as r
from bot.inbound.slack.counter import NOT_CONFIRMED, Ack, Again, Body, Counter, Heard, Said
from bot.inbound.slack.keeping import remembered
from bot.inbound.slack.origins import asker, part
from bot.inbound.slack.views import forms, more
from bot.inbound.slack.views.submission import Submission, values_of
from bot.render.slack import ids, windows
from bot.render.slack.answers import refusal_text
from bot.render.slack.message import Message

FORMS: Final[Mapping[str, Callable[[Counter, Submission], Awaitable[Said]]]] = {
    ids.FORM_CALL: more.call,
    ids.FORM_CANCEL: more.cancel,
    ids.FORM_DECLARE: forms.declare,
    ids.FORM_HANDOFF: more.handoff,
    ids.FORM_MERGE: more.merge,
    ids.FORM_NOTE: forms.note,
    ids.FORM_OVERRIDE: more.override,
    ids.FORM_PAGE: more.page,
    ids.FORM_PUBLIC: forms.public,
    ids.FORM_REOPEN: more.reopen,
    ids.FORM_RESOLVE: forms.resolve,
    ids.FORM_ROLE: more.role,
    ids.FORM_RUNBOOK: forms.runbook,
    ids.FORM_SERVICE: more.service,
    ids.FORM_SEVERITY: forms.severity,
    ids.FORM_TASK: forms.task,
    ids.FORM_TITLE: forms.title,
    ids.FORM_UPDATE: forms.update,
}
BESIDE: Final[Mapping[type[r.Refused], tuple[str, ...]]] = {
    r.AlreadyMerged: ("incident",),
    r.BadArgument: ("when", "start", "url", "service", "text"),
    r.EmptyText: ("text",),
    r.NobodyToPage: ("service",),
    r.NotATime: ("when",),
    r.NotAround: ("user", "owner"),
    r.NothingChanged: ("severity", "title", "service", "url", "user"),
    r.OverrideTooLong: ("span",),
    r.PersonOrService: ("service",),
    r.ReasonNeeded: ("text",),
    r.TextTooLong: ("text",),
    r.TitleTooLong: ("title",),
    r.TitleUnreadable: ("title",),
    r.UnknownIncident: ("incident",),
    r.UnknownPerson: ("user",),
    r.UnknownRole: ("role",),
    r.UnknownRunbook: ("runbook",),
    r.UnknownSchedule: ("schedule",),
    r.UnknownService: ("service",),
}
"""Refusal → the field it is about: the first of these that the form has."""


async def submit(counter: Counter, body: Body) -> Ack:
    """Do what the form says, then close it, mark its mistakes, or say in its place what happened."""
    view, user = part(body, "view"), asker(body)
    view_id = str(view.get("id") or "")
    kept = remembered(view)
    channel = kept.channel
    form = Submission(
        request=counter.request(user, f"{view_id}:{view.get('hash') or ''}" if view_id else "", "form"),
        view_id=view_id,
        channel=channel,
        number=kept.number,
        warned=kept.warned,
        place=kept.place,
        values=values_of(body),
    )
    errors: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def tell(said: Message) -> None:
        await counter.replace_form(view_id, said, channel, user)

    name = str(view.get("callback_id", ""))
    heard = Heard("view", name) if name in FORMS else Heard("view")
    said = await counter.settle(heard, _do(counter, form, name, errors), tell)
    if errors.done():
        return {"response_action": "errors", "errors": errors.result()}
    if isinstance(said, Again):
        return {"response_action": "update", "view": said.view}
    if isinstance(said, Message):
        title = "One moment" if said is NOT_CONFIRMED else "Tocsin"
        return {"response_action": "update", "view": windows.note(title, said)}
    return {"response_action": "clear"} if view.get("previous_view_id") else {}


async def _do(counter: Counter, form: Submission, callback: str, errors: asyncio.Future[dict[str, str]]) -> Said:
    handler = FORMS.get(callback)
    if handler is None:
        raise r.OldControl
    try:
        return await handler(counter, form)
    except r.Refused as refused:
        field = next((name for name in BESIDE.get(type(refused), ()) if name in form.values), "")
        if field:
            errors.set_result({field: refusal_text(refused, "cli", counter.desk.directory.name)})
        raise
