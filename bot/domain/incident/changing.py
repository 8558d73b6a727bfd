"""Parts of evolve: how single fields change. Each returns values or a mapping of field → new value."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.incident.state import (
    Call,
    Incident,
    Room,
    Silence,
    Task,
)
from bot.domain.severity import Status
from bot.domain.text import cut
from bot.domain.timers import TIMERS

PEOPLE_MAX = 50
ALERTS_KEPT = 5
"""Alerts that the channel sees by name; the others are counted."""
SHORT = 200
"""Characters of what the state keeps of longer words."""

OVER: dict[str, object] = dict.fromkeys(
    ("respond_by", "update_by", "role_by", "relief_by", "stale_by", "quiet_by", "handoff")
)
"""What ends with the work on an incident."""
NOBODY_CALLED: dict[str, object] = {"reached": {}, "calls": {}}
"""Who was called for what is over need not be called for what begins."""
CALLS_MAX = 20


def later(at: datetime, seconds: float | None) -> datetime | None:
    return at + timedelta(seconds=seconds) if seconds else None


def somebody_acted(changes: dict[str, object], s: Incident, at: datetime) -> dict[str, object]:
    """It is not left alone: it does not resolve by itself, and is not stale for a while."""
    status = changes.get("status", s.status)
    if not isinstance(status, Status) or not status.is_active or "stale_by" in changes:
        return {"quiet_by": None, "touched": True}
    after = changes.get("stale_after", s.stale_after)
    return {"quiet_by": None, "touched": True, "stale_by": later(at, after if isinstance(after, float) else None)}


def task_changes(tasks: tuple[Task, ...]) -> dict[str, object]:
    """The clock of action items rings for the next of which nobody was reminded yet."""
    return {"tasks": tasks, "task_by": min((at for t in tasks if (at := t.rings_at)), default=None)}


def changed_task(tasks: tuple[Task, ...], number: int, **how: bool) -> dict[str, object]:
    return task_changes(tuple(t.model_copy(update=how) if t.number == number else t for t in tasks))


def put_off(s: Incident, timer: str, until: datetime, owner: str | None = None) -> dict[str, object]:
    """The timer rings at `until`. That of action items: each that would be said before, of `owner` or all, waits."""
    if timer not in TIMERS:
        return {}
    if timer != "task" or not s.tasks:
        return {TIMERS[timer].field: until}
    return task_changes(
        tuple(
            t.model_copy(update={"put_off": until})
            if (at := t.rings_at) and at < until and owner in (None, t.owner)
            else t
            for t in s.tasks
        )
    )


def severity_changed(s: Incident, ev: e.SeverityChanged, at: datetime) -> dict[str, object]:
    changes: dict[str, object] = {
        "severity": ev.new,
        "severity_assumed": False,
        "severity_reason": ev.reason or s.severity_reason,
        "respond_by": ev.respond_by,
        "update_by": ev.update_by,
        "role_by": ev.role_by,
        "stale_after": ev.stale_after,
    }
    if ev.v > 1:
        changes |= {"relief_by": ev.relief_by}
        changes |= {"stale_by": later(at, ev.stale_after)} if ev.stale_after != s.stale_after else {}
    if ev.anew:
        changes |= {"escalation": 0, "escalation_place": 0}
    if ev.unacknowledged:
        changes |= {"acknowledged_at": None, "acknowledged_by": None, "asked_again_at": at, **NOBODY_CALLED}
    return changes


def called(s: Incident, ev: e.PageRequested, at: datetime) -> dict[str, object]:
    """Whoever is called is waited for. The ladder calls many again: of whom has answered, that stays."""
    whom = (*ev.users, *ev.pagers)
    answered = {one for one in whom if ev.v == 1 or (ev.level and (c := s.calls.get(one)) and c.answered_at)}
    kept = {one for one in {**s.reached, **s.calls} if one in answered or one not in whom}
    reached = dict.fromkeys(whom, "paged") | {k: v for k, v in s.reached.items() if k in kept}
    calls = {one: Call(at=at) for one in whom} | {k: v for k, v in s.calls.items() if k in kept}
    return {
        "reached": dict(list(reached.items())[:PEOPLE_MAX]),
        "calls": dict(list(calls.items())[:CALLS_MAX]),
        "people": with_people(s.people, ev.users),
    }


def room_changes(s: Incident, ev: e.RoomCreated) -> dict[str, object]:
    """The channel is there. In a new one (the old one stayed in the archive) nothing stands yet."""
    moved = s.room is not None and s.room.channel != ev.channel
    kept = {what: at for what, at in s.messages.items() if s.room is None or at.channel != s.room.channel}
    return {
        "room": Room(channel=ev.channel, name=ev.name),
        "archived": s.archived and s.status is Status.CANCELLED,
        "messages": kept if moved else s.messages,
    }


def ending_silences(s: Incident, keys: Iterable[str]) -> dict[str, Silence]:
    """What is silent at the sender for the sake of an incident shall not stay so when nobody looks at it any more."""
    gone = set(keys)
    return {k: v.model_copy(update={"ending": True}) if k in gone else v for k, v in s.silences.items()}


def step_marked(s: Incident, ev: e.StepMarked) -> dict[str, object]:
    if s.runbook is None:
        return {}
    outcomes = {k: v for k, v in s.runbook.outcomes.items() if k != ev.number}
    if ev.outcome != "open":
        outcomes[ev.number] = ev.outcome
    return {"runbook": s.runbook.model_copy(update={"outcomes": outcomes})}


def newest_alerts(known: tuple[e.AlertFact, ...], facts: Sequence[e.AlertFact]) -> tuple[e.AlertFact, ...]:
    """The worst of a delivery stands first in it, so that is what is kept of a long one, and ends up newest."""
    news = [
        fact.model_copy(update={"summary": cut(fact.summary, SHORT), "why": ""})
        for fact in reversed(facts[:ALERTS_KEPT])
    ]
    told = {(one.source, one.fingerprint) for one in news}
    return (*(one for one in known if (one.source, one.fingerprint) not in told), *news)[-ALERTS_KEPT:]


def call_changes(s: Incident, target: str, how: dict[str, object]) -> dict[str, object]:
    known = s.calls.get(target)
    return {"calls": {**s.calls, target: known.model_copy(update=how)}} if known else {}


def answered(s: Incident, who: str, how: str, at: datetime) -> dict[str, object]:
    """The first sign of somebody who was called."""
    known = s.calls.get(who)
    return call_changes(s, who, {"answered_at": at, "how": how}) if known and known.answered_at is None else {}


def with_people(people: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*people, *more)))[:PEOPLE_MAX]


def without_people(people: tuple[str, ...], gone: Collection[str]) -> tuple[str, ...]:
    return tuple(user for user in people if user not in gone)
