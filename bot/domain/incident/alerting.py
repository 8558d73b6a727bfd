"""Rules for what alerts report."""

from datetime import timedelta

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.events import FACTS_MAX
from bot.domain.incident.context import Context
from bot.domain.incident.evolve import evolve
from bot.domain.incident.responding import call_first_responders, change_severity, reopened
from bot.domain.incident.state import Incident
from bot.domain.people import is_person
from bot.domain.sender_news import SENDERS
from bot.domain.severity import Status
from bot.domain.text import clean_line


def report_facts(command: c.ReportAlerts) -> e.AlertsReported:
    """Return the one fact that a delivery makes, whatever it carried."""
    return e.AlertsReported(
        opened=command.opened,
        closed=command.closed,
        firing=command.firing,
        total=command.total,
        again=command.again,
        truncated=command.truncated,
        raised=command.raised,
        lowered=command.lowered,
        absorbed=command.absorbed,
        facts=command.facts[:FACTS_MAX],
    )


def report_alerts(state: Incident, command: c.ReportAlerts, ctx: Context) -> list[e.Event]:
    """Alerts joined or left. Severity may rise by itself, never fall; a new firing after the resolve reopens."""
    made: list[e.Event] = [_news(state, command, ctx)]
    reopens = state.status is Status.RESOLVED and command.opened > 0
    rises = (state.is_active or reopens) and command.severity and command.severity.worse_than(state.severity)
    after = state
    if reopens:
        fact = reopened(state, state.severity, "the alert fires again", ctx)
        made.append(fact)
        after = evolve(state, e.Recorded(seq=state.seq + 1, at=ctx.now, actor=ctx.actor, event=fact))
    if rises and command.severity:
        made += change_severity(
            after,
            command.severity,
            clean_line(command.severity_reason, 500),
            ctx,
            by_itself=True,
            unseen=_unseen(command),
        )
    elif reopens:
        made += call_first_responders(state.severity, state.service, ctx, f"{state.severity.label} reopened")
    if (
        alerts_are_over(made[0])
        and state.when_alerts_end == "monitoring"
        and state.status in (Status.INVESTIGATING, Status.IDENTIFIED)
    ):
        made.append(e.StatusChanged(old=state.status, new=Status.MONITORING, text="all alerts have resolved"))
    return made


def _unseen(command: c.ReportAlerts) -> bool:
    """True if nobody need have looked: an alert is new, or comes from where no people work on it."""
    return command.opened > 0 or any(fact.source not in SENDERS for fact in command.facts)


def _news(state: Incident, command: c.ReportAlerts, ctx: Context) -> e.AlertsReported:
    """The fact; where the route said so and nobody has touched the incident, the clock of its quiet end with it."""
    fact = report_facts(command)
    alone = state.is_active and state.when_alerts_end == "resolve" and not state.touched
    if not alone or fact.firing or fact.truncated:
        return fact
    return fact.model_copy(update={"quiet_by": state.quiet_by or ctx.now + timedelta(seconds=state.quiet)})


def alerts_are_over(event: e.Event) -> bool:
    """True for the news that the last alert has resolved. What a sender left out may still be firing."""
    return isinstance(event, e.AlertsReported) and event.closed > 0 and event.firing == 0 and not event.truncated


def attend(state: Incident, command: c.Attend, ctx: Context) -> list[e.Event]:
    """Somebody came by themselves, or showed that they know: whoever was called has answered.

    An incident that would have ended alone is theirs now.
    """
    if not is_person(ctx.actor) or not state.is_active:
        return []
    made: list[e.Event] = []
    if owes_answer(state, ctx.actor):
        made.append(e.CallAnswered(user=ctx.actor, how=command.how))
    if command.how == "joined" and not state.touched and state.when_alerts_end == "resolve":
        made.append(e.Attended(user=ctx.actor))
    return made


def owes_answer(state: Incident, user: str) -> bool:
    """True for somebody who was called and has shown no sign yet."""
    call = state.calls.get(user)
    return call is not None and call.answered_at is None
