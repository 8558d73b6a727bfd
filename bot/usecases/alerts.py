"""The case of a delivery of alerts: judge each, compare with what is known, change at most one thing per incident."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from bot.domain.alert_plan import Known, Step, plan
from bot.domain.alert_reports import Runbooks, declaration, report
from bot.domain.alerts import ABSORBED_MAX, INEXACT_SHOWN, AlertBatch, Episode, Group, awaited
from bot.domain.asking import asked, brought
from bot.domain.commands import Command
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.policy import Policy
from bot.domain.questions import Question
from bot.domain.triage import Verdict
from bot.domain.watchdogs import heard
from bot.ports.clock import utc_now
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.asking import answered, ask
from bot.usecases.cases import Request
from bot.usecases.judging import Judgement, judge
from bot.usecases.unfold import unfold

PART_ALERTS: Final = 2000
"""Alerts decided about in one transaction: about a third of a second."""
PART_GROUPS: Final = 200
"""Outages in one transaction: each may open an incident, which costs a hundred times as much as an alert."""
OUTCOMES: Final = ("opened", "attached", "updated", "resolved", "unchanged", "ignored")
"""Strongest first."""
OUTCOME_OF: Final = {
    "open": "opened",
    "attach": "attached",
    "reopen": "attached",
    "ask": "attached",
    "update": "updated",
    "merge": "updated",
    "resolve": "resolved",
    "seen": "unchanged",
    "tombstone": "ignored",
    "ignore": "ignored",
}


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """One delivery. `runbooks` is a snapshot, so that running this again decides the same.

    `at` is when it came in, for routes that only count at some times. `judged`: it was judged before.
    """

    request: Request
    batch: AlertBatch
    policy: Policy
    runbooks: Runbooks
    at: datetime = field(default_factory=utc_now)
    ended: tuple[tuple[str, str], ...] = ()
    """What is over at the sender and is no alert here, by source and fingerprint: its incidents for our pages."""
    judged: Judgement | None = field(default=None, repr=False)
    verdicts: tuple[Verdict, ...] = field(init=False)
    _keys: Keys = field(init=False, repr=False)

    def __post_init__(self) -> None:
        batch, verdicts, keys = self.judged or judge(self.batch, self.policy, self.at)
        object.__setattr__(self, "batch", batch)
        object.__setattr__(self, "verdicts", verdicts)
        object.__setattr__(self, "_keys", keys)

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def parts(self) -> "list[ReportBatch]":
        """Return this delivery in parts of which each can be committed in time; nearly always it is one.

        A flood that was saved in part is no harm: sent again, what is saved changes nothing, and the rest is taken.
        """
        if len(self.verdicts) <= PART_GROUPS:
            return [self]
        ends, groups = [0], set[str]()
        for n, verdict in enumerate(self.verdicts):
            groups.add(verdict.group_key)
            if n - ends[-1] >= PART_ALERTS or len(groups) > PART_GROUPS:
                ends.append(n)
                groups = {verdict.group_key}
        if len(ends) == 1:
            return [self]
        alerts = self.batch.alerts
        made = []
        for first, end in pairwise([*ends, len(alerts)]):
            skipped = self.batch.skipped if end == len(alerts) else ()
            own = self.batch.model_copy(update={"skipped": skipped, "alerts": alerts[first:end]})
            name = f"{self.command_id}#{first}" if self.command_id else ""
            made.append(replace(self, request=replace(self.request, command_id=name), batch=own, judged=None))
        return made

    def keys(self) -> Keys:
        """What was found out when it was judged."""
        return self._keys

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
        by_question: dict[str, list[Step]] = {}
        groups: dict[str, Group] = {}
        for step in steps:
            number = _target(step, targets)
            writer.episode(step, number)
            writer.group(step, number, groups)
            if number is not None and step.kind in ("open", "attach", "reopen", "update", "resolve"):
                by_incident.setdefault(number, []).append(step)
            elif step.question is not None:
                by_question.setdefault(step.question, []).append(step)
        for question, own in by_question.items():
            ask(changes, asked(loaded.questions.get(question), own, now), now)
        for number, own in sorted(by_incident.items()):
            writer.incident(number, own)
        latest = {**loaded.asked, **{question.group: question for question in changes.questions}}
        for group, number in targets.items():
            writer.take_over(latest.get(group), number)
        changes.groups += groups.values()
        changes.heard |= dict.fromkeys(self._heard(), now)
        changes.answer = self._answer(steps, targets)
        return changes

    def plan(self, loaded: Loaded, now: datetime) -> list[Step]:
        """Return what becomes of each alert, held against what was loaded."""
        known = Known(loaded.episodes, loaded.groups, loaded.incidents, loaded.questions, loaded.asked)
        return plan(self.batch.alerts, self.verdicts, known, self.policy, now, self.ended)

    def _heard(self) -> Iterable[str]:
        """The watchdogs that this delivery shows to be alive."""
        dogs = self.policy.triage.watchdogs
        if not dogs:
            return ()
        return [name for one in self.batch.alerts if one.status == "firing" and (name := heard(one, dogs))]

    def _answer(self, steps: Iterable[Step], targets: Mapping[str, int]) -> Answer:
        results: list[dict[str, Any]] = []
        opened: set[int] = set()
        for step in steps:
            number = _target(step, targets)
            outcome = OUTCOME_OF[step.kind]
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


def joined(answers: Sequence[Answer]) -> Answer:
    """Return the answer to a delivery from those to its parts."""
    if len(answers) == 1:
        return answers[0]
    best = min(answers, key=lambda one: OUTCOMES.index(one.fields["outcome"]))
    results = [result for one in answers for result in one.fields["results"]]
    return best.model_copy(update={"fields": {**best.fields, "results": results}})


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
        if step.kind in ("open", "attach", "reopen", "ask", "tombstone"):
            self.changes.episodes.append(_new_episode(step, number, known, self.now))
        elif known is not None and step.kind == "ignore" and known.after(alert) is not known:
            # Late, but nothing newer told who answers.
            self.changes.episodes.append(known.after(alert).model_copy(update={"last_seen": self.now}))
        elif known is not None and step.kind in ("update", "resolve", "seen"):
            changed_at = alert.occurred_at or known.changed_at
            if step.kind == "seen" and changed_at == known.changed_at and known.after(alert) is known:
                self.changes.seen[known.id] = self.now
                return
            new: dict[str, Any] = {"last_seen": self.now, "changed_at": changed_at, "incident": number}
            if step.kind == "resolve":
                new |= {"closed_at": self.now, "absorbed": ()}
            elif alert.status == "firing":
                new["merged_into"] = ""  # the sender goes on with it after all
            if step.kind == "update":
                new |= {"severity": step.verdict.severity, "why": step.reason}
            self.changes.episodes.append(known.after(alert).model_copy(update=new))
        elif known is not None and step.kind == "merge":
            self._merge(step, known)

    def _merge(self, step: Step, known: Episode) -> None:
        """It goes on in another one, with all that were merged into it before."""
        source, changed_at = step.alert.source, step.alert.occurred_at or known.changed_at
        new = {"last_seen": self.now, "changed_at": changed_at, "merged_into": step.heir, "absorbed": ()}
        heir = self.loaded.episodes.get((source, step.heir)) or awaited(source, step.heir, self.now)
        ends = tuple(dict.fromkeys((*heir.absorbed, known.fingerprint, *known.absorbed)))
        more = {"last_seen": self.now, "absorbed": ends[-ABSORBED_MAX:]}
        self.changes.episodes += [known.after(step.alert).model_copy(update=new), heir.model_copy(update=more)]

    def group(self, step: Step, number: int | None, groups: dict[str, Group]) -> None:
        """The alert's group leads to its incident, unless it leads to another one that is still open."""
        key = step.verdict.group_key
        if number is None or step.kind in ("ignore", "tombstone") or step.verdict.action == "ignore":
            return
        known = groups.get(key) or self.loaded.groups.get(key)
        if known is not None and known.incident == number:
            if key not in groups:
                self.changes.seen_groups[key] = self.now
            return
        theirs = self.loaded.incidents.get(known.incident) if known else None
        if step.kind not in ("open", "attach", "reopen") or (theirs and theirs.is_active):
            return
        groups[key] = Group(key=key, incident=number, last_alert_at=self.now)

    def incident(self, number: int, steps: Sequence[Step]) -> None:
        """Tell one incident, or open it."""
        before = self.loaded.incidents.get(number)
        news = report(self.case.batch, before, steps)
        command = news if before else declaration(self.case.batch.source, steps, news, self.case.runbooks)
        context = Context(self.case.policy, self.now, f"alert:{self.case.batch.source}", number)
        self._unfold(before, command, context)

    def take_over(self, question: Question | None, number: int) -> None:
        """An incident is opened for a group about which people were asked: its alerts belong to it, too."""
        state = self.changes.incidents.get(number)
        if question is None or not question.is_open or state is None:
            return
        actor = f"alert:{self.case.batch.source}"
        self._unfold(state, brought(question, state), Context(self.case.policy, self.now, actor))
        ask(self.changes, answered(question, "declared", actor, self.now, number), self.now)

    def _unfold(self, before: Incident | None, command: Command, context: Context) -> None:
        unfold(self.changes, before, decide(before, command, context), context, self.case.request.request_id)


