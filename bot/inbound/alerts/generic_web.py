"""POST /webhooks/generic/<name>: the alert door for configured sources, and the handshake of those that ask for one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from aiohttp import web

from bot.inbound.alerts import sns
from bot.inbound.alerts.generic import Delivery, Generic
from bot.inbound.alerts.reading import Unusable
from bot.inbound.alerts.web import AlertDoor, Told, error, ignored
from bot.inbound.request_ids import request_id_of

PATH: Final = "/webhooks/generic/{name}"
log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_generic_routes(
    app: web.Application, door: AlertDoor, sources: Mapping[str, Generic], visit: sns.Opener
) -> None:
    """Mount the path of all generic sources."""
    app.router.add_post(PATH, _handler(door, sources, visit))


def _handler(door: AlertDoor, sources: Mapping[str, Generic], visit: sns.Opener) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        source = sources.get(request.match_info["name"])
        if source is None:
            message = "No such source: add it under webhooks.generic in tocsin.yaml, then restart."
            return error(404, "unknown_source", message, request_id_of(request)).response
        delivery = Delivery(source, request.query.get("token", ""))
        if not sns.is_confirmation(request.headers):
            response = await door.receive(delivery, request)
        else:
            response = await door.answer(delivery, request, lambda raw, rid: _confirm(source, raw, rid, visit))
        if response.status == 401:
            # SNS sends the user and password of its subscription's address when it is asked to.
            response.headers.add("WWW-Authenticate", 'Basic realm="tocsin"')
        return response

    return handle


async def _confirm(source: Generic, raw: bytes, request_id: str, visit: sns.Opener) -> Told:
    """Visit SNS before the answer, as an exception: if we fail, SNS asks again, so nothing needs to be remembered."""
    try:
        url = sns.address(raw, source.config.sns.topics)
    except Unusable as exc:
        log.warning("subscription_not_confirmed", source=source.name, reason=str(exc))
        return ignored(str(exc), request_id)
    try:
        status = await visit(url)
    except ConnectionError as exc:
        log.error("subscription_not_confirmed", source=source.name, error=str(exc), mend="check the way to SNS")
        return error(503, "not_confirmed", "SNS cannot be reached to confirm; send it again.", request_id)
    if status != 200:
        log.error("subscription_not_confirmed", source=source.name, status=status)
        return error(503, "not_confirmed", f"SNS answered {status} to the confirmation; send it again.", request_id)
    log.info("subscription_confirmed", source=source.name)
    return ignored("the subscription is confirmed", request_id)
