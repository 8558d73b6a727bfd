"""react(before, after, event, policy) → what the world should be told and shown, and which timers run.

The table of the whole product's behaviour: read it top to bottom. Timers need no rules of their own: they are the
`…_by` fields of the state, armed and cancelled as those change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from bot.domain import events as e
from bot.domain.effects import (
    RESPONSE,
    Bookmark,
    Effect,
    Invite,
    OpenRoom,
    PagePager,
    PinCard,
    PostAnnouncement,
    PostCard,
    PostDraft,
    PostRunbook,
    QuietPager,
    ShowMessage,
    ShowStatusPage,
    ShowTopic,
    Tell,
    TellUser,
)
from bot.domain.incident.state import Incident
from bot.domain.people import is_person
from bot.domain.policy import Policy

TIMERS: Final = {"respond": "respond_by", "update": "update_by", "postmortem": "postmortem_by"}
"""Timer kind → the state field that holds its due time."""


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
    for kind, field in TIMERS.items():
        old: datetime | None = getattr(before, field) if before else None
        new: datetime | None = getattr(after, field)
        if new is not None and new != old:
            arm.append((kind, new))
        elif new is None and old is not None:
            disarm.append(kind)
    calm = isinstance(item.event, e.Acknowledged | e.Resolved | e.Cancelled)
    return Reaction(
        effects=tuple(_effects(after, item, policy)),
        arm=tuple(arm),
        disarm=tuple(disarm),
        cancel_causes=(RESPONSE,) if calm else (),
        release_room=isinstance(item.event, e.Posted) and item.event.what == "card",
        retry=item.event.effects if isinstance(item.event, e.DeliveryRetried) else (),
    )


def _effects(s: Incident, item: e.Recorded, policy: Policy) -> Iterable[Effect]:
    match item.event:
        case e.Declared() as ev:
            yield OpenRoom(name=ev.room_name, private=ev.private)
        case e.RoomCreated():
            yield from _furnish(s, policy)
        case e.Posted() as ev:
            yield from _posted(s, ev)
        case e.Acknowledged():
            yield Tell(template="acknowledged")
            yield from _show(s, "card")
            yield from _quiet(s, "acknowledge")
        case e.SeverityChanged() | e.StatusChanged() | e.TitleChanged():
            yield Tell(template=item.event.type)
            yield from _show(s, "card", "announcement", topic=True)
        case e.ServiceChanged():
            yield Tell(template="service_changed")
            yield from _show(s, "card")
        case e.Resolved() | e.Closed() | e.Cancelled():
            yield Tell(template=item.event.type)
            yield from _show(s, "card", "announcement", "runbook", "draft", topic=True)
            if not isinstance(item.event, e.Closed):
                yield from _quiet(s, "resolve")
        case e.Reopened():
            yield Tell(template="reopened", urgent=True)
            yield from _show(s, "card", "announcement", "runbook", "draft", topic=True)
        case e.RoleAssigned() as ev:
            yield Tell(template="role_assigned")
            if s.room:
                yield Invite(users=(ev.user,))
            yield from _show(s, "card", topic=ev.role == "lead")
        case e.HandoffOffered() as ev:
            yield Tell(template="handoff_offered")
            if s.room:
                yield Invite(users=(ev.user,))
            yield from _show(s, "card")
        case e.JoinRequested() as ev:
            if s.room:
                yield Invite(users=(ev.user,))
        case e.PageRequested() as ev:
            yield from _page(s, ev, item.actor)
        case e.PageAnswered() as ev:
            if not ev.ok:
                yield Tell(template="page_answered", urgent=True)
            elif not is_person(ev.target) and (s.acknowledged_at or not s.is_active):
                # The page was out while somebody acknowledged: it woke them for nothing, so it ends at once.
                yield QuietPager(target=ev.target, action="acknowledge" if s.is_active else "resolve")
            yield from _show(s, "card")
        case e.UpdatePosted():
            yield Tell(template="update_posted")
            yield from _show(s, "card", "announcement")
        case e.TaskAdded() | e.TaskDone():
            yield Tell(template=item.event.type)
            yield from _show(s, "card")
        case e.RunbookAttached():
            yield from _post_or_show(s, "runbook", PostRunbook())
            yield from _show(s, "card")
        case e.StepMarked():
            yield from _show(s, "runbook", "card")
        case e.PublicDrafted() | e.PublicApproved() | e.PublicDiscarded():
            yield from _post_or_show(s, "draft", PostDraft())
        case e.PublicPublished() as ev:
            yield Tell(template="public_published")
            yield from _show(s, "draft", "card")
            for provider in ev.providers:
                if provider != "builtin" and not s.drill:
                    yield ShowStatusPage(provider=provider)
        case e.AlertsReported() as ev:
            if ev.opened or ev.closed:
                yield Tell(template="alerts_reported", urgent=ev.opened > 0)
                yield from _show(s, "card")
        case e.ResponseOverdue():
            yield Tell(template="response_overdue", urgent=True)
            yield from _show(s, "card")
        case e.UpdateOverdue() | e.PostmortemOverdue():
            yield Tell(template=item.event.type)
            yield from _show(s, "card")
        case e.DeliveryFailed() as ev:
            # Where the means of telling have failed, they are not used to tell of it: that would go on for ever.
            if ev.kind != "card":
                yield from _show(s, "card")
            if not s.room and ev.kind != "tell_user" and is_person(s.declared_by):
                yield TellUser(user=s.declared_by, template="delivery_failed")
        case e.DeliveryRetried():
            yield from _show(s, "card")
        case _:
            return


def _furnish(s: Incident, policy: Policy) -> Iterable[Effect]:
    """The channel exists: people, topic, card and announcement go out at once (DESIGN: depth 3 in all)."""
    service = policy.service(s.service)
    users = (*s.people, *policy.severities[s.severity].invite, *service.invite, *service.owners)
    yield PostCard()
    if users or service.usergroups:
        yield Invite(users=tuple(dict.fromkeys(users)), usergroups=service.usergroups)
    yield ShowTopic()
    if policy.channels.announce and not s.private:
        yield PostAnnouncement(channel=policy.channels.announce)


def _posted(s: Incident, ev: e.Posted) -> Iterable[Effect]:
    if ev.what == "card":
        yield PinCard(channel=ev.channel, ts=ev.ts)
        if s.runbook:
            yield PostRunbook()
            yield Bookmark(title=f"Runbook: {s.runbook.title}"[:200], link=f"runbook:{s.runbook.name}")
        yield Bookmark(title="Timeline and postmortem", link="incident:", emoji=":scroll:")
        if s.draft and not s.private:
            yield PostDraft()
    if s.looks > ev.shown:
        yield ShowMessage(what=ev.what)


def _post_or_show(s: Incident, what: str, post: Effect) -> Iterable[Effect]:
    """Post the live message for the first time, or bring it up to date; before the card it is posted with the card."""
    if what in s.messages:
        yield ShowMessage(what=what)
    elif "card" in s.messages:
        yield post


def _show(s: Incident, *what: str, topic: bool = False) -> Iterable[Effect]:
    for name in what:
        if name in s.messages:
            yield ShowMessage(what=name)
    if topic and s.room:
        yield ShowTopic()


def _page(s: Incident, ev: e.PageRequested, actor: str) -> Iterable[Effect]:
    for user in ev.users:
        yield TellUser(user=user, template="page_requested", response=True)
    for pager in ev.pagers:
        yield PagePager(target=pager)
    # When the response is overdue, the channel has just been told so, with the names of everybody called.
    if actor != "timer:respond" or ev.usergroups:
        yield Tell(template="page_requested", urgent=True)
    if s.room and (ev.users or ev.usergroups):
        yield Invite(users=ev.users, usergroups=ev.usergroups)
    yield from _show(s, "card")


def _quiet(s: Incident, action: Literal["acknowledge", "resolve"]) -> Iterable[Effect]:
    for target, how in s.reached.items():
        if how == "sent" and not is_person(target):
            yield QuietPager(target=target, action=action)
