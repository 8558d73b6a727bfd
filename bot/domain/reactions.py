"""react(before, after, event, policy) → what the world should be told and shown, and which timers run.

The table of the whole product's behaviour: read it top to bottom. Timers need no rules of their own: they are the
`…_by` fields of the state, armed and cancelled as those change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain import events as e
from bot.domain.calling import answer, calls_off, count_alerts, lift_silences, page, recall, withdraw_pages
from bot.domain.effects import (
    ANNOUNCEMENT,
    PAGE,
    RESPONSE,
    ArchiveRoom,
    Effect,
    Invite,
    NameRoom,
    OpenRoom,
    PagePager,
    PostDraft,
    PostRunbook,
    QuietPager,
    RestoreRoom,
    ShowCall,
    ShowMessage,
    ShowStatusPage,
    SilenceAlert,
    Tell,
    TellUser,
)
from bot.domain.furnishing import announce, catch_up, concern_more, furnish, named, post_or_show, posted, show
from bot.domain.incident.state import Incident
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.sender_news import SPOKEN
from bot.domain.timers import TIMERS

_WITHOUT_A_ROOM: Final = (
    ArchiveRoom,
    NameRoom,
    PagePager,
    QuietPager,
    RestoreRoom,
    ShowStatusPage,
    TellUser,
)
"""What still makes sense while the channel is in the archive."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """Everything that follows from one event."""

    effects: tuple[Effect, ...] = ()
    arm: tuple[tuple[str, datetime], ...] = ()
    disarm: tuple[str, ...] = ()
    cancel_causes: tuple[str, ...] = ()
    release_room: bool = False
    """The card stands: what was held for the channel may go."""
    retry: tuple[str, ...] = ()


def react(before: Incident | None, after: Incident, item: e.Recorded, policy: Policy) -> Reaction:
    """Return what follows from `item`, which turned `before` into `after`."""
    arm, disarm = [], []
    for kind, timer in TIMERS.items():
        old: datetime | None = getattr(before, timer.field) if before else None
        new: datetime | None = getattr(after, timer.field)
        if new is not None and new != old:
            arm.append((kind, new))
        elif new is None and old is not None:
            disarm.append(kind)
    calm = isinstance(item.event, e.Acknowledged | e.Resolved | e.Cancelled) or calls_off(after, item.event, policy)
    return Reaction(
        effects=tuple(effect for effect in _effects(before, after, item, policy) if _is_wanted(effect, after, item)),
        arm=tuple(arm),
        disarm=tuple(disarm),
        cancel_causes=(RESPONSE,) if calm else (),
        release_room=isinstance(item.event, e.Posted) and item.event.what == "card",
        retry=item.event.effects if isinstance(item.event, e.DeliveryRetried) else (),
    )


def _is_wanted(effect: Effect, s: Incident, item: e.Recorded) -> bool:
    """Nothing is said or shown in a channel that was put away.

    What a reopening says waits in its lane until the channel is back; what it shows is shown then, or made anew.
    """
    if not s.archived or isinstance(effect, _WITHOUT_A_ROOM):
        return True
    if isinstance(item.event, e.Reopened) and isinstance(effect, Tell):
        return True
    if isinstance(item.event, e.Cancelled) and isinstance(effect, Tell):
        return "card" in s.messages  # a word of farewell, where it is not the first word
    return isinstance(effect, ShowMessage) and effect.what.startswith((ANNOUNCEMENT, PAGE))


def _effects(before: Incident | None, s: Incident, item: e.Recorded, policy: Policy) -> Iterable[Effect]:
    match item.event:
        case e.Declared() as ev:
            yield OpenRoom(name=ev.room_name, private=ev.private)
        case e.RoomCreated():
            yield from named(s)
            if s.archived:  # undone before it was there
                yield ArchiveRoom()
            yield from furnish(s, policy)
        case e.RoomRestored():
            yield from catch_up(s)
        case e.Posted() as ev:
            yield from posted(s, ev)
        case e.Acknowledged():
            yield Tell(template="acknowledged")
            yield from show(s, "card", PAGE)
            yield from withdraw_pages(s, "acknowledge")
            yield from answer(s, "acknowledge", item)
        case e.SeverityChanged() | e.StatusChanged() | e.TitleChanged():
            yield Tell(template=item.event.type)
            if isinstance(item.event, e.SeverityChanged):
                yield from concern_more(s, item.event, policy)
                yield from recall(before or s, s, item.event, policy)
            if isinstance(item.event, e.TitleChanged) and not s.archived:  # in the archive Slack renames nothing
                yield from named(s)
            yield from show(s, "card", "announcement", topic=True)
        case e.ServiceChanged():
            yield Tell(template="service_changed")
            yield from show(s, "card", "announcement")
        case e.Resolved() | e.Closed() | e.Cancelled():
            yield Tell(template=item.event.type)
            yield from show(s, "card", "announcement", "runbook", "draft", topic=True)
            if not isinstance(item.event, e.Closed):
                yield from show(s, PAGE)
                yield from withdraw_pages(s, "resolve")
                yield from lift_silences(s, s.silences)
                yield from answer(s, "resolve", item)
            if isinstance(item.event, e.Cancelled) and item.event.undone and s.room:
                yield NameRoom(name=item.event.room_name)
                yield ArchiveRoom()
        case e.RoomExpired():
            if s.room:
                yield ArchiveRoom()
        case e.Reopened():
            if s.archived and s.room:
                yield RestoreRoom(name=f"{s.room_name}-again", private=s.private)
            yield Tell(template="reopened", urgent=True)
            yield from show(s, "card", "announcement", "runbook", "draft", topic=True)
        case e.RoleAssigned() as ev:
            yield Tell(template="role_assigned")
            if s.room:
                yield Invite(users=(ev.user,))
            yield from show(s, "card", *(["announcement"] if ev.role == "lead" else []), topic=ev.role == "lead")
        case e.HandoffOffered() as ev:
            yield Tell(template="handoff_offered")
            yield TellUser(user=ev.user, template="handoff_offered")
            if s.room:
                yield Invite(users=(ev.user,))
            yield from show(s, "card")
        case e.Absorbed() as ev:
            yield Tell(template="absorbed")
            if s.room and ev.people:
                yield Invite(users=ev.people)
            yield from show(s, "card")
        case e.HandoffDeclined():
            yield Tell(template="handoff_declined", urgent=True)
            yield from show(s, "card")
        case e.HandoffWithdrawn() as ev:
            yield Tell(template="handoff_withdrawn")
            if ev.user != item.actor:
                yield TellUser(user=ev.user, template="handoff_withdrawn")
            yield from show(s, "card")
        case e.JoinRequested() as ev:
            if s.room:
                yield Invite(users=(ev.user,))
        case e.PageRequested() as ev:
            yield from page(before, s, ev, item.actor)
        case e.PageAnswered() as ev:
            if not ev.ok:
                yield Tell(template="page_answered", urgent=True)
            elif before and before.reached.get(ev.target) == "failed" and not s.needs(ev.target):
                # Given up, tried again, and taken after somebody acknowledged: nothing has withdrawn it yet.
                yield QuietPager(target=ev.target, action="acknowledge" if s.is_active else "resolve")
            yield from show(s, "card")
        case e.PageEscaped() as ev:
            yield QuietPager(target=ev.target, action="acknowledge" if s.is_active else "resolve")
        case e.CallAnswered() as ev:
            if ev.how == "acknowledged":  # called after somebody else had acknowledged
                yield from withdraw_pages(s, "acknowledge")
                yield from show(s, PAGE)
            yield from show(s, "card")
        case e.UpdatePosted():
            yield Tell(template="update_posted")
            yield from show(s, "card", "announcement")
        case e.TaskAdded() | e.TaskDone():
            yield Tell(template=item.event.type)
            yield from show(s, "card")
        case e.RunbookAttached():
            yield from post_or_show(s, "runbook", PostRunbook())
            yield from show(s, "card")
        case e.StepMarked():
            yield from show(s, "runbook", "card")
        case e.PublicDrafted() | e.PublicApproved() | e.PublicDiscarded():
            yield from post_or_show(s, "draft", PostDraft())
        case e.PublicPublished() as ev:
            yield Tell(template="public_published")
            yield from show(s, "draft", "card")
            for provider in ev.providers:
                if provider != "builtin" and not s.drill:
                    yield ShowStatusPage(provider=provider)
        case e.AlertsReported() as ev:
            yield from count_alerts(before, s, ev)
        case e.SilenceRequested() as ev:
            for n, _ in enumerate(ev.silences):
                yield SilenceAlert(number=n)
            yield from show(s, "card")
        case e.Silenced() as ev:
            if s.is_active:
                yield Tell(template="silenced")
            yield from lift_silences(s, (ev.silence,))
            yield from show(s, "card")
        case e.SilenceLifted() as ev:
            if s.is_active and ev.id:
                yield Tell(template="silence_lifted")
            yield from show(s, "card")
        case e.SilenceLiftRequested() as ev:
            yield from lift_silences(s, ev.silences)
            yield from show(s, "card")
        case e.SenderReported() as ev:
            if ev.what in SPOKEN:
                yield Tell(template="sender_reported")
        case e.CallChanged() as ev:
            yield Tell(template="call_changed")
            if "card" in s.messages:
                yield ShowCall()
            yield from show(s, "card")
        case e.ResponseOverdue():
            yield Tell(template="response_overdue", urgent=True)
            yield from show(s, "card")
        case e.UpdateOverdue() | e.PostmortemOverdue():
            yield Tell(template=item.event.type)
            yield from show(s, "card")
        case e.RoleUnfilled() | e.ReliefDue() | e.WentStale() | e.TimerSnoozed():
            yield Tell(template=item.event.type, urgent=isinstance(item.event, e.RoleUnfilled))
            yield from show(s, "card")
        case e.TaskOverdue() as ev:
            owner = next((t.owner for t in s.tasks if t.number == ev.number), None)
            if owner and is_person(owner) and s.includes(owner):
                yield TellUser(user=owner, template="task_overdue")
            yield Tell(template="task_overdue")
        case e.DeliveryFailed() as ev:
            # Where the means of telling have failed, they are not used to tell of it: that would go on for ever.
            if ev.kind != "card":
                yield from show(s, "card")
            homeless = not s.room and ev.kind not in ("tell_user", "post_announcement")
            if (homeless or ev.kind in ("post_card", "restore_room")) and is_person(s.declared_by):  # no card shows it
                yield TellUser(user=s.declared_by, template="delivery_failed")
            if ev.kind == "open_room" and s.room_failed == 1:
                yield from announce(s, policy)  # without a channel, others learn of it here only
        case e.DeliveryRetried():
            yield from show(s, "card")
        case _:
            return
