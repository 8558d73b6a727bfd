"""Around every request: an id that can be quoted, and an answer in words whatever happens."""

from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from jinja2 import TemplateError

from bot.inbound.request_ids import HEADER, REQUEST_ID, request_id_of
from bot.inbound.web.doorkeeper import Stopping
from bot.inbound.web.pages import Pages
from bot.ports.store import Unavailable

_MACHINE_PATHS = ("/api/", "/webhooks/", "/health", "/metrics", "/slack/", "/simulator/")
_RETRY_AFTER = {"Retry-After": "5"}
log = structlog.get_logger()

_WORDS: Final = {
    400: ("Not understood", "The request was malformed. Trying again unchanged will not help."),
    401: ("Sign in first", "This needs a valid token. Sign in, then open it again."),
    403: ("Not allowed", "You may not do this. Ask whoever runs Tocsin here."),
    404: ("Not found", "There is nothing at this address, or it is not for you. Check the link."),
    405: ("Not like this", "This address does not take that method."),
    408: ("Took too long", "The request did not arrive in full. Send it again."),
    413: ("Too large", "The request is larger than we take. Send less at once."),
    415: ("Wrong type", "This address does not take that type of content."),
    429: ("Too many requests", "Wait a little, then try again."),
    500: ("Something broke", "This is our mistake and it was logged. Try again; if it stays, quote the request id."),
    503: ("Not available right now", "The database does not answer. Nothing was changed. Try again in a few seconds."),
}
_STOPPING: Final = (
    "Stopping",
    "Tocsin is being stopped or restarted. Nothing was changed. Try again in a few seconds.",
)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal: what every answer carries, streams and other doors' answers included."""
    if name := request.get(REQUEST_ID):
        response.headers.setdefault(HEADER, name)
    response.headers["Server"] = "tocsin"  # instead of every version that we run on
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")


def name_and_explain(pages: Pages) -> Middleware:
    """Return the middleware that gives each request an id, and answers every failure in words, as a page or as JSON.

    The id is the sender's, if it is harmless, else a new one; bound to every log line of the request. aiohttp gives
    each request a task, and so a context, of its own: nothing has to be unbound.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        structlog.contextvars.bind_contextvars(request_id=request_id_of(request))
        try:
            return await handler(request)
        except web.HTTPException as exc:
            if exc.status < 400 or exc.content_type == "application/json":
                raise
            kept = {name: exc.headers[name] for name in ("Allow", "Retry-After") if name in exc.headers}
            return _answer(pages, request, exc.status, kept)
        except Unavailable as exc:
            log.warning("unavailable", path=request.path, error=str(exc))
            return _answer(pages, request, 503, _RETRY_AFTER)
        except Stopping:
            refusal = _answer(pages, request, 503, _RETRY_AFTER, _STOPPING)
            refusal.force_close()  # whoever asks again asks another replica, or the next process
            return refusal
        except ConnectionResetError:
            if request.transport is not None and not request.transport.is_closing():
                raise  # not the caller's line but one of ours
            log.info("caller hung up", method=request.method, path=request.path)
            return _answer(pages, request, 400, {})
        except Exception:
            # The last door: whatever is wrong inside, the caller gets an answer and the log the traceback.
            log.exception("request failed", method=request.method, path=request.path)
            return _answer(pages, request, 500, {})

    return middleware


def _answer(
    pages: Pages, request: web.Request, status: int, headers: dict[str, str], words: tuple[str, str] | None = None
) -> web.Response:
    title, advice = words or _WORDS.get(status, _WORDS[500] if status >= 500 else _WORDS[400])
    name = request.get(REQUEST_ID, "")
    body: dict[str, Any] = {"error": title, "detail": advice, "request_id": name}
    if wants_json(request):
        return web.json_response(body, status=status, headers=headers)
    try:
        response = pages.answer(
            request, "web/error.html", status=status, code=status, title=title, advice=advice, request_id=name
        )
    except TemplateError:
        # Somebody's own template is broken, perhaps the very cause of this error: words without a page, then.
        log.exception("error page failed")
        return web.json_response(body, status=status, headers=headers)
    response.headers.update(headers)
    return response


def wants_json(request: web.Request) -> bool:
    """True for machines: by the path, or because they accept JSON and not HTML."""
    accepts = request.headers.get("Accept", "")
    return request.path.startswith(_MACHINE_PATHS) or ("json" in accepts and "text/html" not in accepts)
