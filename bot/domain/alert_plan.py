"""What a delivery of alerts changes, by comparing states: one step per alert, each with its reason. Pure.

Senders repeat, retry, come in pairs and reorder; so a delivery is never an instruction ("open!") but a statement of
how things are, held against the newest episode of each alert.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from bot.domain.alerts import Alert, Episode, Group
from bot.domain.durations import format_duration
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.questions import Question, next_id
from bot.domain.severity import Status
from bot.domain.triage import Verdict, triage

MERGES_MAX: Final = 5
"""Merged into one that was merged into one…: followed so far."""
Kind = Literal["open", "attach", "reopen", "ask", "update", "merge", "resolve", "seen", "tombstone", "ignore"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record about the alerts of a delivery."""

    episodes: Mapping[tuple[str, str], Episode]
    groups: Mapping[str, Group]
    incidents: Mapping[int, Incident]
    questions: Mapping[str, Question] = field(default_factory=dict)
    """By id: those in which people are asked about one of the alerts."""
    asked: Mapping[str, Question] = field(default_factory=dict)
    """By group: its newest."""

    def question(self, episode: Episode | None) -> Question | None:
        """Return the question about `episode`, if it still belongs to no incident."""
        if episode is None or not episode.question or self.home(episode) is not None:
            return None
        return self.questions.get(episode.question)

    def home(self, episode: Episode | None) -> int | None:
        """Return the incident in which `episode` counts: its own, or its question's, or where that was merged."""
        if episode is None:
            return None
        number = episode.incident
        if number is None and episode.question in self.questions:
            number = self.questions[episode.question].incident
        home = self.follow(number)
        return home.number if home is not None else number

    def follow(self, number: int | None) -> Incident | None:
        """Return the incident `number`, or the one it was merged into."""
        incident = self.incidents.get(number or 0)
        for _ in range(MERGES_MAX):
            if incident is None or incident.merged_into is None:
                break
            incident = self.incidents.get(incident.merged_into, incident)
        return incident

    def heir(self, source: str, fingerprint: str) -> str:
        """Return the alert that goes on in the place of `fingerprint`: itself, or the last that it was merged into."""
        for _ in range(MERGES_MAX):
            episode = self.episodes.get((source, fingerprint))
            if episode is None or not (episode.is_open and episode.merged_into):
                break
            fingerprint = episode.merged_into
        return fingerprint


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one alert.

    `incident` is None with `open`: the new one of the verdict's group. `tombstone`: remember a resolve whose firing
    may still arrive, late. `previous` is the incident of the alert's last firing, if a new one is opened. `question`
    is the one that the step changes: with `ask` it may be a new one. With `merge`, `heir` is the alert that goes on.
    `again`: it has fired there before, and is counted already.
    """

    kind: Kind
    alert: Alert
    verdict: Verdict
    reason: str
    incident: int | None = None
    previous: int | None = None
    question: str | None = None
    heir: str = ""
    again: bool = False


def plan(
    alerts: Sequence[Alert],
    verdicts: Sequence[Verdict],
    known: Known,
    policy: Policy,
    now: datetime,
    ended: Iterable[tuple[str, str]] = (),
) -> list[Step]:
    """Return one step per alert, in order, and then one for each that was merged into one of them and ends with it.

    `ended` names others that are over, by source and fingerprint: what the sender opened for our own pages.
    """
    steps: list[Step] = []
    named: set[tuple[str, str]] = set()
    for alert, verdict in zip(alerts, verdicts, strict=True):
        key = (alert.source, alert.fingerprint)
        if key in named:
            steps.append(Step("ignore", alert, verdict, "named twice in this delivery; the first counts"))
        else:
            named.add(key)
            steps.append(_step(alert, verdict, known, policy, now))
    resolved = [one.alert for one in steps if one.kind in ("resolve", "tombstone") and not one.alert.merged_into]
    for key in (*((alert.source, alert.fingerprint) for alert in resolved), *ended):
        if (heir := known.episodes.get(key)) is not None:
            steps += _ended_with(heir, known, policy, now)
    return _gather(steps, known)


def _ended_with(heir: Episode, known: Known, policy: Policy, now: datetime) -> Iterator[Step]:
    """Yield the end of each alert that was merged into `heir`, which is over."""
    for fingerprint in heir.absorbed:
        episode = known.episodes.get((heir.source, fingerprint))
        if episode is None or not (episode.is_open and episode.merged_into):
            continue
        reason = f"it was merged into {heir.name or 'another one'}, which has resolved"
        alert = Alert(
            source=episode.source,
            fingerprint=fingerprint,
            status="resolved",
            name=episode.name,
            labels=episode.labels,
            annotations=episode.annotations,
            url=episode.url,
            because=reason,
        )
        yield _resolved(alert, triage(alert, policy, now), episode, known)


def _gather(steps: list[Step], known: Known) -> list[Step]:
    """Alerts that would open an incident join the open one of another alert of their group in the same delivery.

    Alertmanager sends the whole group when one alert joins it, so an old alert in the list is as good as one just seen.
    """
    joined: dict[str, int] = {}
    for step in steps:
        incident = known.incidents.get(step.incident or 0)
        if incident is not None and (incident.is_active or step.kind == "reopen"):
            joined.setdefault(step.verdict.group_key, incident.number)
    opened = {step.verdict.group_key for step in steps if step.kind == "open"}
    return [_gathered(step, joined.get(step.verdict.group_key), opened) for step in steps]


def _gathered(step: Step, target: int | None, opened: Container[str]) -> Step:
    if step.kind not in ("open", "ask"):
        return step
    if target is not None:
        again, reason = step.previous == target, _joins(target, step.verdict)
        return replace(step, kind="attach", incident=target, previous=None, question=None, reason=reason, again=again)
    if step.kind == "ask" and step.verdict.group_key in opened:
        reason = f"nobody is asked: another alert of its group opens an incident; {step.verdict.reason}"
        return replace(step, kind="open", question=None, reason=reason)
    return step


def _joins(number: int, verdict: Verdict) -> str:
    return f"joins INC-{number} with its group ({verdict.group}); {verdict.reason}"


def _step(alert: Alert, verdict: Verdict, known: Known, policy: Policy, now: datetime) -> Step:
    episode = known.episodes.get((alert.source, alert.fingerprint))
    if _is_late(alert, episode):
        reason = "older than what is known: it came late and changes nothing"
        return Step("ignore", alert, verdict, reason, known.home(episode))
    if alert.status == "resolved":
        return _resolved(alert, verdict, episode, known)
    if episode is not None and episode.is_open:
        return _still_firing(alert, verdict, episode, known)
    return _firing(alert, verdict, episode, known, policy, now)


def _is_late(alert: Alert, episode: Episode | None) -> bool:
    """True for what something newer is known of. Of a resolve and another event of the same moment the resolve is it.

    Only a sender that names its events tells a reopening apart, which alone may follow a resolve at once.
    """
    before = episode.changed_at if episode else None
    if alert.occurred_at is None or before is None or episode is None:
        return False
    if alert.occurred_at == before and alert.status == "firing" and not episode.is_open:
        return alert.what not in ("", "incident.reopened")
    return alert.occurred_at < before


def _resolved(alert: Alert, verdict: Verdict, episode: Episode | None, known: Known) -> Step:
    home = known.home(episode)
    if episode is None or not episode.is_open:
        unseen = episode is None or episode.awaited
        what = "resolved, but its firing was never seen" if unseen else "already resolved"
        ordered = alert.occurred_at is not None
        kind: Kind = "seen" if not unseen else "tombstone" if ordered else "ignore"
        return Step(kind, alert, verdict, what, home)
    if alert.merged_into:
        return _merged(alert, verdict, episode, known)
    return _over(alert, verdict, episode, known, alert.because or "resolved")


def _over(alert: Alert, verdict: Verdict, episode: Episode, known: Known, reason: str) -> Step:
    question = known.question(episode)
    counted_in = question.id if question and question.is_open else None
    return Step("resolve", alert, verdict, reason, known.home(episode), question=counted_in)


def _merged(alert: Alert, verdict: Verdict, episode: Episode, known: Known) -> Step:
    """The sender closed it, and goes on with another one: it is over when that is, or when both count as one here."""
    heir = known.heir(alert.source, alert.merged_into)
    other = known.episodes.get((alert.source, heir))
    if other is not None and not other.awaited and heir != alert.fingerprint:
        if not other.is_open and other.changed_at is not None:
            return _over(alert, verdict, episode, known, f"merged into {other.name}, which has resolved")
        # Where it is not open, it is what the sender opened for a page of ours.
        if _is_one(episode, other, known):
            return _over(alert, verdict, episode, known, "merged into another alert of this incident")
    what = "merged at the sender into another one; a merge is not a fix, so it stays open here until that has resolved"
    return Step(
        "seen" if episode.merged_into == heir else "merge", alert, verdict, what, known.home(episode), heir=heir
    )


def _is_one(episode: Episode, other: Episode, known: Known) -> bool:
    """True if both count in the same incident, or in the same question."""
    home = known.home(episode)
    if home is None:
        return bool(episode.question) and episode.question == other.question and other.is_open
    return known.home(other) == home


def _still_firing(alert: Alert, verdict: Verdict, episode: Episode, known: Known) -> Step:
    home = known.home(episode)
    incident = known.incidents.get(home or 0)
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
        return Step("update", alert, verdict, f"got worse: {verdict.reason}", home)
    if question := known.question(episode):
        if worse and question.is_open:
            return Step("update", alert, verdict, f"got worse: {verdict.reason}", question=question.id)
        return Step("seen", alert, verdict, _STANDS.get(question.state, "still firing"))
    return Step("seen", alert, verdict, "still firing", home)


_STANDS: Final = {
    "open": "still firing; people were asked and nobody has answered yet",
    "dismissed": "still firing; somebody dismissed it, so it stays quiet until it resolves",
}


def _firing(
    alert: Alert, verdict: Verdict, episode: Episode | None, known: Known, policy: Policy, now: datetime
) -> Step:
    """A new firing: it joins its own incident, or its group's, or reopens its own, or opens a new one."""
    if verdict.action == "ignore":
        return Step("ignore", alert, verdict, verdict.reason)
    own = known.follow(known.home(episode)) if episode else None
    recent = own is not None and _within(policy, episode, own, now)
    if own and recent and own.is_active:
        return Step("attach", alert, verdict, f"fires again in {own.key}; {verdict.reason}", own.number, again=True)
    group = known.groups.get(verdict.group_key)
    theirs = known.follow(group.incident) if group else None
    if group and theirs and theirs.is_active and now - group.last_alert_at <= verdict.window:
        window = format_duration(verdict.window)
        reason = f"joins {theirs.key}: same group ({verdict.group}), seen within {window}; {verdict.reason}"
        return Step("attach", alert, verdict, reason, theirs.number, again=own is theirs)
    if own and recent and own.status is Status.RESOLVED:
        window = format_duration(policy.triage.reopen_window)
        reason = f"fires again within {window} of the resolve: {own.key} reopened; {verdict.reason}"
        return Step("reopen", alert, verdict, reason, own.number, again=True)
    if verdict.action == "attach":
        return Step(
            "ignore", alert, verdict, f"{verdict.reason}; it only attaches, and no incident of its group is open"
        )
    previous = own.number if own else None
    if verdict.action == "triage":
        return _asks(alert, verdict, known.asked.get(verdict.group_key), previous, now, episode)
    return Step("open", alert, verdict, verdict.reason, previous=previous)


def _asks(
    alert: Alert, verdict: Verdict, last: Question | None, previous: int | None, now: datetime, episode: Episode | None
) -> Step:
    """People are asked, in one question for each group and window."""
    if last is not None and last.is_open and now - last.last_alert_at <= verdict.window:
        reason = f"counts in the question about its group ({verdict.group}); {verdict.reason}"
        again = episode is not None and episode.question == last.id
        return Step("ask", alert, verdict, reason, previous=previous, question=last.id, again=again)
    question = next_id(verdict.group_key, last)
    return Step("ask", alert, verdict, verdict.reason, previous=previous, question=question)


def _within(policy: Policy, episode: Episode | None, own: Incident, now: datetime) -> bool:
    """True if the alert or its incident was resolved no longer ago than the reopen window."""
    ends = [at for at in (episode.closed_at if episode else None, own.resolved_at) if at is not None]
    return bool(ends) and now - max(ends) <= policy.triage.reopen_window
