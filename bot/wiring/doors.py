"""The doors over HTTP: alerts, pages, health."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Final

from aiohttp import web

from bot.assets import asset_dir
from bot.domain.people import is_person
from bot.inbound.alerts.generic import generic_sources
from bot.inbound.alerts.generic_web import add_generic_routes
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor
from bot.inbound.alerts.web import add_routes as add_alert_routes
from bot.inbound.slack.directory import SlackDirectory
from bot.inbound.slack.door import SlackDoor
from bot.inbound.web.access import ApiTokens, LoginLinks, Sessions, session_secret
from bot.inbound.web.doorkeeper import Doorkeeper
from bot.inbound.web.health import HealthCheck, HealthStatus
from bot.inbound.web.incidents import Links as SlackLinks
from bot.inbound.web.routes import Access
from bot.inbound.web.routes import add_routes as add_web_routes
from bot.outbound.sns import Visitor
from bot.ports.clock import utc_now
from bot.settings import Settings
from bot.storage.database import Database
from bot.usecases.committer import Committer
from bot.usecases.library import RunbookLibrary
from bot.usecases.precedence import Precedence
from bot.wiring.observability import Meters
from bot.wiring.tools import open_texts

STUCK_AFTER: Final = timedelta(minutes=5)
"""A delivery that has waited this long makes health say `degraded`."""


def add_alert_door(
    app: web.Application,
    settings: Settings,
    committer: Committer,
    library: RunbookLibrary,
    meters: Meters,
    visitor: Visitor,
    installation: str,
    precedence: Precedence,
) -> None:
    env = settings.env
    doors = Doors.of(
        alertmanager_tokens=[secret.get_secret_value() for secret in env.alertmanager_tokens],
        alertmanager_basic=[secret.get_secret_value() for secret in env.alertmanager_basic],
        alertmanager_insecure=settings.config.webhooks.alertmanager.insecure,
        pagerduty_secrets=[secret.get_secret_value() for secret in env.pagerduty_secrets],
    )
    door = AlertDoor(committer, doors, settings.config, library, meters, installation, precedence=precedence)
    add_alert_routes(app, door)
    add_generic_routes(app, door, generic_sources(settings.config.webhooks.generic, os.environ), visitor)


def add_pages(
    app: web.Application,
    settings: Settings,
    database: Database,
    library: RunbookLibrary,
    directory: SlackDirectory,
    login_links: LoginLinks,
    meters: Meters,
    slack: SlackDoor,
    doorkeeper: Doorkeeper,
) -> None:
    env = settings.env
    folders = [folder for folder in (env.templates, asset_dir("templates")) if folder]
    # slow on purpose: the start does not wait for it
    secret = _beside(partial(session_secret, env.api_tokens, database.installation_id))
    add_web_routes(
        app,
        reader=database,
        policy=lambda: settings.config,
        texts=open_texts(settings),
        template_folders=folders,
        library=library,
        names=lambda actor: (directory.name(actor) or actor) if is_person(actor) else actor,
        access=Access(Sessions(secret, utc_now), ApiTokens(env.api_tokens), login_links if env.api_tokens else None),
        health_checks=_health(settings, database, slack),
        metrics=meters.exposition,
        installation_id=database.installation_id,
        clock=utc_now,
        public_url=settings.public_url,
        links=SlackLinks(directory.channel_link, directory.message_link),
        doorkeeper=doorkeeper,
    )


def _beside(work: Callable[[], bytes]) -> Callable[[], bytes]:
    """Begin `work` in a thread of its own; return what gives its result, waiting for it if need be."""
    pool = ThreadPoolExecutor(1)
    result = pool.submit(work)
    pool.shutdown(wait=False)  # ends with the work
    return result.result


def _health(settings: Settings, database: Database, slack: SlackDoor) -> Mapping[str, HealthCheck]:
    async def of_database() -> tuple[HealthStatus, str]:
        answers = f"answers in {await database.ping() * 1000:.1f} ms"
        if trouble := database.trouble:
            return "degraded", f"{answers}, but refuses changes: {trouble}"
        return "ok", answers

    async def of_slack() -> tuple[HealthStatus, str]:
        if settings.env.slack_app_token is None:
            return "ok", "HTTP: Slack calls us"
        return ("ok", "socket connected") if slack.is_connected else ("down", "socket not connected")

    async def of_delivery() -> tuple[HealthStatus, str]:
        stats = await database.stats()
        oldest = stats.oldest_waiting_at
        waiting = f"{stats.waiting} waiting, {stats.failed} given up"
        stuck = oldest is not None and utc_now() - oldest > STUCK_AFTER
        return ("degraded", f"{waiting}; the oldest has waited over {STUCK_AFTER}") if stuck else ("ok", waiting)

    return {"database": of_database, "slack": of_slack, "delivery": of_delivery}
