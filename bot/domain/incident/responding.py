"""Rules of the response: who is called, and what a change of severity does to that and to the clocks."""

from collections.abc import Collection
from datetime import datetime

from bot.domain import events as e
from bot.domain.incident.context import Context
from bot.domain.incident.state import Incident
from bot.domain.oncall import Reach, first_responders
from bot.domain.severity import Severity


def requested(target: str, reached: Reach, reason: str, level: int = 0) -> e.PageRequested:
    """Return the fact that somebody is called. Those who are gone are named in it, too."""
    return e.PageRequested(
        target=target,
        level=level,
        users=reached.users,
        usergroups=reached.usergroups,
        pagers=reached.pagers,
        reason=reason,
        skipped=reached.skipped,
    )


def call_first_responders(
    severity: Severity, service: str | None, ctx: Context, reason: str, here: Collection[str] = ()
) -> list[e.Event]:
    """Page (SEV1) or notify (SEV2) whoever is on call at once, as the severity says. Nobody configured: nothing.

    Those who are `here` need no call; where one of them is the one on call, the pagers beside them need none either.
    """
    policy = ctx.policy.severities[severity]
    if not policy.calls:
        return []
    reached = first_responders(ctx.policy, service, ctx.now, pagers=policy.page)
    users = tuple(user for user in reached.users if user not in here)
    pagers = reached.pagers if len(users) == len(reached.users) else ()
    called = Reach(users, reached.usergroups, pagers, reached.skipped)
    return [requested(service or "on-call", called, reason)] if called or called.skipped else []


def reopened(state: Incident, severity: Severity, reason: str, ctx: Context) -> e.Reopened:
    """Return the fact that it goes on, as `severity`: every clock of the work begins anew."""
    return e.Reopened(
        reason=reason,
        respond_by=ctx.respond_by(severity),
        update_by=ctx.update_by(severity),
        role_by=ctx.role_by(severity, state.roles),
        relief_by=ctx.relief_by(severity) if state.lead else None,
    )


def change_severity(
    state: Incident, severity: Severity, reason: str, ctx: Context, *, by_itself: bool = False, unseen: bool = False
) -> list[e.Event]:
    """Return the change of severity, and the calls that follow from it.

    Worse: no clock gets more time than it had, and whoever is on call is called (again). What was acknowledged stays so
    if a person raises it: they are here, and on-call comes to help. If an alert does, `unseen`, nobody need be looking:
    what was acknowledged was something less, and the response begins anew.

    Less bad: the clocks begin anew, with what the lesser severity promises.
    """
    worse = severity.worse_than(state.severity)
    again = worse and unseen and state.acknowledged_at is not None and ctx.policy.severities[severity].calls
    respond_by, anew = _response(state, severity, ctx, again=again)
    made: list[e.Event] = [
        e.SeverityChanged(
            old=state.severity,
            new=severity,
            reason=reason,
            by_itself=by_itself,
            respond_by=respond_by,
            update_by=_clock(state, severity, state.update_by, ctx.update_by(severity)),
            role_by=_clock(state, severity, state.role_by, ctx.role_by(severity, state.roles)),
            stale_after=ctx.stale_after(severity),
            relief_by=_clock(state, severity, state.relief_by, ctx.relief_by(severity) if state.lead else None),
            anew=anew,
            unacknowledged=state.acknowledged_by or "" if again else "",
        )
    ]
    if worse:
        here = _here(state, ctx) if state.acknowledged_at and not again else ()
        made += call_first_responders(severity, state.service, ctx, f"raised to {severity.label}", here)
    return made


def _response(state: Incident, severity: Severity, ctx: Context, *, again: bool) -> tuple[datetime | None, bool]:
    """Return when the response timer rings after the change, and whether its ladder begins anew.

    A ladder under way goes on where it is when it gets worse: nobody further up is called later than before. It begins
    anew where it had ended, and where it called no pagers, which it does from now on.
    """
    own = ctx.respond_by(severity)
    if state.acknowledged_at is not None:
        return (own, True) if again else (None, False)
    if severity is state.severity:
        return state.respond_by, False
    if state.severity.worse_than(severity) or state.respond_by is None:
        return own, True
    return min(own, state.respond_by), not ctx.policy.severities[state.severity].calls


def _clock(state: Incident, severity: Severity, old: datetime | None, new: datetime | None) -> datetime | None:
    """Return when a clock rings that rang at `old`, and would ring at `new` if it began now."""
    if severity is state.severity:
        return old
    return min(old, new) if old and new and severity.worse_than(state.severity) else new


def _here(state: Incident, ctx: Context) -> set[str]:
    """Whoever is at work on it, and need not be called to it."""
    answered = (user for user, call in state.calls.items() if call.answered_at)
    return {ctx.actor, state.acknowledged_by or "", *state.roles.values(), *answered}
