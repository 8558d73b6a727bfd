"""The whole house for one process: what opens here also closes, in reverse."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Final

import aiohttp
from aiohttp import web
from apscheduler.triggers.interval import IntervalTrigger

from bot.assets import asset_dir
from bot.delivery.runner import Runner
from bot.delivery.ticker import Tick, Ticker
from bot.delivery.worker import worker_id
from bot.domain.people import is_person
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor
from bot.inbound.alerts.web import add_routes as add_alert_routes
from bot.inbound.slack.directory import SlackDirectory
from bot.inbound.slack.door import SlackDoor, build_slack
from bot.inbound.slack.tasks import Tasks
from bot.inbound.web.access import ApiTokens, LoginLinks, Sessions, session_secret
from bot.inbound.web.health import HealthCheck, HealthStatus
from bot.inbound.web.incidents import Links as SlackLinks
from bot.inbound.web.routes import Access
from bot.inbound.web.routes import add_routes as add_web_routes
from bot.outbound.pagers.pagerduty import PagerDuty
from bot.outbound.slack.budgets import LIMITS, budget_of
from bot.outbound.slack.client import Slack, web_client
from bot.outbound.slack.registry import registry as slack_registry
from bot.outbound.statuspages.statuspage import Statuspage
from bot.ports.clock import utc_now
from bot.ports.delivery import Registry
from bot.ports.fault import Fault, no_fault
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.settings import BadSettings, Settings
from bot.storage.database import Database, open_database
from bot.usecases.committer import Committer
from bot.usecases.desk import Desk
from bot.usecases.library import RunbookLibrary
from bot.usecases.queries import Queries
from bot.wiring.observability import Meters, configure_logging
from bot.wiring.tools import open_library, open_texts

STUCK_AFTER: Final = timedelta(minutes=5)
"""A delivery that has waited this long makes health say `degraded`."""


@dataclass(frozen=True, slots=True)
class House:
    """One process of Tocsin: serve `app`, then `async with working()`."""

    settings: Settings
    app: web.Application
    committer: Committer
    runner: Runner
    ticker: Ticker
    slack: SlackDoor
    directory: SlackDirectory
    tasks: Tasks
    texts: Texts
    login_links: LoginLinks

    def login_link(self, name: str) -> str:
        """Return a link to the private pages that works once."""
        return f"{self.settings.public_url}{self.login_links.create(name)}"

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Deliver, ring timers, and listen to Slack. At the end the socket closes first, then work is drained."""
        async with self.slack, self.runner, self.ticker:
            self.tasks.start(self.directory.fetch())
            self.tasks.start(asyncio.to_thread(self.texts.warm_mrkdwn, "slack/"))
            if app_token := self.settings.env.slack_app_token:
                await self.slack.start_socket(app_token.get_secret_value())
            else:
                self.slack.refill.start()  # with a socket, each connection begins with it
            try:
                yield
            finally:
                await self.slack.stop_socket()


