"""What a delivery tells an incident, and how it declares one: counts, lines, title, runbook. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain import commands as c
from bot.domain.alert_pages import DASHBOARDS, RUNBOOK_PAGES, page_of, short_page, told_apart
from bot.domain.alert_plan import Step
from bot.domain.alerts import INEXACT_SHOWN, Alert, AlertBatch
from bot.domain.events import FACTS_MAX, AlertFact
from bot.domain.incident import Incident
from bot.domain.runbooks import Runbook
from bot.domain.sender_news import SENDERS
from bot.domain.severity import Severity
from bot.domain.text import TITLE_MAX, clean_line, cut, has_letters
from bot.domain.titles import fill_title
from bot.domain.triage import Verdict


class Runbooks(Protocol):
    """The runbooks as they are now. Pure: no file is read here."""

    def get(self, name: str) -> Runbook | None:
        """The runbook of that name."""
        ...

    def match(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], service: str | None, severity: Severity
    ) -> tuple[Runbook | None, str]:
        """The runbook that fits best, and why."""
        ...


def report(batch: AlertBatch, before: Incident | None, steps: Sequence[Step]) -> c.ReportAlerts:
    """What the delivery changes for one incident. Only a severity that an alert really states can raise it."""
    opened = [s for s in steps if s.kind in ("open", "attach", "reopen")]
    closed = [s for s in steps if s.kind == "resolve"]
    updated = [s for s in steps if s.kind == "update"]
    stated = [s for s in (*opened, *updated) if s.verdict.severity and not s.verdict.assumed]
    worst = min(stated, key=_rank, default=None)
    firing = (before.alerts_firing if before else 0) + len(opened) - len(closed)
    return c.ReportAlerts(
        facts=tuple(fact_of(s) for s in (*sorted(opened, key=_rank), *updated, *closed)[:FACTS_MAX]),
        opened=len(opened),
        closed=len(closed),
        firing=max(firing, 0),
        total=(before.alerts_total if before else 0) + len(opened),
        again=(before.alerts_again if before else 0) + sum(1 for step in opened if step.again),
        severity=worst.verdict.severity if worst else None,
        severity_reason=f"{worst.alert.name}: {worst.verdict.reason}" if worst else "",
        truncated=batch.truncated,
        raised=_answerable(opened),
        lowered=_answerable(closed),
    )


def handed_over(state: Incident, into: Incident) -> c.ReportAlerts:
    """What a merge brings to `into`: the alerts of `state` count there from now on."""
    return c.ReportAlerts(
        facts=tuple(
            fact.model_copy(update={"why": f"came with {state.key}, which was merged"}) for fact in state.newest_alerts
        ),
        opened=state.alerts_firing,
        closed=0,
        firing=into.alerts_firing + state.alerts_firing,
        total=into.alerts_total + state.alerts_total,
        again=into.alerts_again + state.alerts_again,
        truncated=max(into.alerts_left_out, state.alerts_left_out),
        raised=state.remotes,
        absorbed=(state.number, *state.absorbed),
    )


def _answerable(steps: Sequence[Step]) -> tuple[str, ...]:
    """The sender's incidents among `steps` that can be told of our acknowledgement."""
    return tuple(f"{s.alert.source}:{s.alert.fingerprint}" for s in steps if s.alert.source in SENDERS)


def _rank(step: Step) -> int:
    return step.verdict.severity.rank if step.verdict.severity else 9


def fact_of(step: Step) -> AlertFact:
    """Return what is told of the step's alert, in bounded words: a report and a question tell the same."""
    alert = step.alert
    return AlertFact(
        source=alert.source,
        fingerprint=alert.fingerprint,
        name=clean_line(alert.name, 120),
        summary=clean_line(alert.summary, 300),
        status=alert.status,
        url=short_page(alert.url),
        runbook_url=page_of(alert.annotations, RUNBOOK_PAGES),
        dashboard_url=page_of(alert.annotations, DASHBOARDS),
        why=clean_line(step.reason, 300),
        where=clean_line(told_apart(alert), 120),
        inexact=alert.inexact[:INEXACT_SHOWN],
    )


def declaration(source: str, steps: Sequence[Step], news: c.ReportAlerts | None, runbooks: Runbooks) -> c.Declare:
    """Return the declaration of the incident that `steps` open: the worst alert gives title, severity and runbook."""
    worst = min(steps, key=_rank)
    alert, verdict = worst.alert, worst.verdict
    assert verdict.severity is not None
    common = shared_by_all([s.alert.labels for s in steps])
    runbook, why = choose_runbook(alert, verdict, runbooks)
    more = f" (worst of {len(steps)} alerts)" if len(steps) > 1 else ""
    return c.Declare(
        title=incident_title(alert, verdict),
        severity=verdict.severity,
        assumed=verdict.assumed,
        severity_reason=verdict.reason + more,
        service=verdict.service,
        description=alert.annotations.get("description") or alert.annotations.get("message") or "",
        private=verdict.private,
        via=source,
        runbook=runbook,
        runbook_reason=why,
        labels=common,
        annotations=alert.annotations,
        previous=next((s.previous for s in steps if s.previous), None),
        alerts=news,
        when_alerts_end=verdict.when_alerts_end,
        quiet=verdict.quiet,
    )


def choose_runbook(alert: Alert, verdict: Verdict, runbooks: Runbooks) -> tuple[Runbook | None, str]:
    """Return the runbook that the route names, else the one that fits best, and why."""
    if verdict.runbook and (named := runbooks.get(verdict.runbook)):
        return named, "the route names it"
    labels = {"alertname": alert.name, **alert.labels}
    return runbooks.match(labels, alert.annotations, verdict.service, verdict.severity or Severity.SEV3)


def incident_title(alert: Alert, verdict: Verdict) -> str:
    """Return the title by the route's template, if it has one and it comes to something; else the alert's own."""
    if verdict.title:
        filled = fill_title(
            verdict.title,
            {
                "labels": alert.labels,
                "annotations": alert.annotations,
                "name": alert.name,
                "summary": alert.summary,
                "service": verdict.service or "",
                "severity": verdict.severity.label if verdict.severity else "",
                "source": alert.source,
            },
        )
        if has_letters(filled):
            return cut(filled, TITLE_MAX)
    return alert_title(alert, verdict.service)


def alert_title(alert: Alert, service: str | None) -> str:
    """Return `HighLatency: p99 over 2 s (checkout)`, cut in the middle so that the service stays readable."""
    summary = clean_line(alert.summary, TITLE_MAX)
    head = summary if summary.casefold().startswith(alert.name.casefold()) else f"{alert.name}: {summary}"
    head = head if summary else alert.name
    if not service or service.casefold() in head.casefold():
        return cut(clean_line(head, TITLE_MAX), TITLE_MAX)
    tail = f" ({clean_line(service, 60)})"
    return cut(clean_line(head, TITLE_MAX), TITLE_MAX - len(tail)) + tail


def shared_by_all(all_labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the labels that all have with the same value."""
    first, *rest = all_labels
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in rest)}
