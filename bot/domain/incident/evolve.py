"""evolve(state, event) → state: what each fact means. Total, pure, and never refuses."""

from collections.abc import Iterable

from bot.domain import events as e
from bot.domain.incident.state import (
    AttachedRunbook,
    Draft,
    Handoff,
    Incident,
    LiveMessage,
    Published,
    Room,
    Task,
)
from bot.domain.people import is_person
from bot.domain.severity import Status
from bot.domain.text import cut

_QUIET = (e.Posted, e.RoomCreated, e.NoteAdded, e.JoinRequested, e.Redacted, e.PublicDeliveredTo)
"""Facts that do not change what the card shows."""
PEOPLE_MAX = 50
_LABELS_MAX = 30
_SHORT = 200


def fold(recorded: Iterable[e.Recorded]) -> Incident:
    """Return the state after all events of one incident. Raises ValueError for an empty list."""
    state: Incident | None = None
    for item in recorded:
        state = evolve(state, item)
    if state is None:
        raise ValueError("an incident has at least one event")
    return state


def evolve(state: Incident | None, item: e.Recorded) -> Incident:
    """Return the state after `item`."""
    if isinstance(item.event, e.Declared):
        return _declared(item.event, item)
    if state is None:
        raise ValueError("the first event of an incident is `declared`")
    changes = _changes(state, item)
    changes["seq"] = item.seq
    if not isinstance(item.event, _QUIET):
        changes["looks"] = item.seq
    if is_person(item.actor) and item.actor not in state.people and len(state.people) < PEOPLE_MAX:
        changes.setdefault("people", (*state.people, item.actor))
    return state.model_copy(update=changes)


def _declared(event: e.Declared, item: e.Recorded) -> Incident:
    # model_construct: the event is valid, and copying the defaults of so many fields costs more than all rules do
    return Incident.model_construct(
        number=event.number,
        seq=item.seq,
        looks=item.seq,
        title=event.title,
        title_assumed=event.title_assumed,
        severity=event.severity,
        severity_assumed=event.severity_assumed,
        severity_reason=event.severity_reason,
        service=event.service,
        description=cut(event.description, 1000),
        private=event.private,
        drill=event.drill,
        via=event.via,
        labels={cut(k, 60): cut(v, _SHORT) for k, v in list(event.labels.items())[:_LABELS_MAX]},
        previous=event.previous,
        declared_at=item.at,
        declared_by=item.actor,
        room_name=event.room_name,
        respond_by=event.respond_by,
        update_by=event.update_by,
        people=(item.actor,) if is_person(item.actor) else (),
    )


