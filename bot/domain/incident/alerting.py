"""Rules for what machines report: alerts, and timers that ring."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.incident.context import Context
from bot.domain.incident.people import call_first_responders
from bot.domain.incident.state import Incident
from bot.domain.oncall import escalation_level
from bot.domain.severity import Status
from bot.domain.text import clean_line

FACTS_MAX = 20
"""Alerts named in one event; the rest are counted, and each stands in its episode."""


def report_facts(command: c.ReportAlerts) -> e.AlertsReported:
    """Return the one fact that a delivery makes, whatever it carried."""
    return e.AlertsReported(
        opened=command.opened,
        closed=command.closed,
        firing=command.firing,
        total=command.total,
        truncated=command.truncated,
        facts=tuple(
            e.AlertFact(
                source=line.source,
                fingerprint=line.fingerprint,
                name=clean_line(line.name, 120),
                summary=clean_line(line.summary, 300),
                status=line.status,
                url=line.url[:500],
            )
            for line in command.lines[:FACTS_MAX]
        ),
    )


def report_alerts(state: Incident, command: c.ReportAlerts, ctx: Context) -> list[e.Event]:
    """Alerts joined or left. Severity may rise by itself, never fall; a new firing after the resolve reopens."""
    made: list[e.Event] = [report_facts(command)]
    reopens = state.status is Status.RESOLVED and command.opened > 0
    rises = (state.is_active or reopens) and command.severity and command.severity.worse_than(state.severity)
    severity = command.severity if rises and command.severity else state.severity
    waits = reopens or state.acknowledged_at is None
    if reopens:
        made.append(
            e.Reopened(
                reason="the alert fires again", respond_by=ctx.respond_by(severity), update_by=ctx.update_by(severity)
            )
        )
    if rises:
        earlier = state.respond_by if state.is_active else None
        made.append(
            e.SeverityChanged(
                old=state.severity,
                new=severity,
                reason=clean_line(command.severity_reason, 500),
                by_itself=True,
                respond_by=min(ctx.respond_by(severity), earlier or ctx.respond_by(severity)) if waits else None,
                update_by=ctx.update_by(severity),
            )
        )
    if waits and (reopens or rises):
        made += call_first_responders(severity, state.service, ctx, already=() if reopens else state.reached)
    return made


def fire_timer(state: Incident, command: c.FireTimer, ctx: Context) -> list[e.Event]:
    """A timer rang. One whose due time is not the one in force any more decides to nothing."""
    late = max((ctx.now - command.due).total_seconds(), 0.0)
    match command.kind:
        case "respond" if state.respond_by == command.due and state.is_active and state.acknowledged_at is None:
            return _escalate(state, command, ctx, late)
        case "update" if state.update_by == command.due and state.is_active:
            return [e.UpdateOverdue(due=command.due, late_by=late, next_at=ctx.update_by(state.severity))]
        case "postmortem" if state.postmortem_by == command.due and state.status is Status.RESOLVED:
            return [e.PostmortemOverdue(due=command.due, late_by=late)]
        case _:
            return []


def _escalate(state: Incident, command: c.FireTimer, ctx: Context, late: float) -> list[e.Event]:
    level = state.escalation + 1
    reached, wait = escalation_level(ctx.policy, state.service, level, ctx.now)
    overdue = e.ResponseOverdue(level=level, due=command.due, late_by=late, next_at=ctx.now + wait if wait else None)
    made: list[e.Event] = [overdue]
    if reached:
        made.append(
            e.PageRequested(
                target=f"escalation level {level}",
                level=level,
                users=reached.users,
                usergroups=reached.usergroups,
                pagers=reached.pagers,
                reason=f"nobody has acknowledged {state.key}",
            )
        )
    return made
