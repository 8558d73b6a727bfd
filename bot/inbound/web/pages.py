"""Turns a template into an answer: shared values, the strict content policy, and an ETag."""

import hashlib
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any, Final

from aiohttp import ETag, web

from bot.domain.policy import Policy
from bot.inbound.web.access import Viewer
from bot.inbound.web.assets import Assets
from bot.ports.clock import Clock
from bot.render.postmortem import Names
from bot.render.texts import Texts
from bot.render.web import web_values

VIEWER: Final = web.RequestKey("viewer", Viewer)
"""Who is signed in; set for private pages only."""

_CONTENT_POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
PUBLIC: Final = "no-cache"
"""May be kept, but is asked for again each time: nobody reads yesterday's status."""
PRIVATE: Final = "no-store"


class Pages:
    """Renders pages. `names` turns a Slack id into a display name."""

    def __init__(self, texts: Texts, assets: Assets, names: Names, policy: Callable[[], Policy], clock: Clock) -> None:
        self._texts = texts
        self._assets = assets
        self._names = names
        self._policy = policy
        self._clock = clock

    def answer(
        self,
        request: web.Request,
        template: str,
        *,
        status: int = 200,
        cache: str = PRIVATE,
        zone: tzinfo = UTC,
        **values: Any,
    ) -> web.Response:
        """Return `template` as an answer, or 304 if the reader has it already."""
        shared = web_values(self._names, zone, self._clock())
        body = self._texts.html(
            template,
            **shared,
            asset=self._assets.path,
            viewer=request.get(VIEWER),
            organization=self._policy().organization.name,
            **values,
        ).encode()
        response = web.Response(body=body, status=status, content_type="text/html", charset="utf-8")
        response.headers["Cache-Control"] = cache
        response.headers["Content-Security-Policy"] = _CONTENT_POLICY
        return _unless_known(request, response) if status == 200 else response


def _unless_known(request: web.Request, response: web.Response) -> web.Response:
    body = response.body
    assert isinstance(body, bytes)
    response.etag = hashlib.sha256(body).hexdigest()[:24]
    known = request.if_none_match or ()
    if ETag(response.etag.value if response.etag else "") not in {ETag(tag.value) for tag in known}:
        return response
    headers = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Content-Security-Policy")}
    return web.Response(status=304, headers=headers)
