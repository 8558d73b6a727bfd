"""What a delivery of alerts changes, by comparing states: one step per alert, each with its reason. Pure.

Senders repeat, retry, come in pairs and reorder; so a delivery is never an instruction ("open!") but a statement of
how things are, held against the newest episode of each alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot.domain.alerts import Alert, Episode, Group
from bot.domain.durations import format_duration
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Status
from bot.domain.triage import Verdict

Kind = Literal["open", "attach", "reopen", "update", "resolve", "seen", "tombstone", "ignore"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record about the alerts of a delivery."""

    episodes: Mapping[tuple[str, str], Episode]
    groups: Mapping[str, Group]
    incidents: Mapping[int, Incident]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one alert.

    `incident` is None with `open`: the new one of the verdict's group. `tombstone`: remember a resolve whose firing
    may still arrive, late. `previous` is the incident of the alert's last firing, if a new one is opened.
    """

    kind: Kind
    alert: Alert
    verdict: Verdict
    reason: str
    incident: int | None = None
    previous: int | None = None


def plan(
    alerts: Sequence[Alert], verdicts: Sequence[Verdict], known: Known, policy: Policy, now: datetime
) -> list[Step]:
    """Return one step per alert, in order."""
    steps: list[Step] = []
    named: set[tuple[str, str]] = set()
    for alert, verdict in zip(alerts, verdicts, strict=True):
        key = (alert.source, alert.fingerprint)
        if key in named:
            steps.append(Step("ignore", alert, verdict, "named twice in this delivery; the first counts"))
        else:
            named.add(key)
            steps.append(_step(alert, verdict, known, policy, now))
    return _gather(steps, known)


def _gather(steps: list[Step], known: Known) -> list[Step]:
    """Alerts that would open an incident join the open one of another alert of their group in the same delivery.

    Alertmanager sends the whole group when one alert joins it, so an old alert in the list is as good as one just seen.
    """
    joined: dict[str, int] = {}
    for step in steps:
        incident = known.incidents.get(step.incident or 0)
        if incident is not None and (incident.is_active or step.kind == "reopen"):
            joined.setdefault(step.verdict.group_key, incident.number)
    return [
        replace(step, kind="attach", incident=target, previous=None, reason=_joins(target, step.verdict))
        if step.kind == "open" and (target := joined.get(step.verdict.group_key)) is not None
        else step
        for step in steps
    ]


def _joins(number: int, verdict: Verdict) -> str:
    return f"joins INC-{number} with its group ({verdict.group}); {verdict.reason}"


def _step(alert: Alert, verdict: Verdict, known: Known, policy: Policy, now: datetime) -> Step:
    episode = known.episodes.get((alert.source, alert.fingerprint))
    if _is_late(alert, episode):
        reason = "older than what is known: it came late and changes nothing"
        return Step("ignore", alert, verdict, reason, episode.incident if episode else None)
    if alert.status == "resolved":
        return _resolved(alert, verdict, episode, known)
    if episode is not None and episode.is_open:
        return _still_firing(alert, verdict, episode, known)
    return _firing(alert, verdict, episode, known, policy, now)


def _is_late(alert: Alert, episode: Episode | None) -> bool:
    before = episode.changed_at if episode else None
    return alert.occurred_at is not None and before is not None and alert.occurred_at < before


def _resolved(alert: Alert, verdict: Verdict, episode: Episode | None, known: Known) -> Step:
    if episode is None or not episode.is_open:
        what = "already resolved" if episode else "resolved, but its firing was never seen"
        ordered = alert.occurred_at is not None and not alert.merged_into
        kind: Kind = "tombstone" if episode is None and ordered else "seen" if episode else "ignore"
        return Step(kind, alert, verdict, what, episode.incident if episode else None)
    if alert.merged_into:
        other = known.episodes.get((alert.source, alert.merged_into))
        if other is None or not other.is_open or other.incident != episode.incident:
            what = "merged at the sender into another one; a merge is not a fix, so it stays open here"
            return Step("seen", alert, verdict, what, episode.incident)
        return Step("resolve", alert, verdict, "merged into another alert of this incident", episode.incident)
    return Step("resolve", alert, verdict, "resolved", episode.incident)


def _still_firing(alert: Alert, verdict: Verdict, episode: Episode, known: Known) -> Step:
    incident = known.incidents.get(episode.incident or 0)
    worse = (
        verdict.severity is not None
        and not verdict.assumed
        and (episode.severity is None or verdict.severity.worse_than(episode.severity))
    )
    # Held against the alert's own severity, too: people may have lowered the incident's on purpose.
    if (
        worse
        and incident
        and incident.is_active
        and verdict.severity
        and verdict.severity.worse_than(incident.severity)
    ):
        return Step("update", alert, verdict, f"got worse: {verdict.reason}", episode.incident)
    return Step("seen", alert, verdict, "still firing", episode.incident)


def _firing(
    alert: Alert, verdict: Verdict, episode: Episode | None, known: Known, policy: Policy, now: datetime
) -> Step:
    """A new firing: it joins its own incident, or its group's, or reopens its own, or opens a new one."""
    if verdict.action == "ignore":
        return Step("ignore", alert, verdict, verdict.reason)
    own = _follow(episode.incident, known) if episode else None
    recent = own is not None and _within(policy, episode, own, now)
    if own and recent and own.is_active:
        return Step("attach", alert, verdict, f"fires again in {own.key}; {verdict.reason}", own.number)
    group = known.groups.get(verdict.group_key)
    theirs = _follow(group.incident, known) if group else None
    if group and theirs and theirs.is_active and now - group.last_alert_at <= verdict.window:
        window = format_duration(verdict.window)
        reason = f"joins {theirs.key}: same group ({verdict.group}), seen within {window}; {verdict.reason}"
        return Step("attach", alert, verdict, reason, theirs.number)
    if own and recent and own.status is Status.RESOLVED:
        window = format_duration(policy.triage.reopen_window)
        reason = f"fires again within {window} of the resolve: {own.key} reopened; {verdict.reason}"
        return Step("reopen", alert, verdict, reason, own.number)
    if verdict.action == "attach":
        return Step(
            "ignore", alert, verdict, f"{verdict.reason}; it only attaches, and no incident of its group is open"
        )
    return Step("open", alert, verdict, verdict.reason, previous=own.number if own else None)


def _within(policy: Policy, episode: Episode | None, own: Incident, now: datetime) -> bool:
    """True if the alert or its incident was resolved no longer ago than the reopen window."""
    ends = [at for at in (episode.closed_at if episode else None, own.resolved_at) if at is not None]
    return bool(ends) and now - max(ends) <= policy.triage.reopen_window


def _follow(number: int | None, known: Known) -> Incident | None:
    """The incident `number`, or the one it was merged into."""
    incident = known.incidents.get(number or 0)
    for _ in range(5):
        if incident is None or incident.merged_into is None:
            break
        incident = known.incidents.get(incident.merged_into, incident)
    return incident
