"""Triage: what one alert means here – open, attach or ignore, how bad, whose – and always why.

`routes` of the policy come first, the first match wins. What holds without any: docs/alerts.md, "What happens when".
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from bot.domain.alerts import HOUSE_SOURCE, Alert
from bot.domain.events import WhenAlertsEnd
from bot.domain.matchers import matches
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.questions import ASKED_MAX
from bot.domain.routes import Action, Route, SeverityByLabel
from bot.domain.severity import Severity, parse_severity
from bot.domain.text import cut
from bot.domain.watchdogs import heard

SERVICE_LABELS: Final = ("service", "app", "job")
ENV_LABELS: Final = ("env", "cluster")
WATCHDOG: Final = "watchdog"
"""Fires always, by design, to prove that alerting works: https://runbooks.prometheus-operator.dev/runbooks/general/watchdog"""

_WORDS: Final = {
    "critical": Severity.SEV1,
    "page": Severity.SEV1,
    "error": Severity.SEV2,
    "high": Severity.SEV2,
    "warning": Severity.SEV3,
    "warn": Severity.SEV3,
}
_QUIET: Final = frozenset({"info", "none"})
# PagerDuty names priorities P1 (worst) to P5 or as the account likes; our P0 does not exist there.
_PRIORITY = re.compile(r"\b(?:p|sev|severity)[\s_-]?([1-5])\b", re.IGNORECASE)
_KEY_MAX: Final = 200
_TO_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes an encoder for each call


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with one firing alert.

    `severity` is None only with `ignore`. `assumed`: the alert did not say how bad it is. `group_key` ties alerts of
    one outage together; they join the group's open incident if that saw an alert within `window`.
    """

    action: Action
    severity: Severity | None
    assumed: bool
    reason: str
    service: str | None
    runbook: str | None
    private: bool
    group_key: str
    group: str
    """The group in words: `service=checkout, env=prod`."""
    window: timedelta
    title: str | None = None
    """The route's template for the title of an incident that the alert opens."""
    when_alerts_end: WhenAlertsEnd = "propose"
    quiet: timedelta = timedelta(minutes=15)
    ask: tuple[str, ...] = ()
    """With `triage`: where people are asked, channels by name and people by id."""
    route: str = ""
    """Which route it was, in words, or that none matched."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How bad an alert says it is. No severity: it asks for nobody."""

    severity: Severity | None
    assumed: bool
    reason: str


def triage(alert: Alert, policy: Policy, now: datetime | None = None) -> Verdict:
    """Return what to do with `alert`, were it a new firing. Pure; never raises.

    `now` is when it came in, for routes that only count at some times; None: at no particular time, so they all count.
    """
    judged = judge(alert)
    if name := heard(alert, policy.triage.watchdogs):
        reason = f"watchdog {name}: it opens nothing while it comes, and an incident when it stops"
        service = _service_of(alert.labels, policy)
        return _verdict(alert, policy, _NO_ROUTE, "ignore", judged, reason, service, "not asked: it is a watchdog")
    number, route, passed = _first_route(alert, policy, now)
    if route is None:
        service = _service_of(alert.labels, policy)
        action: Action = "open"
        reason = judged.reason
        if alert.name.casefold() == WATCHDOG:
            action, reason = "ignore", "Watchdog fires always, to show that alerting works"
        elif judged.severity is None:
            action = "ignore"
        default = f"{passed}no route matched: default triage"
        return _verdict(alert, policy, _NO_ROUTE, action, judged, f"{passed}{reason}", service, default)
    named = f"{passed}route {number} ({_short(route)})"
    return _routed(alert, policy, route, judged, named)