@asynccontextmanager
async def open_house(settings: Settings, *, fault: Fault = no_fault) -> AsyncIterator[House]:
    """Open everything for one process. Raises BadSettings or Unavailable."""
    env = settings.env
    if env.slack_bot_token is None:
        raise BadSettings("SLACK_BOT_TOKEN is not set")
    configure_logging(env.log_format or ("console" if os.isatty(2) else "json"), env.log_level)
    meters = Meters(version("tocsin"))
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        database = await stack.enter_async_context(
            open_database(
                env.database_url.get_secret_value(),
                budget_of=budget_of,
                limits=LIMITS,
                lease=settings.config.delivery.lease.total_seconds(),
            )
        )
        committer = await stack.enter_async_context(Committer(database, utc_now, fault=fault, observer=meters))
        tasks = Tasks()
        client = web_client(env.slack_bot_token.get_secret_value(), http, env.slack_api_url)
        policy, library = settings.config, open_library(settings)
        texts = open_texts(settings)
        renderer = Renderer(Surroundings(texts, policy, Links(settings.public_url)))
        directory = SlackDirectory(client, tasks, _usergroups(settings))
        queries = Queries(database, policy, utc_now, public_url=settings.public_url)
        desk = Desk(committer, queries, policy, library, directory, utc_now)
        slack = build_slack(
            bot_token=env.slack_bot_token.get_secret_value(),
            signing_secret=env.slack_signing_secret.get_secret_value() if env.slack_signing_secret else "",
            client=client,
            http=http,
            desk=desk,
            reader=database,
            committer=committer,
            texts=texts,
            renderer=renderer,
            tasks=tasks,
            observer=meters,
        )
        runner = Runner(
            database,
            committer,
            _registry(settings, Slack(client), renderer, http, database.installation_id),
            utc_now,
            worker_id=worker_id(),
            policy=lambda: policy,
            lease=settings.config.delivery.lease.total_seconds(),
            call_timeout=settings.config.delivery.call_timeout.total_seconds(),
            fault=fault,
            observer=meters,
        )
        ticker = Ticker(runner.wake, [Tick("inbox", IntervalTrigger(hours=1), _forget(database, settings))])
        committer.on_work.append(runner.wake)
        runner.on_idle.append(ticker.wake_at)
        database.on_change(runner.wake)
        login_links = LoginLinks(utc_now)
        app = web.Application()
        if slack.http_handler and not env.slack_app_token:
            app.router.add_post("/slack/events", slack.http_handler)
        _add_alert_door(app, settings, committer, library, meters)
        _add_pages(app, settings, database, library, directory, login_links, meters, slack)
        yield House(settings, app, committer, runner, ticker, slack, directory, tasks, texts, login_links)


def _registry(
    settings: Settings, slack: Slack, renderer: Renderer, http: aiohttp.ClientSession, installation: str
) -> Registry:
    env = settings.env
    pager = PagerDuty(
        http,
        routing_key=env.pagerduty_routing_key,
        events_url=env.pagerduty_events_url,
        installation=installation,
        public_url=settings.public_url,
    )
    page = Statuspage(
        http,
        api_key=env.statuspage_api_key,
        page_id=env.statuspage_page_id,
        api_url=env.statuspage_api_url,
        installation=installation,
    )
    return {**slack_registry(slack, renderer, installation), **pager.registry(), **page.registry()}


def _usergroups(settings: Settings) -> tuple[str, ...]:
    """Return the usergroups that permissions name: their members must be known before anybody asks."""
    named = [one for ids in settings.config.permissions.model_dump().values() for one in ids]
    return tuple(sorted({one for one in named if one.startswith("S")}))


def _forget(database: Database, settings: Settings) -> Callable[[], Awaitable[None]]:
    """Return the hourly tick that drops answers nobody can repeat any more."""

    async def tick() -> None:
        await database.purge(utc_now(), settings.config.retention.inbox)

    return tick


def _add_alert_door(
    app: web.Application, settings: Settings, committer: Committer, library: RunbookLibrary, meters: Meters
) -> None:
    env = settings.env
    doors = Doors.of(
        alertmanager_tokens=[secret.get_secret_value() for secret in env.alertmanager_tokens],
        alertmanager_basic=[secret.get_secret_value() for secret in env.alertmanager_basic],
        alertmanager_insecure=settings.config.webhooks.alertmanager.insecure,
        pagerduty_secrets=[secret.get_secret_value() for secret in env.pagerduty_secrets],
    )
    add_alert_routes(app, AlertDoor(committer, doors, settings.config, library, meters))


def _add_pages(
    app: web.Application,
    settings: Settings,
    database: Database,
    library: RunbookLibrary,
    directory: SlackDirectory,
    login_links: LoginLinks,
    meters: Meters,
    slack: SlackDoor,
) -> None:
    env = settings.env
    folders = [folder for folder in (env.templates, asset_dir("templates")) if folder]
    secret = session_secret(env.api_tokens, database.installation_id)
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
    )


def _health(settings: Settings, database: Database, slack: SlackDoor) -> Mapping[str, HealthCheck]:
    async def of_database() -> tuple[HealthStatus, str]:
        return "ok", f"answers in {await database.ping() * 1000:.1f} ms"

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
