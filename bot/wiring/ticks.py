"""What is done regularly. Each tick bears repetition: every replica rings."""

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Final

import aiohttp
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.delivery.ticker import Tick
from bot.domain.watchdogs import look_every
from bot.outbound.pagers.schedules import PagerDutySchedules
from bot.outbound.slack.client import Slack
from bot.outbound.slack.directory import Directory as Whereabouts
from bot.ports.clock import utc_now
from bot.settings import Settings
from bot.storage.database import Database
from bot.usecases.calendars import EVERY, Calendars
from bot.usecases.committer import Committer
from bot.usecases.digests import say_digest
from bot.usecases.handovers import Handovers
from bot.usecases.library import RunbookLibrary
from bot.usecases.roster import Roster
from bot.usecases.watching import Watcher

REGROUPED: Final = timedelta(minutes=5)
"""Who is in the usergroups of `permissions` is asked so often, should Slack's own word of a change be lost."""

GAPS: Final = timedelta(minutes=30)
"""How often channels are looked through for what nobody told us, where no connection tells of a silence."""


def regular_ticks(
    settings: Settings,
    database: Database,
    committer: Committer,
    library: RunbookLibrary,
    usergroups: Callable[[], Awaitable[None]],
) -> list[Tick]:
    """Return what is done regularly. Each bears repetition: every replica rings."""
    policy = settings.config

    async def say() -> None:
        await say_digest(database, committer, policy, utc_now)

    hour, _, minute = policy.channels.digest_at.partition(":")
    mornings = CronTrigger(
        day_of_week=",".join(policy.channels.digest_days), hour=hour, minute=minute, timezone=policy.organization.zone
    )
    handovers = Handovers(database, committer, policy, utc_now)
    watcher = Watcher(database, committer, policy, library, utc_now)
    watching = [
        *([Tick("stale", IntervalTrigger(minutes=1), watcher.stale)] if policy.triage.stale_after else []),
        *([Tick("watchdogs", _each(look_every(dogs)), watcher.watchdogs)] if (dogs := policy.triage.watchdogs) else []),
    ]
    ticks = [
        *watching,
        Tick("inbox", IntervalTrigger(hours=1), _forget(database, settings)),
        *([Tick("usergroups", _each(REGROUPED), usergroups)] if policy.permissions.usergroups() else []),
        Tick("handover", CronTrigger(second=1, timezone=UTC), handovers.look),
    ]
    return [*ticks, Tick("digest", mornings, say)] if policy.channels.digest else ticks


def _each(span: timedelta) -> IntervalTrigger:
    return IntervalTrigger(seconds=max(int(span.total_seconds()), 1))


def calendars_of(settings: Settings, http: aiohttp.ClientSession, slack: Slack, roster: Roster) -> Calendars | None:
    """Return what keeps PagerDuty's schedules in mind; None where nobody can be asked for one."""
    token = settings.env.pagerduty_api_token
    if token is None or not any(rotation.pagerduty_schedule for rotation in settings.config.oncall.values()):
        return None
    vendor = PagerDutySchedules(http, token, settings.env.pagerduty_api_url)
    return Calendars(vendor, Whereabouts(slack), settings.config, roster, utc_now)


def reading_ticks(calendars: Calendars | None) -> list[Tick]:
    every = IntervalTrigger(seconds=int(EVERY.total_seconds()), jitter=30)
    return [Tick("schedules", every, calendars.refresh)] if calendars else []


def gaps_tick(start: Callable[[], None]) -> Tick:
    """Return what looks for gaps over HTTP: there no connection tells that nobody could reach us for a while."""

    async def look() -> None:
        start()

    return Tick("gaps", IntervalTrigger(seconds=int(GAPS.total_seconds()), jitter=300), look)


def _forget(database: Database, settings: Settings) -> Callable[[], Awaitable[None]]:
    """Return the hourly tick that drops answers nobody can repeat any more."""

    async def tick() -> None:
        kept = settings.config.retention
        await database.purge(
            utc_now(), kept.inbox, notices_kept=kept.notices, unusable_kept=kept.unusable, audit_kept=kept.audit
        )

    return tick
