"""What a single command needs: the database and the desk, without delivery. A running `serve` does the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.assets import asset_dir
from bot.domain.people import is_person
from bot.domain.postmortem import Postmortem, compile_postmortem
from bot.domain.refusals import UnknownIncident
from bot.domain.routes import unreachable
from bot.domain.runbook_lint import Problem
from bot.domain.severity import Severity
from bot.domain.templates import fill
from bot.ports.clock import utc_now
from bot.ports.directory import NoDirectory
from bot.ports.reader import Reader
from bot.ports.store import Answer
from bot.render.texts import Texts
from bot.settings import BadSettings, Settings, line_of, read_settings
from bot.usecases.committer import Committer
from bot.usecases.desk import Desk, Outcome, QueryAnswer
from bot.usecases.library import RunbookLibrary
from bot.usecases.queries import Queries, Viewer
from bot.usecases.roster import Roster


def runbook_folder(settings: Settings) -> Path:
    """Return where the runbooks are: the configured folder beside tocsin.yaml, else those shipped with Tocsin."""
    configured = Path(settings.config.runbooks.dir)
    base = settings.file.parent if settings.file else Path()
    for folder in (configured, base / configured):
        if folder.is_dir():
            return folder
    if settings.config.runbooks.dir != "runbooks":
        raise BadSettings(f"{settings.file}: runbooks.dir: there is no folder {settings.config.runbooks.dir!r}")
    return asset_dir("runbooks")


def open_library(settings: Settings, folder: Path | None = None) -> RunbookLibrary:
    """Return the runbooks."""
    return RunbookLibrary(folder or runbook_folder(settings), settings.config)


def open_texts(settings: Settings, **filters: Any) -> Texts:
    """Return the templates, the user's own folder first."""
    folders = [settings.env.templates] if settings.env.templates else []
    return Texts(*folders, asset_dir("templates"), filters=filters)


def lint_folder(settings: Settings, folder: Path | None) -> list[Problem]:
    """Return what is wrong with the runbooks in `folder`, else in the configured one."""
    return open_library(settings, folder).lint(utc_now().date())


def cross_check(settings: Settings) -> list[str]:
    """Return what the schema cannot see: names that point nowhere, a template that does not fill."""
    policy, found = settings.config, []
    for name, service in policy.services.items():
        if service.escalation and service.escalation not in policy.escalations:
            found.append(f"services.{name}.escalation: there is no escalation {service.escalation!r}")
        known = {component.name for component in policy.statuspage.components}
        found += [
            f"services.{name}.components: {c!r} is not listed under statuspage.components"
            for c in service.components
            if known and c not in known
        ]
    for name, escalation in policy.escalations.items():
        schedules = [t.schedule for level in escalation.levels for t in level.targets if t.schedule]
        found += [
            f"escalations.{name}: there is no rotation {s!r} under oncall" for s in schedules if s not in policy.oncall
        ]
    found += [
        f"severities.{level}.roles: there is no role {role!r} under roles"
        for level in Severity
        for role in policy.severities[level].roles
        if role not in policy.roles
    ]
    named = {one for rotation in policy.oncall.values() for one in rotation.everyone}
    named |= {t.user for plan in policy.escalations.values() for level in plan.levels for t in level.targets if t.user}
    found += [
        f"{one!r} under oncall or escalations is no Slack id (U…): people are never found by their name"
        for one in sorted(named)
        if not is_person(one)
    ]
    found += [f"people.{one}: is no Slack id (U…)" for one in policy.people if not is_person(one)]
    if not settings.env.pagerduty_api_token:
        found += [
            f"oncall.{name}.pagerduty_schedule: PAGERDUTY_API_TOKEN is not set, so nobody would be called"
            for name, rotation in policy.oncall.items()
            if rotation.pagerduty_schedule
        ]
    for n, route in enumerate(policy.routes, start=1):
        if route.service and policy.services and route.service not in policy.services:
            found.append(f"routes[{n}].service: {route.service!r} is not listed under services")
    for name, source in settings.config.webhooks.generic.items():
        if not (source.token_env or source.hmac.secret_env):
            mend = "name a variable in token_env or hmac.secret_env: without one nobody can be let in"
            found.append(f"webhooks.generic.{name}: {mend}")
    try:
        runbook_folder(settings)
    except BadSettings as exc:
        found.append(str(exc).removeprefix(f"{settings.file}: "))
    try:
        fill(policy.channels.name, {"number": 1, "slug": "x", "severity": "sev1", "service": ""})
    except ValueError as exc:
        found.append(f"channels.name: {exc}")
    return found


