"""The case of a delivery of alerts: judge each, compare with what is known, change at most one thing per incident."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.domain.alert_plan import Known, Step, plan
from bot.domain.alert_reports import Runbooks, choose_runbook, declaration, report
from bot.domain.alerts import AlertBatch, Episode, Group
from bot.domain.incident import decide
from bot.domain.incident.context import Context
from bot.domain.policy import Policy
from bot.domain.triage import Verdict, triage
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.cases import Request
from bot.usecases.unfold import unfold

OUTCOMES: Final = ("opened", "attached", "updated", "resolved", "unchanged", "ignored")
"""Strongest first (CONTRACT, section 5)."""
_OUTCOME_OF: Final = {
    "open": "opened",
    "attach": "attached",
    "reopen": "attached",
    "update": "updated",
    "resolve": "resolved",
    "seen": "unchanged",
    "tombstone": "ignored",
    "ignore": "ignored",
}


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """One delivery. `runbooks` is a snapshot, so that running this again decides the same."""

    request: Request
    batch: AlertBatch
    policy: Policy
    runbooks: Runbooks
    verdicts: tuple[Verdict, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdicts", tuple(triage(alert, self.policy) for alert in self.batch.alerts))

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        """Every alert named, the group of every alert that fires, and a number if one of those might open."""
        firing = [v for a, v in zip(self.batch.alerts, self.verdicts, strict=True) if a.status == "firing"]
        named = {(a.source, a.fingerprint) for a in self.batch.alerts}
        named |= {(a.source, a.merged_into) for a in self.batch.alerts if a.merged_into}
        return Keys(
            groups=frozenset(v.group_key for v in self.verdicts if v.action != "ignore"),
            fingerprints=frozenset(named),
            opens=any(v.action == "open" for v in firing),
        )

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Compare, then write: one control event per incident, an episode per alert, one answer."""
        steps = self.plan(loaded, now)
        changes = Changes(Answer(kind="alerts"), self.command_id)
        targets = _opened(steps, loaded.next_number)
        changes.numbers = len(targets)
        writer = _Writer(self, loaded, changes, now)
        by_incident: dict[int, list[Step]] = {}
        groups: dict[str, Group] = {}
        for step in steps:
            number = _target(step, targets)
            writer.episode(step, number)
            writer.group(step, number, groups)
            if number is not None and step.kind in ("open", "attach", "reopen", "update", "resolve"):
                by_incident.setdefault(number, []).append(step)
        for number, own in sorted(by_incident.items()):
            writer.incident(number, own)
        changes.groups += groups.values()
        changes.answer = self._answer(steps, targets)
        return changes

    def plan(self, loaded: Loaded, now: datetime) -> list[Step]:
        """Return what becomes of each alert, held against what was loaded."""
        known = Known(loaded.episodes, loaded.groups, loaded.incidents)
        return plan(self.batch.alerts, self.verdicts, known, self.policy, now)

    def _answer(self, steps: Iterable[Step], targets: Mapping[str, int]) -> Answer:
        results: list[dict[str, Any]] = []
        opened: set[int] = set()
        for step in steps:
            number = _target(step, targets)
            outcome = _OUTCOME_OF[step.kind]
            if step.kind == "open" and number is not None:
                outcome = "attached" if number in opened else "opened"
                opened.add(number)
            results.append(_result(step.alert.fingerprint, outcome, number, step.reason))
        results += [_result(s.fingerprint, "ignored", None, s.reason) for s in self.batch.skipped]
        best = min(results, key=lambda r: OUTCOMES.index(r["outcome"]), default=None)
        number = best["number"] if best else None
        fields = {
            "outcome": best["outcome"] if best else "ignored",
            "incident": best["incident"] if best else None,
            "reason": best["reason"] if best else "the delivery holds no alert",
            "results": [{k: v for k, v in r.items() if k != "number"} for r in results],
        }
        return Answer(kind="alerts", incident=number, fields=fields)


def _result(fingerprint: str, outcome: str, number: int | None, reason: str) -> dict[str, Any]:
    key = f"INC-{number}" if number else None
    return {"fingerprint": fingerprint, "outcome": outcome, "incident": key, "reason": reason, "number": number}


def _opened(steps: Iterable[Step], next_number: int) -> dict[str, int]:
    """Give each group that opens an incident its number: group key → number."""
    targets: dict[str, int] = {}
    for step in steps:
        if step.kind == "open" and step.verdict.group_key not in targets:
            targets[step.verdict.group_key] = next_number + len(targets)
    return targets


def _target(step: Step, targets: Mapping[str, int]) -> int | None:
    return targets[step.verdict.group_key] if step.kind == "open" else step.incident


