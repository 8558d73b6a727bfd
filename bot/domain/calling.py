"""Whom and what an incident calls and calls off: people, pagers, senders of alerts, silences."""

from collections.abc import Iterable
from typing import Literal

from bot.domain import events as e
from bot.domain.effects import (
    PAGE,
    AnswerSender,
    Effect,
    Invite,
    LiftSilence,
    PagePager,
    PostAlerts,
    QuietPager,
    Tell,
    TellUser,
)
from bot.domain.furnishing import show
from bot.domain.incident.alerting import alerts_are_over
from bot.domain.incident.state import Incident
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.sender_news import actor_name


def page(before: Incident | None, s: Incident, ev: e.PageRequested, actor: str) -> Iterable[Effect]:
    for user in ev.users:
        yield TellUser(user=user, template="page_requested", response=True)
    for pager in ev.pagers:
        if before and before.acknowledged_at and _is_out(before, pager):
            yield QuietPager(target=pager, action="resolve")  # an alert that is acknowledged there rings nobody again
        yield PagePager(target=pager)
    # When the response is overdue, the channel has just been told so, with the names of everybody called.
    if actor != "timer:respond" or ev.usergroups or ev.skipped:
        yield Tell(template="page_requested", urgent=True)
    if s.room and (ev.users or ev.usergroups):
        yield Invite(users=ev.users, usergroups=ev.usergroups)
    yield from show(s, "card")


def calls_off(s: Incident, event: e.Event, policy: Policy) -> bool:
    """True for a change to a level that calls nobody by itself, while nobody has answered."""
    less = isinstance(event, e.SeverityChanged) and event.old.worse_than(event.new)
    return less and s.acknowledged_at is None and not policy.severities[s.severity].calls


def recall(before: Incident, s: Incident, ev: e.SeverityChanged, policy: Policy) -> Iterable[Effect]:
    """Whoever was called sees what it is now; pagers stop where such a level needs nobody at once.

    Where an answer is asked for again, what the pagers hold as acknowledged ends, so that they ring again.
    """
    if calls_off(s, ev, policy) or ev.unacknowledged:
        yield from withdraw_pages(before, "resolve")
    yield from show(s, PAGE)


def answer(s: Incident, action: Literal["acknowledge", "resolve"], item: e.Recorded) -> Iterable[Effect]:
    """Tell the senders whose own incidents go on. What was acknowledged there is not carried to its neighbours.

    A merged incident's outage goes on elsewhere: nothing ends at the sender.
    """
    merged = isinstance(item.event, e.Cancelled) and item.event.merged_into is not None
    if merged or actor_name(item.actor):
        return
    for one in s.remotes:
        source, _, remote = one.partition(":")
        if source == "pagerduty":
            yield AnswerSender(source="pagerduty", remote=remote, action=action)


def count_alerts(before: Incident | None, s: Incident, ev: e.AlertsReported) -> Iterable[Effect]:
    """One line counts the alerts of an outage. Said aloud is only that none fires any more, or that they do again."""
    if not (ev.opened or ev.closed):
        return
    if alerts_are_over(ev) and s.is_active:
        yield Tell(template="alerts_over")
    elif before and before.alerts_total and bool(before.alerts_firing) != bool(s.alerts_firing) and not is_echo(s, ev):
        yield Tell(template="alerts_reported", urgent=s.alerts_firing > 0)
    if "card" in s.messages and before and not before.alerts_total:
        yield PostAlerts()
    yield from show(s, "card", "alerts")


def is_echo(s: Incident, ev: e.AlertsReported) -> bool:
    """True if a sender only ends what was over here before: our own resolve comes back, and is not told again."""
    return not s.is_active and not ev.opened and 0 < ev.closed == len(ev.lowered)


def withdraw_pages(s: Incident, action: Literal["acknowledge", "resolve"]) -> Iterable[Effect]:
    """Withdraw every page that is out or may be: of one whose answer was lost nobody knows."""
    for target in s.reached:
        if _is_out(s, target):
            yield QuietPager(target=target, action=action)


def _is_out(s: Incident, target: str) -> bool:
    return s.reached.get(target) in ("paged", "sent") and not is_person(target)


def lift_silences(s: Incident, silences: Iterable[str]) -> Iterable[Effect]:
    """What is silent at the sender and wanted no more. What the sender has not taken yet is not placed any more."""
    for key in silences:
        one = s.silences.get(key)
        if one and one.remote and (one.ending or not s.is_active):
            yield LiftSilence(silence=key, remote=one.remote)