def doubts(settings: Settings) -> list[str]:
    """Return what is no mistake, but hardly meant: `FILE:LINE: key: what`."""
    routes = settings.config.routes
    found = []
    for route, before in unreachable(routes):
        where = f"{settings.file}:{line_of(settings.file, 'routes', route - 1)}: " if settings.file else ""
        words = ", ".join(routes[before - 1].match) or "every alert"
        found.append(
            f"{where}routes.{route - 1}: never reached: route {before} ({words}) before it takes all its alerts"
        )
    return found


@dataclass(frozen=True, slots=True)
class Tools:
    """The database's two sides, and the desk."""

    settings: Settings
    reader: Reader
    desk: Desk
    queries: Queries
    texts: Texts
    viewer: Viewer

    def answer(self, outcome: Outcome) -> tuple[str, Any]:
        """Return an outcome in words and as data."""
        from bot.render.slack.answers import answer_text, query_text

        if isinstance(outcome, QueryAnswer):
            return query_text(outcome.kind, outcome.data, self.texts, "cli"), outcome.data
        if isinstance(outcome, Answer):
            return answer_text(outcome, self.texts, "cli"), {"kind": outcome.kind, **outcome.fields}
        return "That needs a form, and forms are in Slack.", {"kind": "form"}

    def name(self, actor: str) -> str:
        """Return an actor for readers; without Slack an id is all there is."""
        return self.desk.directory.name(actor) or actor if is_person(actor) else actor

    async def postmortem(self, number: int) -> Postmortem:
        """Compile the postmortem. Raises UnknownIncident."""
        state = await self.reader.incident(number)
        if state is None:
            raise UnknownIncident(key=f"INC-{number}")
        return compile_postmortem(
            state,
            await self.reader.events(number),
            await self.reader.entries(number),
            await self.reader.episodes(number),
            self.settings.config,
        )


@asynccontextmanager
async def open_tools(config: Path | None) -> AsyncIterator[Tools]:
    """Open the database for one command. Raises BadSettings if its schema is not today's."""
    from bot.storage import schema
    from bot.storage.database import open_database

    settings = read_settings(config)
    url = settings.env.database_url.get_secret_value()
    await require_schema(schema, url)
    async with open_database(url) as database, Committer(database, utc_now) as committer:
        queries = Queries(database, settings.config, utc_now, public_url=settings.public_url)
        library = open_library(settings)
        silences = bool(settings.config.webhooks.alertmanager.url)
        roster = Roster(database, settings.config, utc_now)
        await roster.refresh()
        desk = Desk(committer, queries, settings.config, library, NoDirectory(), utc_now, silences, roster)
        yield Tools(settings, database, desk, queries, open_texts(settings), Viewer("cli", trusted=True))


async def require_schema(schema: Any, url: str) -> None:
    """Refuse to go on with an older schema or none, naming the command that mends it; or with a wrong address."""
    import asyncio

    try:
        current = await asyncio.to_thread(schema.is_current, url)
    except ValueError as exc:
        raise BadSettings(f"TOCSIN_DATABASE_URL: {exc}") from None
    if not current:
        raise BadSettings("the database has not the schema this version needs; run: tocsin migrate")
