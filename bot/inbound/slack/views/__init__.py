"""Submitted forms: callback id → handler, and the field beside which its refusals stand.

https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.domain import refusals as r
from bot.inbound.slack.counter import NOT_CONFIRMED, Ack, Body, Counter, Heard, Said
from bot.inbound.slack.views import forms
from bot.inbound.slack.views.submission import Submission, remembered, values_of
from bot.render.slack import ids, views
from bot.render.slack.answers import refusal_text
from bot.render.slack.message import Message

FORMS: Final[Mapping[str, Callable[[Counter, Submission], Awaitable[Said]]]] = {
    ids.FORM_DECLARE: forms.declare,
    ids.FORM_PUBLIC: forms.public,
    ids.FORM_RESOLVE: forms.resolve,
    ids.FORM_RUNBOOK: forms.runbook,
    ids.FORM_SEVERITY: forms.severity,
    ids.FORM_TITLE: forms.title,
    ids.FORM_UPDATE: forms.update,
}
BESIDE: Final[Mapping[type[r.Refused], str]] = {
    r.TitleTooLong: "title",
    r.TitleUnreadable: "title",
    r.TextTooLong: "text",
    r.EmptyText: "text",
    r.NothingChanged: "severity",
    r.ReasonNeeded: "text",
    r.UnknownService: "service",
    r.UnknownRunbook: "runbook",
}
"""Refusal → the field it is about."""


async def submit(counter: Counter, body: Body) -> Ack:
    """Do what the form says, then close it, mark its mistakes, or say in its place what happened."""
    view = body.get("view") or {}
    user = str((body.get("user") or {}).get("id", ""))
    view_id = str(view.get("id") or "")
    number, channel = remembered(view)
    form = Submission(
        request=counter.request(user, f"{view_id}:{view.get('hash') or ''}" if view_id else ""),
        view_id=view_id,
        channel=channel,
        number=number,
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
    if isinstance(said, Message):
        title = "One moment" if said is NOT_CONFIRMED else "Tocsin"
        return {"response_action": "update", "view": views.note(title, said.words)}
    return {}


async def _do(counter: Counter, form: Submission, callback: str, errors: asyncio.Future[dict[str, str]]) -> Said:
    handler = FORMS.get(callback)
    if handler is None:
        raise r.OldControl
    try:
        return await handler(counter, form)
    except r.Refused as refused:
        field = BESIDE.get(type(refused), "")
        if field in form.values:
            errors.set_result({field: refusal_text(refused, "cli", counter.desk.directory.name)})
        raise
