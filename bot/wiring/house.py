"""The whole house for one process: what opens here also closes, in reverse."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from aiohttp import web

from bot.delivery.carrier import Times
from bot.delivery.runner import CONCURRENCY, Runner
from bot.delivery.ticker import Ticker
from bot.delivery.worker import is_gone, worker_id
from bot.domain import commands as c
from bot.domain.verbs import Query
from bot.inbound.slack.directory import SlackDirectory
from bot.inbound.slack.door import SlackDoor, build_slack
from bot.inbound.slack.homes import OpenHomes
from bot.inbound.slack.tasks import Tasks
from bot.inbound.web.access import LoginLinks
from bot.inbound.web.doorkeeper import Doorkeeper
from bot.outbound.lines import open_session
from bot.outbound.slack.budgets import LIMITS, budget_of
from bot.outbound.slack.client import Slack, web_client
from bot.outbound.slack.homes import Homes as SlackHomes
from bot.outbound.slack.registry import registry as slack_registry
from bot.outbound.sns import Visitor
from bot.ports.clock import utc_now
from bot.ports.fault import Fault, no_fault
from bot.ports.stop import ANSWERED_BY, Stop
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.settings import BadSettings, Settings
from bot.storage.database import open_database
from bot.usecases.committer import Committer
from bot.usecases.desk import Desk
from bot.usecases.home import Homes
from bot.usecases.library import RunbookLibrary
from bot.usecases.precedence import Precedence
from bot.usecases.queries import Queries
from bot.usecases.roster import Roster
from bot.wiring.doors import add_alert_door, add_pages
from bot.wiring.observability import Meters, configure_logging
from bot.wiring.ticks import calendars_of, gaps_tick, reading_ticks, regular_ticks
from bot.wiring.tools import open_library, open_texts
from bot.wiring.vendors import vendors


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
    reading: Tasks
    """What is read beside everything else: nobody waits for it."""
    library: RunbookLibrary
    texts: Texts
    login_links: LoginLinks
    stop: Stop
    doorkeeper: Doorkeeper

    def login_link(self, name: str) -> str:
        """Return a link to the private pages that works once."""
        return f"{self.settings.public_url}{self.login_links.create(name)}"

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Deliver, ring timers, and listen to Slack. At the end nothing new begins, and what is under way lands."""
        async with self.runner, self.ticker:
            self.reading.start(self.directory.fetch())
            self.reading.start(self.library.fresh())
            self.reading.start(asyncio.to_thread(self.texts.warm_mrkdwn, "slack/"))
            if app_token := self.settings.env.slack_app_token:
                await self.slack.start_socket(app_token.get_secret_value())
            else:
                self.slack.refill.start()  # with a socket, each connection begins with it
            try:
                yield
            finally:
                self.stop.tell()
                self.runner.claim_no_more()
                await self.reading.drop()
                await self.slack.stop_socket()

    async def all_answered(self) -> None:
        """Wait until everybody who asked over HTTP has an answer, as long as a stop may take."""
        await self.doorkeeper.all_answered(self.stop.left(ANSWERED_BY))