def _changes(s: Incident, item: e.Recorded) -> dict[str, object]:
    at, actor = item.at, item.actor
    match item.event:
        case e.Acknowledged():
            reached = {**s.reached, actor: "answered"} if actor in s.reached else s.reached
            return {"acknowledged_at": at, "acknowledged_by": actor, "respond_by": None, "reached": reached}
        case e.SeverityChanged() as ev:
            return {
                "severity": ev.new,
                "severity_assumed": False,
                "severity_reason": ev.reason or s.severity_reason,
                "respond_by": ev.respond_by,
                "update_by": ev.update_by,
            }
        case e.StatusChanged() as ev:
            mitigated = s.mitigated_at or (at if ev.new is Status.MONITORING else None)
            return {"status": ev.new, "mitigated_at": mitigated}
        case e.TitleChanged() as ev:
            return {"title": ev.new, "title_assumed": False}
        case e.ServiceChanged() as ev:
            return {"service": ev.new}
        case e.Resolved() as ev:
            return {
                "status": Status.RESOLVED,
                "resolved_at": at,
                "resolution": cut(ev.text, 1000),
                "mitigated_at": s.mitigated_at or at,
                "respond_by": None,
                "update_by": None,
                "postmortem_by": ev.postmortem_by,
                "handoff": None,
            }
        case e.Reopened() as ev:
            return {
                "status": Status.INVESTIGATING,
                "reopened_at": at,
                "resolved_at": None,
                "closed_at": None,
                "resolution": "",
                "mitigated_at": None,
                "acknowledged_at": None,
                "acknowledged_by": None,
                "respond_by": ev.respond_by,
                "update_by": ev.update_by,
                "postmortem_by": None,
                "escalation": 0,
            }
        case e.Closed():
            return {"status": Status.CLOSED, "closed_at": at, "postmortem_by": None}
        case e.Cancelled() as ev:
            return {
                "status": Status.CANCELLED,
                "closed_at": at,
                "respond_by": None,
                "update_by": None,
                "merged_into": ev.merged_into,
                "draft": None,
                "handoff": None,
                "postmortem_by": None,
            }
        case e.RoleAssigned() as ev:
            handoff = None if ev.role == "lead" else s.handoff
            return {"roles": {**s.roles, ev.role: ev.user}, "handoff": handoff, "people": _with(s.people, (ev.user,))}
        case e.HandoffOffered() as ev:
            return {"handoff": Handoff(user=ev.user, at=at)}
        case e.PageRequested() as ev:
            reached = dict.fromkeys((*ev.users, *ev.pagers), "paged") | s.reached
            return {"reached": dict(list(reached.items())[:PEOPLE_MAX]), "people": _with(s.people, ev.users)}
        case e.PageAnswered() as ev:
            well = "paged" if is_person(ev.target) else "sent"
            return {"reached": {**s.reached, ev.target: well if ev.ok else "failed"}}
        case e.UpdatePosted() as ev:
            return {"last_update": cut(ev.text, _SHORT), "last_update_at": at, "update_by": ev.update_by}
        case e.TaskAdded() as ev:
            task = Task(number=ev.number, text=cut(ev.text, 80), owner=ev.owner, due=ev.due)
            return {"tasks": (*s.tasks, task)}
        case e.TaskDone() as ev:
            return {
                "tasks": tuple(t.model_copy(update={"done": True}) if t.number == ev.number else t for t in s.tasks)
            }
        case e.RunbookAttached() as ev:
            book = AttachedRunbook(
                name=ev.name, title=cut(ev.title, 150), digest=ev.digest, seq=item.seq, count=ev.count
            )
            return {"runbook": book}
        case e.StepMarked() as ev:
            return _step_marked(s, ev)
        case e.PublicDrafted() as ev:
            draft = Draft(
                version=ev.version,
                title=ev.title,
                text=ev.text,
                status=ev.status,
                components=ev.components,
                author=actor,
                automatic=ev.automatic,
            )
            return {"draft": draft, "drafts": ev.version}
        case e.PublicApproved():
            return {"draft": s.draft and s.draft.model_copy(update={"approved_by": actor})}
        case e.PublicPublished() as ev:
            count = (s.published.count if s.published else 0) + 1
            published = Published(
                version=ev.version, title=ev.title, status=ev.status, components=ev.components, at=at, count=count
            )
            return {"draft": None, "published": published}
        case e.PublicDiscarded():
            return {"draft": None}
        case e.PublicDeliveredTo() as ev:
            return {"remote": {**s.remote, ev.provider: ev.remote_id}}
        case e.AlertsReported() as ev:
            seen = dict.fromkeys((*s.sources, *(f.source for f in ev.facts)))
            return {"alerts_firing": ev.firing, "alerts_total": ev.total, "sources": tuple(seen)[:10]}
        case e.ResponseOverdue() as ev:
            return {"escalation": ev.level, "respond_by": ev.next_at}
        case e.UpdateOverdue() as ev:
            return {"update_by": ev.next_at}
        case e.PostmortemOverdue():
            return {"postmortem_by": None}
        case e.RoomCreated() as ev:
            return {"room": Room(channel=ev.channel, name=ev.name)}
        case e.Posted() as ev:
            return {"messages": {**s.messages, ev.what: LiveMessage(channel=ev.channel, ts=ev.ts, shown=ev.shown)}}
        case e.DeliveryFailed() as ev:
            failed = {**s.failed, ev.effect: ev.what}
            return {"failed": dict(list(failed.items())[-20:])}
        case e.DeliveryRetried() as ev:
            return {"failed": {k: v for k, v in s.failed.items() if k not in ev.effects}}
        case _:
            return {}


def _step_marked(s: Incident, ev: e.StepMarked) -> dict[str, object]:
    if s.runbook is None:
        return {}
    outcomes = {k: v for k, v in s.runbook.outcomes.items() if k != ev.number}
    if ev.outcome != "open":
        outcomes[ev.number] = ev.outcome
    return {"runbook": s.runbook.model_copy(update={"outcomes": outcomes})}


def _with(people: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*people, *more)))[:PEOPLE_MAX]