def _new_episode(step: Step, number: int | None, known: Episode | None, now: datetime) -> Episode:
    """The alert's next episode. Numbered, so that its id is the same when a transaction is tried again."""
    alert = step.alert
    ordinal = int(known.id.rpartition("/")[2]) + 1 if known else 1
    over = step.kind == "tombstone"
    if known is not None:
        now = max(now, known.last_seen)  # replicas' clocks differ; the newest episode must sort as the newest
    made = Episode(
        id=f"{alert.source}/{alert.fingerprint}/{ordinal:06}",
        source=alert.source,
        fingerprint=alert.fingerprint,
        incident=number,
        group=step.verdict.group_key,
        name=alert.name,
        severity=None if over else step.verdict.severity,
        labels=alert.labels,
        inexact=alert.inexact[:INEXACT_SHOWN],
        annotations=alert.annotations,
        url=alert.url,
        starts_at=alert.starts_at,
        opened_at=now,
        last_seen=now,
        closed_at=now if over else None,
        changed_at=alert.occurred_at,
        why=step.reason,
        route=step.verdict.route,
        question=step.question or "",
        absorbed=known.absorbed if known and known.awaited and not over else (),
        answered_at=known.answered_at if known else None,
        unanswered_at=known.unanswered_at if known else None,
    )
    return made.after(alert)
