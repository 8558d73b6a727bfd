"""evolve(state, event) → state: what each fact means. Total, pure, and never refuses."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from bot.domain import events as e
from bot.domain.incident.changing import (
    NOBODY_CALLED,
    OVER,
    PEOPLE_MAX,
    SHORT,
    answered,
    call_changes,
    called,
    changed_task,
    ending_silences,
    later,
    newest_alerts,
    put_off,
    room_changes,
    severity_changed,
    somebody_acted,
    step_marked,
    task_changes,
    with_people,
    without_people,
)
from bot.domain.incident.repeats import remembered
from bot.domain.incident.state import (
    AttachedRunbook,
    Draft,
    Handoff,
    Incident,
    LiveMessage,
    Mend,
    Published,
    Silence,
    Task,
)
from bot.domain.people import acts, is_person
from bot.domain.severity import Status
from bot.domain.text import cut

_QUIET = (
    e.Posted,
    e.RoomCreated,
    e.NoteAdded,
    e.JoinRequested,
    e.Redacted,
    e.PublicDeliveredTo,
    e.SenderReported,
    e.Entered,
    e.Left,
    e.TimerHeld,
)
"""Facts that do not change what the card shows."""
PROMISE = 500
"""Characters of what the public was told that are kept for whoever takes over."""
_LABELS_MAX = 30
_FAILED_MAX = 100
_MENDS_MAX = 5


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
    if (said := remembered(state, item)) is not state.said:
        changes["said"] = said
    if not isinstance(item.event, _QUIET):
        changes["looks"] = item.seq
    if acts(item.actor):
        changes |= somebody_acted(changes, state, item.at)
        how = "acknowledged" if isinstance(item.event, e.Acknowledged) else "answered"
        changes = answered(state, item.actor, how, item.at) | changes
    if is_person(item.actor) and item.actor not in state.people and len(state.people) < PEOPLE_MAX:
        changes.setdefault("people", (*state.people, item.actor))
    if state.departed and "people" in changes and "departed" not in changes:
        changes["departed"] = without_people(state.departed, set(changes["people"]) - set(state.people))  # type: ignore[call-overload]
    return state.model_copy(update=changes)


def _declared(event: e.Declared, item: e.Recorded) -> Incident:
    known: dict[str, object] = {
        "number": event.number,
        "seq": item.seq,
        "looks": item.seq,
        "title": event.title,
        "title_assumed": event.title_assumed,
        "severity": event.severity,
        "severity_assumed": event.severity_assumed,
        "severity_reason": event.severity_reason,
        "service": event.service,
        "description": cut(event.description, 1000),
        "private": event.private,
        "drill": event.drill,
        "via": event.via,
        "labels": {cut(k, 60): cut(v, SHORT) for k, v in list(event.labels.items())[:_LABELS_MAX]},
        "previous": event.previous,
        "declared_at": item.at,
        "declared_by": item.actor,
        "room_name": event.room_name,
        "respond_by": event.respond_by,
        "update_by": event.update_by,
        "role_by": event.role_by,
        "stale_after": event.stale_after,
        "stale_by": later(item.at, event.stale_after),
        "when_alerts_end": event.when_alerts_end,
        "quiet": event.quiet,
        "call_url": event.call_url,
        "touched": acts(item.actor),
        "people": (item.actor,) if is_person(item.actor) else (),
    }
    return _blank().model_copy(update=known)


@cache
def _blank() -> Incident:
    """The defaults of an incident: to copy them for each one costs more than all rules do. The event is valid.

    What has no default holds its place: a snapshot names its fields in their order.
    """
    places: dict[str, Any] = {name: None for name, field in Incident.model_fields.items() if field.is_required()}
    return Incident.model_construct(**places)


def _changes(s: Incident, item: e.Recorded) -> dict[str, object]:
    at, actor = item.at, item.actor
    match item.event:
        case e.Acknowledged():
            reached = {**s.reached, actor: "answered"} if actor in s.reached else s.reached
            return {"acknowledged_at": at, "acknowledged_by": actor, "respond_by": None, "reached": reached}
        case e.SeverityChanged() as ev:
            return severity_changed(s, ev, at)
        case e.StatusChanged() as ev:
            mitigated = s.mitigated_at or (at if ev.new is Status.MONITORING else None)
            return {"status": ev.new, "mitigated_at": mitigated}
        case e.TitleChanged() as ev:
            declared_as = s.declared_as or s.title
            return {
                "title": ev.new,
                "title_assumed": False,
                "declared_as": declared_as,
                "room_name": ev.room_name or s.room_name,
            }
        case e.ServiceChanged() as ev:
            return {"service": ev.new}
        case e.Resolved() as ev:
            return {
                "status": Status.RESOLVED,
                "resolved_at": at,
                "resolution": cut(ev.text, 1000),
                "mitigated_at": s.mitigated_at or at,
                "postmortem_by": ev.postmortem_by,
                "postmortem_due": ev.postmortem_by,
                "silences": ending_silences(s, s.silences),
                **OVER,
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
                "role_by": ev.role_by,
                "relief_by": ev.relief_by,
                "stale_by": later(at, s.stale_after),
                "postmortem_by": None,
                "postmortem_due": None,
                "archive_by": None,
                "escalation": 0,
                "escalation_place": 0,
                "asked_again_at": None,
                **(NOBODY_CALLED if ev.v > 1 else {}),
            }
        case e.Closed() as ev:
            return {
                "status": Status.CLOSED,
                "closed_at": at,
                "postmortem_by": None,
                "postmortem_due": None,
                "archive_by": ev.archive_by,
            }
        case e.Cancelled() as ev:
            return {
                "status": Status.CANCELLED,
                "closed_at": at,
                "merged_into": ev.merged_into,
                "silences": ending_silences(s, s.silences),
                "draft": None,
                "postmortem_by": None,
                "task_by": None if ev.v > 1 else s.task_by,
                "archive_by": ev.archive_by,
                "archived": ev.undone,
                "room_name": ev.room_name or s.room_name,
                **OVER,
            }
        case e.RoleAssigned() as ev:
            handoff = None if ev.role == "lead" else s.handoff
            return {
                "roles": {**s.roles, ev.role: ev.user},
                "handoff": handoff,
                "role_by": ev.role_by,
                "relief_by": ev.relief_by if ev.role == "lead" else s.relief_by,
                "people": with_people(s.people, (ev.user,)),
            }
        case e.HandoffOffered() as ev:
            return {"handoff": Handoff(user=ev.user, at=at), "people": with_people(s.people, (ev.user,))}
        case e.HandoffDeclined() | e.HandoffWithdrawn():
            return {"handoff": None}
        case e.PageRequested() as ev:
            return called(s, ev, at)
        case e.PageAnswered() as ev:
            well = "paged" if is_person(ev.target) else "sent"
            how: dict[str, object] = {"told_at": at, "failed_at": None} if ev.ok else {"failed_at": at}
            return {"reached": {**s.reached, ev.target: well if ev.ok else "failed"}, **call_changes(s, ev.target, how)}
        case e.CallAnswered() as ev:
            return answered(s, ev.user, ev.how, at)
        case e.UpdatePosted() as ev:
            return {"last_update": cut(ev.text, SHORT), "last_update_at": at, "update_by": ev.update_by}
        case e.TaskAdded() as ev:
            task = Task(number=ev.number, text=cut(ev.text, 80), owner=ev.owner, due=ev.due, added_at=at)
            return task_changes((*s.tasks, task))
        case e.TaskDone() as ev:
            return changed_task(s.tasks, ev.number, done=True)
        case e.TaskOverdue() as ev:
            return changed_task(s.tasks, ev.number, reminded=True)
        case e.RunbookAttached() as ev:
            book = AttachedRunbook(
                name=ev.name,
                title=cut(ev.title, 150),
                digest=ev.digest,
                seq=item.seq,
                count=ev.count,
                by_hand=ev.by_hand,
            )
            return {"runbook": book}
        case e.StepMarked() as ev:
            return step_marked(s, ev)
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
                version=ev.version,
                title=ev.title,
                status=ev.status,
                text=cut(ev.text, PROMISE),
                components=ev.components,
                at=at,
                count=count,
            )
            return {"draft": None, "published": published}
        case e.PublicDiscarded():
            return {"draft": None}
        case e.PublicDeliveredTo() as ev:
            return {"remote": {**s.remote, ev.provider: ev.remote_id}}
        case e.AlertsReported() as ev:
            seen = dict.fromkeys((*s.sources, *(f.source for f in ev.facts)))
            going_on = [one for one in dict.fromkeys((*s.remotes, *ev.raised)) if one not in ev.lowered]
            return {
                "alerts_firing": ev.firing,
                "alerts_total": ev.total,
                "alerts_again": ev.again,
                "alerts_left_out": ev.truncated,
                "newest_alerts": newest_alerts(s.newest_alerts, ev.facts),
                "sources": tuple(seen)[:10],
                "remotes": tuple(going_on)[:PEOPLE_MAX],
                "absorbed": tuple(dict.fromkeys((*s.absorbed, *ev.absorbed)))[:PEOPLE_MAX],
                "quiet_by": ev.quiet_by,
            }
        case e.CallChanged() as ev:
            return {"call_url": ev.url, "call_dial": cut(ev.dial, SHORT)}
        case e.SilenceRequested() as ev:
            asked = {
                f"{item.seq}.{n}": Silence(name=cut(one.name, 80), until=ev.until) for n, one in enumerate(ev.silences)
            }
            running = {k: v for k, v in s.silences.items() if v.until > item.at}  # the others ended by themselves
            return {"silences": {**running, **asked}}
        case e.Silenced() as ev:
            known = s.silences.get(ev.silence)
            return {"silences": {**s.silences, ev.silence: known.model_copy(update={"remote": ev.id})}} if known else {}
        case e.SilenceLiftRequested() as ev:
            return {"silences": ending_silences(s, ev.silences)}
        case e.SilenceLifted() as ev:
            return {"silences": {k: v for k, v in s.silences.items() if k != ev.silence}}
        case e.ResponseOverdue() as ev:
            return {"escalation": ev.level, "escalation_place": ev.place, "respond_by": ev.next_at}
        case e.UpdateOverdue() as ev:
            return {"update_by": ev.next_at}
        case e.PostmortemOverdue() as ev:
            return {"postmortem_by": ev.next_at}
        case e.Attended() as ev:
            return {"people": with_people(s.people, (ev.user,))}
        case e.Absorbed() as ev:
            return {"people": with_people(s.people, ev.people)}
        case e.Entered() as ev:
            return {"people": with_people(s.people, (ev.user,)), "departed": without_people(s.departed, (ev.user,))}
        case e.Left() as ev:
            return {"people": without_people(s.people, (ev.user,)), "departed": with_people(s.departed, (ev.user,))}
        case e.RoleUnfilled() as ev:
            return {"role_by": ev.next_at}
        case e.ReliefDue() as ev:
            return {"relief_by": ev.next_at}
        case e.WentStale() as ev:
            return {"stale_by": ev.next_at}
        case e.TimerSnoozed() as ev:
            return put_off(s, ev.timer, ev.until)
        case e.TimerHeld() as ev:
            return put_off(s, ev.timer, ev.until, ev.user)
        case e.RoomExpired():
            return {"archive_by": None, "archived": True}
        case e.RoomCreated() as ev:
            return room_changes(s, ev)
        case e.RoomNamed() as ev:
            return {"room": s.room and s.room.model_copy(update={"name": ev.name})}
        case e.RoomRestored():
            return {"archived": False}
        case e.Posted() as ev:
            return {"messages": {**s.messages, ev.what: LiveMessage(channel=ev.channel, ts=ev.ts, shown=ev.shown)}}
        case e.DeliveryFailed() as ev:
            failed = {**s.failed, ev.effect: ev.what}
            mends = {**s.mends, ev.effect: Mend(error=cut(ev.error, SHORT), mend=cut(ev.mend, SHORT))}
            return {
                "failed": dict(list(failed.items())[-_FAILED_MAX:]),
                "mends": dict(list(mends.items())[-_MENDS_MAX:]),
                "room_failed": s.room_failed + (ev.kind == "open_room"),
            }
        case e.DeliveryRetried() as ev:
            return {
                "failed": {k: v for k, v in s.failed.items() if k not in ev.effects},
                "mends": {k: v for k, v in s.mends.items() if k not in ev.effects},
            }
        case _:
            return {}
