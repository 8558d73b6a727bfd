"""Signing in and out of the private pages."""

import re
from urllib.parse import parse_qsl, urlencode

import structlog
from aiohttp import web

from bot.inbound.patience import in_time
from bot.inbound.web.access import COOKIE, SESSION, ApiTokens, LoginLinks, Sessions, Viewer
from bot.inbound.web.pages import VIEWER, Pages

_HOME = "/incidents"
# Only a path of ours: `//host` and `/\host` lead elsewhere.
_LOCAL_PATH = re.compile(r"/(?![/\\])[\w./?=&%#-]*")
log = structlog.get_logger()


class LoginDoor:
    """Serves `/login` and `/logout`, and asks at the private pages. `secure`: the cookie travels by HTTPS only."""

    def __init__(
        self, pages: Pages, tokens: ApiTokens, sessions: Sessions, links: LoginLinks | None, *, secure: bool
    ) -> None:
        self._pages = pages
        self._tokens = tokens
        self._sessions = sessions
        self._links = links
        self._secure = secure

    def add_routes(self, app: web.Application) -> None:
        """The routes of signing in and out."""
        app.router.add_get("/login", self.form)
        app.router.add_post("/login", self.submit)
        app.router.add_post("/logout", self.leave)

    def admit(self, request: web.Request) -> Viewer:
        """Return who is signed in, for a private page. Raises a redirect to the form, or 401 for machines."""
        viewer = self._sessions.read(request.cookies)
        if viewer is None:
            if request.method in ("GET", "HEAD") and "json" not in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther(f"/login?{urlencode({'next': request.path_qs})}")
            raise web.HTTPUnauthorized
        request[VIEWER] = viewer
        return viewer

    async def form(self, request: web.Request) -> web.StreamResponse:
        """`GET /login`; with `?once=` a one-time link, used up by GET alone (a preview asks with HEAD)."""
        target = _target(request.query.get("next", ""))
        if (ticket := request.query.get("once")) and self._links and request.method == "GET":
            if viewer := self._links.take(ticket):
                return self._enter(viewer, target)
            error = (
                "This link was used already, or is older than 10 minutes. Use a token, or start again for a new link."
            )
            return self._form(request, target, error, 401)
        if self._sessions.read(request.cookies):
            raise web.HTTPSeeOther(target)
        return self._form(request, target, "", 200)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """`POST /login` with `token`."""
        _refuse_foreign(request)
        fields = await _read_form(request)
        target = _target(fields.get("next", ""))
        viewer = self._tokens.viewer(fields.get("token", ""))
        if viewer is None:
            log.info("login refused", remote=request.remote)
            error = "This token is not known here. It is written name:token, as in TOCSIN_API_TOKENS."
            return self._form(request, target, error, 401)
        return self._enter(viewer, target)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """`POST /logout`."""
        _refuse_foreign(request)
        response = web.Response(status=303, headers={"Location": "/login", "Cache-Control": "no-store"})
        response.del_cookie(COOKIE, path="/")
        return response

    def _form(self, request: web.Request, target: str, error: str, status: int) -> web.Response:
        return self._pages.answer(
            request, "web/login.html", status=status, target=target, error=error, by_token=bool(self._tokens)
        )

    def _enter(self, viewer: Viewer, target: str) -> web.Response:
        log.info("login", name=viewer.name, private=viewer.private)
        response = web.Response(status=303, headers={"Location": target, "Cache-Control": "no-store"})
        response.set_cookie(
            COOKIE,
            self._sessions.issue(viewer),
            max_age=int(SESSION.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=self._secure,
            path="/",
        )
        return response


async def _read_form(request: web.Request) -> dict[str, str]:
    """Return the form's fields. Our form is urlencoded; anything else holds none of them."""
    body = (await in_time(request.read())).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, max_num_fields=20))
    except ValueError as exc:
        raise web.HTTPBadRequest from exc


def _target(path: str) -> str:
    return path if _LOCAL_PATH.fullmatch(path) else _HOME


def _refuse_foreign(request: web.Request) -> None:
    """Raise 403 for a form that another site sent (Fetch Metadata; browsers set it, nobody can fake it in one)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "same-site", "none"):
        raise web.HTTPForbidden