@dataclass(frozen=True, slots=True)
class _Writer:
    """Turns steps into changes."""

    case: ReportBatch
    loaded: Loaded
    changes: Changes
    now: datetime

    def episode(self, step: Step, number: int | None) -> None:
        """Open, close or refresh the alert's episode, and its group's last sight."""
        alert, known = step.alert, self.loaded.episodes.get((step.alert.source, step.alert.fingerprint))
        made: Episode | None = None
        if step.kind in ("open", "attach", "reopen", "tombstone"):
            made = _new_episode(step, number, known, self.now)
        elif known is not None and step.kind in ("update", "resolve", "seen"):
            new: dict[str, Any] = {"last_seen": self.now, "changed_at": alert.occurred_at or known.changed_at}
            if step.kind == "resolve":
                new["closed_at"] = self.now
            elif step.kind == "update":
                new |= {"severity": step.verdict.severity, "why": step.reason}
            made = known.model_copy(update=new)
        if made is not None:
            self.changes.episodes.append(made)

    def group(self, step: Step, number: int | None, groups: dict[str, Group]) -> None:
        """The alert's group leads to its incident, unless it leads to another one that is still open."""
        key = step.verdict.group_key
        if number is None or step.kind in ("ignore", "tombstone") or step.verdict.action == "ignore":
            return
        known = groups.get(key) or self.loaded.groups.get(key)
        joins = step.kind in ("open", "attach", "reopen")
        if known is None or known.incident != number:
            theirs = self.loaded.incidents.get(known.incident) if known else None
            if not joins or (theirs and theirs.is_active):
                return
        groups[key] = Group(key=key, incident=number, last_alert_at=self.now)

    def incident(self, number: int, steps: Sequence[Step]) -> None:
        """Tell one incident, or open it."""
        before = self.loaded.incidents.get(number)
        news = report(self.case.batch, before, steps)
        command = news if before else declaration(self.case.batch.source, steps, news, self.case.runbooks)
        actor = f"alert:{self.case.batch.source}"
        context = Context(self.case.policy, self.now, actor, number)
        unfold(
            self.changes,
            before,
            decide(before, command, context),
            policy=self.case.policy,
            now=self.now,
            actor=actor,
            request_id=self.case.request.request_id,
        )


def _new_episode(step: Step, number: int | None, known: Episode | None, now: datetime) -> Episode:
    """The alert's next episode. Numbered, so that its id is the same when a transaction is tried again."""
    alert = step.alert
    ordinal = int(known.id.rpartition("/")[2]) + 1 if known else 1
    over = step.kind == "tombstone"
    if known is not None:
        now = max(now, known.last_seen)  # replicas' clocks differ; the newest episode must sort as the newest
    return Episode(
        id=f"{alert.source}/{alert.fingerprint}/{ordinal:06}",
        source=alert.source,
        fingerprint=alert.fingerprint,
        incident=number,
        group=step.verdict.group_key,
        name=alert.name,
        severity=None if over else step.verdict.severity,
        labels=alert.labels,
        annotations=alert.annotations,
        url=alert.url,
        starts_at=alert.starts_at,
        opened_at=now,
        last_seen=now,
        closed_at=now if over else None,
        changed_at=alert.occurred_at,
        why=step.reason,
    )


def explain(
    batch: AlertBatch, policy: Policy, runbooks: Runbooks, loaded: Loaded | None, now: datetime
) -> dict[str, Any]:
    """Return what `batch` would do, and why, by the very decisions of ReportBatch. Writes nothing.

    `loaded`: what is on record (None: nothing is). JSON-safe.
    """
    case = ReportBatch(Request(actor=f"alert:{batch.source}"), batch, policy, runbooks)
    known = loaded or Loaded(next_number=1)
    steps = case.plan(known, now)
    answer = case.run(known, now).answer
    return {
        "outcome": answer.fields["outcome"],
        "incident": answer.fields["incident"],
        "reason": answer.fields["reason"],
        "truncated": batch.truncated,
        "alerts": [_explained(step, case) for step in steps],
        "skipped": [skipped.model_dump() for skipped in batch.skipped],
        "opens": _would_open(case, known, now),
    }


def _explained(step: Step, case: ReportBatch) -> dict[str, Any]:
    verdict = step.verdict
    runbook, why = choose_runbook(step.alert, verdict, case.runbooks) if verdict.severity else (None, "")
    return {
        "fingerprint": step.alert.fingerprint,
        "name": step.alert.name,
        "status": step.alert.status,
        "outcome": _OUTCOME_OF[step.kind],
        "reason": step.reason,
        "action": verdict.action,
        "severity": verdict.severity.value if verdict.severity else None,
        "severity_assumed": verdict.assumed,
        "severity_reason": verdict.reason,
        "service": verdict.service,
        "private": verdict.private,
        "group": verdict.group,
        "window_seconds": verdict.window.total_seconds(),
        "incident": f"INC-{step.incident}" if step.incident else None,
        "runbook": runbook.name if runbook else None,
        "runbook_reason": why,
    }


def _would_open(case: ReportBatch, known: Loaded, now: datetime) -> list[dict[str, Any]]:
    """The incidents it would open: title, severity, whom it would invite or page, what would be posted."""
    changes = case.run(known, now)
    opened = [new for number, new in changes.incidents.items() if number not in known.incidents]
    found = []
    for state in opened:
        service = case.policy.service(state.service)
        people = (*case.policy.severities[state.severity].invite, *service.invite, *service.owners)
        found.append(
            {
                "key": state.key,
                "title": state.title,
                "severity": state.severity.value,
                "channel": state.room_name,
                "service": state.service,
                "private": state.private,
                "runbook": state.runbook.name if state.runbook else None,
                "invited": sorted({*people, *state.people, *service.usergroups}),
                "paged": sorted(state.reached),
                "effects": [new.effect.kind for new in changes.effects if new.incident == state.number],
                "respond_by": state.respond_by.isoformat() if state.respond_by else None,
            }
        )
    return found