@asynccontextmanager
async def open_house(settings: Settings, *, fault: Fault = no_fault) -> AsyncIterator[House]:
    """Open everything for one process. Raises BadSettings or Unavailable."""
    env = settings.env
    if env.slack_bot_token is None:
        raise BadSettings("SLACK_BOT_TOKEN is not set")
    configure_logging(env.log_format or ("console" if os.isatty(2) else "json"), env.log_level)
    meters = Meters(version("tocsin"))
    async with AsyncExitStack() as stack:
        # no call waits for a connection, a handler makes several
        http = await stack.enter_async_context(open_session(2 * CONCURRENCY))
        database = await stack.enter_async_context(
            open_database(
                env.database_url.get_secret_value(),
                budget_of=budget_of,
                limits=LIMITS,
                lease=settings.config.delivery.lease.total_seconds(),
                fold_after=settings.config.delivery.fold_after,
            )
        )
        stop = Stop()
        committer = await stack.enter_async_context(
            Committer(database, utc_now, fault=fault, observer=meters, stop=stop)
        )
        tasks, reading, precedence = Tasks(), Tasks(), Precedence()
        stack.push_async_callback(reading.drop)
        client = web_client(env.slack_bot_token.get_secret_value(), http, env.slack_api_url)
        policy, library = settings.config, open_library(settings)
        texts = open_texts(settings)
        silences = bool(settings.config.webhooks.alertmanager.url)
        renderer = Renderer(Surroundings(texts, policy, Links(settings.public_url), silences))
        directory = SlackDirectory(client, reading, settings.config.permissions.usergroups())
        queries = Queries(database, policy, utc_now, public_url=settings.public_url)
        roster = await stack.enter_async_context(Roster(database, policy, utc_now))
        await roster.refresh()
        directory.on_people.append(roster.see_people)
        database.on_change(roster.rung)
        desk = Desk(committer, queries, policy, library, directory, utc_now, silences, roster)
        homes = Homes(
            database,
            queries,
            policy,
            lambda user: desk.may(c.ApprovePublic(), user),
            lambda user: desk.may(Query("undelivered"), user),
        )
        open_homes = OpenHomes(homes, committer, utc_now, tasks)
        database.on_change(open_homes.changed)
        roster.on_change.append(open_homes.changed)
        slack = build_slack(
            bot_token=env.slack_bot_token.get_secret_value(),
            signing_secret=env.slack_signing_secret.get_secret_value() if env.slack_signing_secret else "",
            client=client,
            http=http,
            desk=desk,
            reader=database,
            refills=database,
            committer=committer,
            texts=texts,
            renderer=renderer,
            tasks=tasks,
            observer=meters,
            homes=open_homes,
            precedence=precedence,
            message_link=directory.message_link,
            stop=stop,
        )
        await stack.enter_async_context(slack)
        to_slack = Slack(client, timeout=settings.config.delivery.request_timeout)
        calendars = calendars_of(settings, http, to_slack, roster)
        if calendars:
            reading.start(calendars.refresh())
        gone = await stack.enter_async_context(database.attending())
        runner = Runner(
            database,
            committer,
            vendors(
                settings,
                slack_registry(
                    to_slack,
                    renderer,
                    database.installation_id,
                    homes=SlackHomes(to_slack, renderer, homes.of_one, directory.channel_link, utc_now),
                ),
                http,
                database.installation_id,
            ),
            utc_now,
            worker_id=worker_id(),
            policy=lambda: policy,
            times=Times(
                settings.config.delivery.lease.total_seconds(), settings.config.delivery.call_timeout.total_seconds()
            ),
            gone=lambda worker: worker in gone or is_gone(worker),
            fault=fault,
            observer=meters,
            precedence=precedence,
            stop=stop,
        )
        ticker = Ticker(
            runner.wake,
            [
                *regular_ticks(settings, database, committer, library, directory.fetch_usergroups),
                *reading_ticks(calendars),
                *([] if env.slack_app_token else [gaps_tick(slack.refill.start)]),
            ],
        )
        committer.on_work.append(runner.wake)
        committer.on_urgent.append(runner.hurry)
        runner.on_idle.append(ticker.wake_at)
        database.on_change(runner.wake)
        login_links = LoginLinks(utc_now)
        app = web.Application()
        if slack.http_handler and not env.slack_app_token:
            app.router.add_post("/slack/events", slack.http_handler)
        add_alert_door(app, settings, committer, library, meters, Visitor(http), database.installation_id, precedence)
        doorkeeper = Doorkeeper(stop)
        add_pages(app, settings, database, library, directory, login_links, meters, slack, doorkeeper)
        yield House(
            settings,
            app,
            committer,
            runner,
            ticker,
            slack,
            directory,
            reading,
            library,
            texts,
            login_links,
            stop,
            doorkeeper,
        )