def _routed(alert: Alert, policy: Policy, route: Route, judged: Judged, named: str) -> Verdict:
    """What the route says; `named` is the route in words."""
    service = route.service or _service_of(alert.labels, policy)
    if route.action == "ignore":
        return _verdict(alert, policy, route, "ignore", judged, f"{named} → ignored", service, named)
    if alert.name.casefold() == WATCHDOG and not any("alertname" in line for line in route.match):
        return _verdict(alert, policy, route, "ignore", judged, f"{named}, but Watchdog fires always", service, named)
    judged = _by_route(alert, route, judged, named)
    if judged.severity is None:
        return _verdict(alert, policy, route, "ignore", judged, judged.reason, service, named)
    if route.action == "triage":
        ask = _whom(route, service, policy)
        if ask:
            where = ", ".join(one if is_person(one) else f"#{one}" for one in ask)
            reason = f"{judged.reason}; people are asked in {where}"
            return replace(_verdict(alert, policy, route, "triage", judged, reason, service, named), ask=ask)
        # Nobody can be asked, so the safe side: an incident whose severity is assumed, which people confirm or cancel.
        judged = Judged(judged.severity, True, f"{judged.reason}, to be confirmed: nobody is named who could be asked")
    action: Action = "attach" if route.action == "attach" else "open"
    return _verdict(alert, policy, route, action, judged, judged.reason, service, named)


def _whom(route: Route, service: str | None, policy: Policy) -> tuple[str, ...]:
    """Where people are asked. About a private route's alerts never in a public channel."""
    if not route.private:
        channel = policy.triage.channel or policy.channels.announce
        return (channel,) if channel else ()
    if policy.triage.private_channel:
        return (policy.triage.private_channel,)
    return tuple(one for one in policy.service(service).owners if is_person(one))[:ASKED_MAX]


def _by_route(alert: Alert, route: Route, judged: Judged, named: str) -> Judged:
    """How bad the route says it is, fixed or by the map of a label; else what the alert says."""
    match route.severity:
        case None:
            pass
        case SeverityByLabel() as by:
            value = _fields(alert).get(by.label, "")
            shown = f'{by.label}="{cut(value, 40)}"' if value else f"no {by.label}"
            if (found := by.of(value)) is not None:
                return Judged(found, False, f"{named}: {shown} → {found.label}")
            if by.otherwise is not None:
                return Judged(by.otherwise, False, f"{named}: {shown} is not in its map → {by.otherwise.label}")
            named = f"{named}: {shown} is not in its map"
        case severity:
            return Judged(severity, False, f"{named} → {severity.label}")
    if judged.severity is None:
        return Judged(None, False, f"{named} sets no severity; {judged.reason}")
    return Judged(judged.severity, judged.assumed, f"{named}; {judged.reason}")


def judge(alert: Alert) -> Judged:
    """Return how bad `alert` says it is: PagerDuty by priority, then urgency; others by the `severity` label."""
    return _by_priority(alert.labels) if alert.source == "pagerduty" else _by_label(alert.labels)


def environment_of(labels: Mapping[str, str]) -> str:
    """Return the environment that an alert names, or ""."""
    return next((labels[name] for name in ENV_LABELS if labels.get(name)), "")


def _by_label(labels: Mapping[str, str]) -> Judged:
    return _by_word(labels.get("severity", "").strip())


@lru_cache(maxsize=256)
def _by_word(raw: str) -> Judged:
    word = re.sub(r"^\W+|\W+$", "", raw).lower()
    if not word:
        return Judged(Severity.SEV3, True, "no severity label → SEV3, assumed")
    shown = f'severity="{cut(raw, 40)}"'
    if word in _QUIET:
        return Judged(None, False, f"{shown} → ignored")
    known = _WORDS.get(word) or parse_severity(word)
    if known is None:
        return Judged(Severity.SEV3, True, f"{shown} is not a word I know → SEV3, assumed")
    return Judged(known, False, f"{shown} → {known.label}")


def _by_priority(labels: Mapping[str, str]) -> Judged:
    priority, urgency = labels.get("priority", ""), labels.get("urgency", "")
    if found := _PRIORITY.search(priority):
        severity = Severity(f"sev{min(int(found[1]), 4)}")
        return Judged(severity, False, f'priority "{cut(priority, 40)}" → {severity.label}')
    if urgency == "high":
        return Judged(Severity.SEV2, False, "urgency high → SEV2")
    if urgency == "low":
        return Judged(Severity.SEV3, False, "urgency low → SEV3")
    return Judged(Severity.SEV3, True, "no priority and no urgency → SEV3, assumed")


