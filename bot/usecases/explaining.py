"""What a delivery of alerts would do, and why, by the very decisions that would do it. Writes nothing."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.domain.alert_plan import Step
from bot.domain.alert_reports import Runbooks, choose_runbook
from bot.domain.alerts import AlertBatch
from bot.domain.policy import Policy
from bot.ports.store import Changes, Loaded
from bot.render.slack.renderer import Renderer
from bot.usecases.alerts import OUTCOME_OF, ReportBatch
from bot.usecases.cases import Request
from bot.usecases.rehearsing import Rehearsal
from bot.usecases.sender_news import HearBatch

NOTHING_ON_RECORD = "nothing on record was looked at"


def case_of(
    batch: AlertBatch, policy: Policy, runbooks: Runbooks, now: datetime, installation: str = ""
) -> ReportBatch | HearBatch:
    """Return the case of `batch`, as the door submits it. Its keys say what it has to see."""
    report = ReportBatch(Request(actor=f"alert:{batch.source}"), batch, policy, runbooks, now)
    return HearBatch.of(report, installation) if batch.news else report


def explain(
    batch: AlertBatch,
    policy: Policy,
    runbooks: Runbooks,
    loaded: Loaded | None,
    now: datetime,
    *,
    installation: str = "",
    render: Renderer | None = None,
    unseen: str = NOTHING_ON_RECORD,
) -> dict[str, Any]:
    """Return what `batch` would do, and why. Writes nothing. JSON-safe.

    `loaded` is what is on record; None: nothing is known of that, and `unseen` says why. With `render` it also says
    what would be posted, in words.
    """
    case = case_of(batch, policy, runbooks, now, installation)
    report = case.report if isinstance(case, HearBatch) else case
    known = loaded or Loaded(next_number=1)
    steps = report.plan(known, now)
    changes = case.run(known, now)
    answer = changes.answer
    asks = any(step.kind == "ask" for step in steps) and not answer.incident
    return {
        "outcome": "asked" if asks else answer.fields["outcome"],
        "incident": answer.fields["incident"],
        "reason": answer.fields["reason"],
        "record": "" if loaded is not None else unseen,
        "truncated": batch.truncated,
        "alerts": [_explained(step, report) for step in steps],
        "heard": _heard(answer.fields["results"], steps),
        "skipped": [skipped.model_dump() for skipped in batch.skipped],
        "opens": _would_open(changes, known, policy),
        "posts": [asdict(one) for one in Rehearsal(policy, render, now).of(changes)] if render else [],
    }


def _explained(step: Step, case: ReportBatch) -> dict[str, Any]:
    verdict = step.verdict
    runbook, why = choose_runbook(step.alert, verdict, case.runbooks) if verdict.severity else (None, "")
    return {
        "fingerprint": step.alert.fingerprint,
        "name": step.alert.name,
        "status": step.alert.status,
        "outcome": "asked" if step.kind == "ask" else OUTCOME_OF[step.kind],
        "asks": list(verdict.ask) if step.kind == "ask" else [],
        "reason": step.reason,
        "route": verdict.route,
        "action": verdict.action,
        "severity": verdict.severity.value if verdict.severity else None,
        "severity_assumed": verdict.assumed,
        "severity_reason": verdict.reason,
        "service": verdict.service,
        "private": verdict.private,
        "group": verdict.group,
        "window_seconds": verdict.window.total_seconds(),
        "when_alerts_end": verdict.when_alerts_end,
        "quiet_seconds": verdict.quiet.total_seconds(),
        "incident": f"INC-{step.incident}" if step.incident else None,
        "runbook": runbook.name if runbook else None,
        "runbook_reason": why,
    }


def _heard(results: Iterable[dict[str, Any]], steps: Iterable[Step]) -> list[dict[str, Any]]:
    """What becomes of the news: the results that no alert's own decision accounts for."""
    decided = {(step.alert.fingerprint, step.reason) for step in steps}
    skipped = {(one["fingerprint"], one["reason"]) for one in results if not one["fingerprint"]}
    return [one for one in results if (one["fingerprint"], one["reason"]) not in decided | skipped]


def _would_open(changes: Changes, known: Loaded, policy: Policy) -> list[dict[str, Any]]:
    """The incidents it would open: title, severity, whom it would invite or page, what would be done."""
    found = []
    for state in (new for number, new in changes.incidents.items() if number not in known.incidents):
        service = policy.service(state.service)
        people = (*policy.severities[state.severity].invite, *service.invite, *service.owners)
        found.append(
            {
                "key": state.key,
                "title": state.title,
                "severity": state.severity.value,
                "channel": state.room_name,
                "service": state.service,
                "private": state.private,
                "when_alerts_end": state.when_alerts_end,
                "quiet_seconds": state.quiet,
                "runbook": state.runbook.name if state.runbook else None,
                "invited": sorted({*people, *state.people, *service.usergroups}),
                "paged": sorted(state.reached),
                "effects": [new.effect.kind for new in changes.effects if new.incident == state.number],
                "respond_by": state.respond_by.isoformat() if state.respond_by else None,
            }
        )
    return found
