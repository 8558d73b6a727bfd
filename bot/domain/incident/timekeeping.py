"""Rules of the clocks: what it means that one rings, and how people move them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.durations import format_duration
from bot.domain.incident.context import Context, read_text
from bot.domain.incident.lifecycle import resolve
from bot.domain.incident.responding import requested
from bot.domain.incident.state import Incident
from bot.domain.oncall import escalate
from bot.domain.severity import Status
from bot.domain.timers import TIMERS

SNOOZE_MAX: Final = timedelta(weeks=4)
NAGGED_DAILY: Final = 5
"""Business days on each of which an overdue postmortem is said; after that once in as many."""

Ring = Callable[[Incident, datetime, Context, float], list[e.Event]]


def fire_timer(state: Incident, command: c.FireTimer, ctx: Context) -> list[e.Event]:
    """A timer rang. One whose due time is not the one in force any more decides to nothing."""
    timer = TIMERS.get(command.kind)
    if timer is None or getattr(state, timer.field) != command.due:
        return []
    late = max((ctx.now - command.due).total_seconds(), 0.0)
    return _RINGS[command.kind](state, command.due, ctx, late)


def snooze(state: Incident, command: c.Snooze, ctx: Context) -> list[e.Event]:
    """Let a timer ring later, counted from now. Those that call for something within reach are stopped instead."""
    timer = TIMERS.get(command.timer)
    if timer is None:
        raise r.UnknownTimer(word=command.timer, timers=", ".join(name for name, t in TIMERS.items() if not t.stop))
    old: datetime | None = getattr(state, timer.field)
    if old is None:
        raise r.TimerNotRunning(key=state.key, what=timer.title)
    if timer.stop:
        raise r.TimerNotSnoozed(what=timer.title, stop=timer.stop)
    if not timedelta(0) < command.span <= SNOOZE_MAX:
        what = f"A timer can be put off by at most {format_duration(SNOOZE_MAX)}"
        raise r.BadArgument(what=what, usage="snooze update 30m")
    if command.timer == "task" and ctx.now + command.span <= old:
        raise r.BadArgument(what="The next action item is due later than that", usage="snooze task 5d")
    reason = read_text(command.reason, "", optional=True, limit=1000)
    return [e.TimerSnoozed(timer=command.timer, old=old, until=ctx.now + command.span, reason=reason)]


def _respond(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    """Call the next level. A severity that calls nobody by itself rings no pagers either: it can wait for the day."""
    if not s.is_active or s.acknowledged_at is not None:
        return []
    level, place = s.escalation + 1, (s.escalation_place or s.escalation) + 1
    step = escalate(ctx.policy, s.service, place, ctx.now, pagers=ctx.policy.severities[s.severity].calls)
    reached = step.reach
    overdue = e.ResponseOverdue(
        level=level,
        due=due,
        late_by=late,
        next_at=ctx.now + step.wait if step.wait else None,
        place=step.place,
        empty=step.empty,
    )
    if not reached and not reached.skipped:
        return [overdue]
    return [overdue, requested(f"escalation level {level}", reached, f"nobody has acknowledged {s.key}", level)]


def _update(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    return [e.UpdateOverdue(due=due, late_by=late, next_at=ctx.update_by(s.severity))] if s.is_active else []


def _role(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    missing = ctx.missing_roles(s.severity, s.roles)
    if not s.is_active or not missing:
        return []
    return [e.RoleUnfilled(roles=missing, due=due, late_by=late, next_at=ctx.role_by(s.severity, s.roles))]


def _relief(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    if not s.is_active or s.lead is None:
        return []
    if held := _held("relief", s.lead, due, ctx):
        return [held]
    return [e.ReliefDue(user=s.lead, due=due, late_by=late, next_at=ctx.relief_by(s.severity))]


def _stale(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    if not s.is_active or s.stale_after is None:
        return []
    if held := _held("stale", s.lead, due, ctx):
        return [held]
    span = timedelta(seconds=s.stale_after)
    return [e.WentStale(idle=s.stale_after, due=due, late_by=late, next_at=ctx.now + span)]


def _quiet(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    if not s.is_active or s.alerts_firing:
        return []
    text = "All alerts resolved, and nobody needed to do anything: resolved by itself"
    return resolve(s, c.Resolve(text), ctx)


def _postmortem(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    """It is owed until the incident is closed: said each business day for a week, and then once a week."""
    if s.status is not Status.RESOLVED:
        return []
    if held := _held("postmortem", s.lead, due, ctx):
        return [held]
    since, days = s.postmortem_due or due, ctx.policy.organization.business_days
    rare = ctx.now >= days.after(since, NAGGED_DAILY)
    next_at = days.after(ctx.now, NAGGED_DAILY if rare else 1)
    return [e.PostmortemOverdue(due=since, late_by=late, next_at=next_at)]


def _task(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    """Every action item that is due by now, each a fact of its own; of who must not be disturbed now, none."""
    made: list[e.Event] = []
    held: dict[str, e.TimerHeld] = {}
    for task in s.tasks:
        at = task.rings_at
        if at is None or at > ctx.now or task.due is None or task.owner in held:
            continue
        if waits := _held("task", task.owner, due, ctx):
            held[waits.user] = waits
        else:
            made.append(e.TaskOverdue(number=task.number, due=task.due, late_by=(ctx.now - at).total_seconds()))
    return [*held.values(), *made]


def _held(kind: str, user: str | None, due: datetime, ctx: Context) -> e.TimerHeld | None:
    """Return the fact that a reminder waits for the end of the quiet hours of `user`, whom it would disturb.

    It waits once: of somebody whose quiet hours follow each other without a gap, it would never be said.
    """
    until = ctx.policy.calm_until(user, ctx.now) if user else None
    if user is None or until is None or ctx.policy.calm_until(user, until):
        return None
    return e.TimerHeld(timer=kind, user=user, due=due, until=until)


def _archive(s: Incident, due: datetime, ctx: Context, late: float) -> list[e.Event]:
    if s.status not in (Status.CLOSED, Status.CANCELLED):
        return []
    return [e.RoomExpired(due=due, late_by=late)]


_RINGS: Final[Mapping[str, Ring]] = {
    "respond": _respond,
    "update": _update,
    "role": _role,
    "relief": _relief,
    "stale": _stale,
    "quiet": _quiet,
    "postmortem": _postmortem,
    "task": _task,
    "archive": _archive,
}