def _first_route(alert: Alert, policy: Policy, now: datetime | None) -> tuple[int, Route | None, str]:
    """The number of the first route that matches, the route, and which ones matched but do not count at this time."""
    if not policy.routes:
        return 0, None, ""
    fields = _fields(alert)
    asleep: list[str] = []
    for number, route in enumerate(policy.routes, start=1):
        if alert.source == HOUSE_SOURCE and not any("source" in line for line in route.match):
            continue  # a route that drops everything else must not drop the alarm that nothing comes any more
        if all(_holds(line, fields) for line in route.match):
            if now is None or route.is_on(now, policy.organization.zone):
                return number, route, "".join(asleep)
            asleep.append(f"not route {number}, which counts {cut(' or '.join(map(str, route.during)), 80)}; ")
    return 0, None, "".join(asleep)


def _fields(alert: Alert) -> dict[str, str]:
    """What a route can match: the labels, and `source`, `alertname` and `runbook_url` besides."""
    fields = {"source": alert.source, "alertname": alert.name, **alert.labels}
    if "runbook_url" in alert.annotations:
        fields.setdefault("runbook_url", alert.annotations["runbook_url"])
    return fields


def _holds(line: str, fields: Mapping[str, str]) -> bool:
    try:
        return matches(line, fields)
    except ValueError:
        return False  # Route refuses such a matcher; one that came in otherwise must not cost an alert


_NO_ROUTE: Final = Route()


def _short(route: Route) -> str:
    return cut(", ".join(route.match) or "every alert", 120)


def _service_of(labels: Mapping[str, str], policy: Policy) -> str | None:
    """The service an alert names. One of the configuration's own spelling is preferred to another case of it."""
    name = next((labels[key] for key in SERVICE_LABELS if labels.get(key)), None)
    if name is None or name in policy.services:
        return name
    return next((known for known in policy.services if known.casefold() == name.casefold()), name)


def _verdict(
    alert: Alert,
    policy: Policy,
    route: Route,
    action: Action,
    judged: Judged,
    reason: str,
    service: str | None,
    named: str,
) -> Verdict:
    key, group = _group(alert, route, service)
    return Verdict(
        action=action,
        severity=judged.severity if action != "ignore" else None,
        assumed=judged.assumed,
        reason=cut(reason, 300),
        service=cut(service, 60) if service else None,
        runbook=route.runbook,
        private=route.private,
        group_key=key,
        group=cut(group, 120),
        window=route.window if route.window is not None else policy.triage.attach_window,
        title=route.title,
        when_alerts_end=route.when_alerts_end or policy.triage.when_alerts_end,
        quiet=route.quiet if route.quiet is not None else policy.triage.quiet,
        route=cut(named, 300),
    )


def _group(alert: Alert, route: Route, service: str | None) -> tuple[str, str]:
    """What ties alerts of one outage, as a key and in words.

    Service and environment, or what the route groups by; without any of those the sender's own group.
    """
    names = ("service", "env") if route.group_by is None else route.group_by
    special = {"service": service or "", "env": environment_of(alert.labels)}
    values = [(name, special.get(name) or alert.labels.get(name, "")) for name in names]
    nothing_said = not service if route.group_by is None else not any(value for _, value in values)
    if route.group_by == ():
        parts: list[object] = ["route", *route.match]
        words = "all alerts of the route"
    elif nothing_said:
        parts = ["sender", alert.source, alert.sender_group or alert.fingerprint]
        words = "the sender's own group"
    else:
        parts = ["labels", *values]
        words = ", ".join(f"{name}={value}" for name, value in values if value)
    # Alerts of a private route never meet those of a public one: the room, or its absence, would tell.
    text = _TO_JSON([*(["private"] if route.private else []), *parts])
    if len(text) > _KEY_MAX:
        text = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return text, words
