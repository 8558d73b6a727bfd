"""What alerts make of a question, and what a question makes of an incident. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain import commands as c
from bot.domain.alert_plan import Step
from bot.domain.alert_reports import Runbooks, declaration, fact_of, shared_by_all
from bot.domain.events import AlertFact
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.questions import SHOWN, Named, Question
from bot.domain.sender_news import SENDERS
from bot.domain.severity import Severity
from bot.domain.triage import triage


def asked(before: Question | None, steps: Sequence[Step], now: datetime) -> Question:
    """Return the question after `steps` of its alerts. Severity may only rise; one that nobody answered may be over."""
    question = before or _new(steps, now)
    new = [step for step in steps if step.kind == "ask"]
    over = sum(1 for step in steps if step.kind == "resolve")
    firing = max(question.firing + len(new) - over, 0)
    worst = min((s for s in steps if s.kind != "resolve"), key=_rank, default=None)
    worse = worst is not None and _severity(worst).worse_than(question.severity)
    changed = {
        "version": question.version + 1 if before else 1,
        "firing": firing,
        "total": question.total + sum(1 for step in new if not step.again),
        "alerts": (*question.alerts, *(_named(step) for step in new))[-SHOWN:],
        "labels": shared_by_all([question.labels, *(step.alert.labels for step in new)]),
        "state": "over" if question.is_open and not firing else question.state,
    }
    if new:
        changed["last_alert_at"] = now
    if worst is not None and worse:
        changed |= {"worst": worst.alert, "severity": _severity(worst), "reason": worst.verdict.reason}
        changed["assumed"] = worst.verdict.assumed
    return question.model_copy(update=changed)


def _new(steps: Sequence[Step], now: datetime) -> Question:
    first = min(steps, key=_rank)
    verdict = first.verdict
    assert first.question is not None
    return Question(
        id=first.question,
        group=verdict.group_key,
        words=verdict.group,
        opened_at=now,
        last_alert_at=now,
        firing=0,
        total=0,
        severity=_severity(first),
        assumed=verdict.assumed,
        reason=verdict.reason,
        worst=first.alert,
        service=verdict.service,
        private=verdict.private,
        labels=first.alert.labels,
        alerts=(),
        previous=next((step.previous for step in steps if step.previous), None),
        to=verdict.ask,
    )


def _severity(step: Step) -> Severity:
    return step.verdict.severity or Severity.SEV3


def _rank(step: Step) -> int:
    return _severity(step).rank


def _named(step: Step) -> Named:
    return Named(**fact_of(step).model_dump(exclude={"status"}))


def brought(question: Question, into: Incident | None) -> c.ReportAlerts:
    """Return what the question's alerts bring to an incident: those that fire count there."""
    return c.ReportAlerts(
        facts=tuple(AlertFact(status="firing", **one.model_dump()) for one in question.alerts),
        opened=question.firing,
        closed=0,
        firing=(into.alerts_firing if into else 0) + question.firing,
        total=(into.alerts_total if into else 0) + question.firing,
        again=into.alerts_again if into else 0,
        severity=question.severity if not question.assumed else None,
        severity_reason=f"{question.worst.name}: {question.reason}",
        raised=tuple(f"{one.source}:{one.fingerprint}" for one in question.alerts if one.source in SENDERS),
    )


def declared(question: Question, policy: Policy, runbooks: Runbooks, now: datetime) -> c.Declare:
    """Return the declaration of what the question asks about, as bad as it was judged."""
    verdict = replace(
        triage(question.worst, policy, now),
        action="open",
        severity=question.severity,
        assumed=question.assumed,
        reason=question.reason,
        service=question.service,
        private=question.private,
        group_key=question.group,
        group=question.words,
    )
    step = Step("open", question.worst, verdict, question.reason, previous=question.previous)
    command = declaration(question.worst.source, [step], brought(question, None), runbooks)
    return replace(command, labels=question.labels)
