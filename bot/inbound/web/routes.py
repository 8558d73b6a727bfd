"""Puts the web door into an application."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.domain.policy import Policy
from bot.inbound.web.access import ApiTokens, LoginLinks, Sessions
from bot.inbound.web.assets import Assets
from bot.inbound.web.doorkeeper import Doorkeeper
from bot.inbound.web.health import HealthCheck, HealthDoor
from bot.inbound.web.incidents import IncidentDoor, Links
from bot.inbound.web.login import LoginDoor
from bot.inbound.web.metrics import Exposition, MetricsDoor
from bot.inbound.web.middleware import add_headers, name_and_explain
from bot.inbound.web.pages import Pages
from bot.inbound.web.runbooks import RunbookDoor, RunbookSource
from bot.inbound.web.status import StatusDoor
from bot.ports.clock import Clock
from bot.ports.reader import Reader
from bot.ports.stop import Stop
from bot.render.postmortem import Names
from bot.render.texts import Texts


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read the private pages. With neither tokens nor login links these pages do not exist."""

    sessions: Sessions
    tokens: ApiTokens = field(default_factory=ApiTokens)
    login_links: LoginLinks | None = None


def add_routes(
    app: web.Application,
    *,
    reader: Reader,
    policy: Callable[[], Policy],
    texts: Texts,
    template_folders: Sequence[Path],
    library: RunbookSource,
    names: Names,
    access: Access,
    health_checks: Mapping[str, HealthCheck],
    metrics: Exposition,
    installation_id: str,
    clock: Clock,
    public_url: str,
    links: Links | None = None,
    doorkeeper: Doorkeeper | None = None,
) -> None:
    """Add every page, and around all routes of `app` (other doors' too) request ids and errors in words.

    `doorkeeper` stands at all routes that there are then. `template_folders` are those of `texts`: their `web/static/`
    is served under `/assets/`. Reads these files.
    """
    assets = Assets(template_folders)
    pages = Pages(texts, assets, names, policy, clock)
    doorkeeper = doorkeeper or Doorkeeper(Stop())
    app.middlewares.insert(0, doorkeeper.let_in)
    app.middlewares.insert(0, name_and_explain(pages))
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/assets/{name}", assets.serve)
    HealthDoor(health_checks).add_routes(app)
    app.router.add_get("/metrics", MetricsDoor(reader, metrics, clock).serve)
    StatusDoor(pages, reader, policy, installation_id, clock).add_routes(app)
    if access.tokens or access.login_links:
        secure = public_url.startswith("https://")
        login = LoginDoor(pages, access.tokens, access.sessions, access.login_links, secure=secure)
        login.add_routes(app)
        IncidentDoor(pages, login, reader, policy, texts, names, links or Links()).add_routes(app)
        app.router.add_get("/runbooks/{name}", RunbookDoor(pages, login, library).show)
    doorkeeper.guard(app)
