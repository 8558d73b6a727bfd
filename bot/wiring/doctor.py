"""What `tocsin doctor` looks at. Each check is one small coroutine that returns findings and never raises."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from bot.domain.undelivered import Undelivered
from bot.inbound.alerts.generic import Generic, generic_sources
from bot.ports.store import Unavailable
from bot.render.slack.manifest import SCOPES
from bot.settings import BadSettings, Settings
from bot.storage import schema
from bot.storage.address import BadAddress
from bot.storage.database import open_database
from bot.wiring import alertmanager_checks, pagerduty_checks
from bot.wiring.findings import Finding
from bot.wiring.tools import cross_check, lint_folder

CLOCK_TOLERANCE = 5.0
"""Seconds. Slack refuses requests older than 300 s; timers and time lines want better."""


async def examine(settings: Settings) -> list[Finding]:
    """Return every finding, the most basic first."""
    findings = _config(settings)
    findings += await _database(settings)
    timeout = aiohttp.ClientTimeout(total=8)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        checks: list[Callable[[Settings, aiohttp.ClientSession], Awaitable[list[Finding]]]] = [
            _slack, _pagerduty, pagerduty_checks.answers, alertmanager_checks.answers, _statuspage,
        ]  # fmt: skip
        for found in await asyncio.gather(*(check(settings, http) for check in checks)):
            findings += found
    return findings + _webhooks(settings) + _runbooks(settings)


def _config(settings: Settings) -> list[Finding]:
    where = str(settings.file) if settings.file else "defaults (no tocsin.yaml)"
    mistakes = cross_check(settings)
    if mistakes:
        return [Finding("config", "FAIL", mistake, f"mend it in {where}") for mistake in mistakes]
    return [Finding("config", "OK", where)]


async def _database(settings: Settings) -> list[Finding]:
    url = settings.env.database_url.get_secret_value()
    kind = url.partition(":")[0].partition("+")[0]
    try:
        current = await asyncio.to_thread(schema.is_current, url)
        if not current:
            return [
                Finding("database", "OK", kind),
                Finding("schema", "FAIL", "not the one this version needs", "run: tocsin migrate"),
            ]
        async with open_database(url) as database:
            took = await database.ping()
            unusable = (await database.stats()).unusable
            failed = await database.undelivered()
    except (Unavailable, BadAddress) as exc:
        return [Finding("database", "FAIL", str(exc), "check TOCSIN_DATABASE_URL and that the server runs")]
    return [
        Finding("database", "OK", f"{kind}, answers in {took * 1000:.1f} ms"),
        Finding("schema", "OK", "current"),
        *pagerduty_checks.kept(unusable),
        *_undelivered(failed),
    ]


def _undelivered(failed: Sequence[Undelivered]) -> list[Finding]:
    """What Tocsin had to say apart from incidents, and could not: nobody else would tell."""
    if not failed:
        return []
    detail = f"{len(failed)} given up apart from incidents, the last: {failed[-1].error}"
    return [Finding("delivery", "WARN", detail, "see what mends it: tocsin incident undelivered")]


async def _slack(settings: Settings, http: aiohttp.ClientSession) -> list[Finding]:
    env = settings.env
    if env.slack_bot_token is None:
        return [
            Finding("slack", "WARN", "not connected: SLACK_BOT_TOKEN is not set", "README: connect a real workspace")
        ]
    head = {"Authorization": f"Bearer {env.slack_bot_token.get_secret_value()}"}
    try:
        async with http.post(f"{env.slack_api_url}auth.test", headers=head) as answer:
            body = await answer.json(content_type=None)
            scopes = {s.strip() for s in answer.headers.get("X-OAuth-Scopes", "").split(",") if s.strip()}
            date = answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        return [Finding("slack", "FAIL", f"cannot be reached: {type(exc).__name__}", f"check {env.slack_api_url}")]
    if not body.get("ok"):
        return [
            Finding(
                "slack", "FAIL", f"refuses the token: {body.get('error')}", "install the app again, set SLACK_BOT_TOKEN"
            )
        ]
    findings = [Finding("slack", "OK", f"workspace {body.get('team')}, bot {body.get('user')}")]
    missing = sorted(set(SCOPES) - scopes) if scopes else []
    if missing:
        mend = "add them (tocsin manifest) and install the app again"
        findings.append(Finding("slack scopes", "FAIL", f"missing: {', '.join(missing)}", mend))
    elif scopes:
        findings.append(Finding("slack scopes", "OK", f"all {len(SCOPES)} granted"))
    if date and (skew := abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())) > CLOCK_TOLERANCE:
        findings.append(
            Finding("clock", "WARN", f"{skew:.0f} s away from Slack's", "turn on time synchronisation (NTP)")
        )
    elif date:
        findings.append(Finding("clock", "OK", "agrees with Slack's"))
    if env.slack_app_token is None and env.slack_signing_secret is None:
        mend = "set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)"
        findings.append(Finding("slack events", "FAIL", "neither Socket Mode nor HTTP can work", mend))
    return findings + await _announce(settings, http, head) + await _usergroups(settings, http, head)


async def _usergroups(settings: Settings, http: aiohttp.ClientSession, head: dict[str, str]) -> list[Finding]:
    """A usergroup that Slack does not know holds nobody: whatever is reserved for it only admins can do."""
    groups, found = settings.config.permissions.usergroups(), []
    for group in groups:
        try:
            data = {"usergroup": group}
            async with http.post(
                f"{settings.env.slack_api_url}usergroups.users.list", headers=head, data=data
            ) as answer:
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return [Finding("permissions", "WARN", f"could not look for usergroup {group}", "try again")]
        if not body.get("ok"):
            mend = "correct its id under permissions in tocsin.yaml: nobody but admins may do what it is for"
            found.append(Finding("permissions", "FAIL", f"usergroup {group}: {body.get('error')}", mend))
        elif not body.get("users"):
            found.append(Finding("permissions", "WARN", f"nobody is in usergroup {group}", "add people to it in Slack"))
    return found or ([Finding("permissions", "OK", f"{len(groups)} usergroups known")] if groups else [])


async def _announce(settings: Settings, http: aiohttp.ClientSession, head: dict[str, str]) -> list[Finding]:
    wanted = settings.config.channels.announce
    if not wanted:
        return []
    cursor = ""
    try:
        for _ in range(20):
            data = {"limit": "1000", "exclude_archived": "true", "types": "public_channel", "cursor": cursor}
            async with http.post(f"{settings.env.slack_api_url}conversations.list", headers=head, data=data) as answer:
                body = await answer.json(content_type=None)
            if any(channel.get("name") == wanted for channel in body.get("channels", ())):
                return [Finding("channels", "OK", f"#{wanted} exists")]
            cursor = (body.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return [Finding("channels", "WARN", f"could not look for #{wanted}", "try again")]
    return [
        Finding("channels", "FAIL", f"there is no #{wanted}", "create it, or change channels.announce in tocsin.yaml")
    ]


async def _pagerduty(settings: Settings, http: aiohttp.ClientSession) -> list[Finding]:
    env = settings.env
    needed = any(t.pagerduty for e in settings.config.escalations.values() for level in e.levels for t in level.targets)
    if env.pagerduty_routing_key is None:
        if needed:
            return [
                Finding("pagerduty", "FAIL", "escalations page it, but there is no key", "set PAGERDUTY_ROUTING_KEY")
            ]
        return [Finding("pagerduty", "OK", "not used for paging")]
    try:
        async with http.get(env.pagerduty_events_url) as answer:
            return [Finding("pagerduty", "OK", f"routing key set; the Events API answers (HTTP {answer.status})")]
    except (aiohttp.ClientError, TimeoutError) as exc:
        mend = f"check the way to {env.pagerduty_events_url}"
        return [Finding("pagerduty", "FAIL", f"cannot be reached: {type(exc).__name__}", mend)]


async def _statuspage(settings: Settings, http: aiohttp.ClientSession) -> list[Finding]:
    env = settings.env
    if "statuspage" not in settings.config.statuspage.providers:
        return [Finding("statuspage", "OK", "built-in page at /status only")]
    if env.statuspage_api_key is None or not env.statuspage_page_id:
        mend = "set STATUSPAGE_API_KEY and STATUSPAGE_PAGE_ID"
        return [Finding("statuspage", "FAIL", "a provider, but without key or page", mend)]
    head = {"Authorization": f"OAuth {env.statuspage_api_key.get_secret_value()}"}
    try:
        async with http.get(f"{env.statuspage_api_url}/pages/{env.statuspage_page_id}", headers=head) as answer:
            if answer.status == 200:
                return [Finding("statuspage", "OK", "key and page accepted")]
            return [
                Finding(
                    "statuspage", "FAIL", f"HTTP {answer.status}", "check STATUSPAGE_API_KEY and STATUSPAGE_PAGE_ID"
                )
            ]
    except (aiohttp.ClientError, TimeoutError) as exc:
        mend = f"check the way to {env.statuspage_api_url}"
        return [Finding("statuspage", "FAIL", f"cannot be reached: {type(exc).__name__}", mend)]


def _webhooks(settings: Settings) -> list[Finding]:
    env = settings.env
    findings = []
    if env.alertmanager_tokens or env.alertmanager_basic:
        findings.append(Finding("alertmanager", "OK", "webhook asks for a token"))
    elif settings.config.webhooks.alertmanager.insecure:
        mend = "set TOCSIN_ALERTMANAGER_TOKEN"
        findings.append(Finding("alertmanager", "WARN", "webhook takes anything from anybody", mend))
    else:
        findings.append(
            Finding("alertmanager", "WARN", "webhook answers 503", "set TOCSIN_ALERTMANAGER_TOKEN to use it")
        )
    if env.pagerduty_secrets:
        findings += pagerduty_checks.incoming(settings)
    else:
        mend = "set TOCSIN_PAGERDUTY_WEBHOOK_SECRETS to use it"
        findings.append(Finding("pagerduty in", "WARN", "webhook answers 503", mend))
    findings += [_generic(source) for source in generic_sources(settings.config.webhooks.generic, os.environ).values()]
    if not env.api_tokens:
        findings.append(
            Finding("private pages", "WARN", "switched off", "set TOCSIN_API_TOKENS=name:token to use them")
        )
    return findings


def _generic(source: Generic) -> Finding:
    path = f"/webhooks/generic/{source.name}"
    if source.is_open:
        return Finding("generic sources", "OK", f"{path} asks for {source.setting}")
    mend = f"set {' and '.join(source.unset)}" if source.unset else f"say {source.setting}: the variable's name"
    return Finding("generic sources", "WARN", f"{path} answers 503", mend)


def _runbooks(settings: Settings) -> list[Finding]:
    try:
        problems = lint_folder(settings, None)
    except BadSettings as exc:
        return [Finding("runbooks", "FAIL", str(exc), "make the folder, or change runbooks.dir")]
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        return [Finding("runbooks", "FAIL", f"{len(errors)} errors, first: {errors[0]}", "run: tocsin runbook lint")]
    if problems:
        return [
            Finding("runbooks", "WARN", f"{len(problems)} warnings, first: {problems[0]}", "run: tocsin runbook lint")
        ]
    return [Finding("runbooks", "OK", "all fine")]
