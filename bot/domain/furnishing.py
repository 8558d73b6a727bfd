"""What an incident's channel is furnished with, and how its live messages are kept true."""

import re
from collections.abc import Iterable

from bot.domain import events as e
from bot.domain.effects import (
    ANNOUNCEMENT,
    PAGE,
    Bookmark,
    Effect,
    Invite,
    NameRoom,
    PinCard,
    PostAlerts,
    PostAnnouncement,
    PostCard,
    PostDraft,
    PostRunbook,
    ShowCall,
    ShowMessage,
    ShowTopic,
)
from bot.domain.incident.state import Incident
from bot.domain.people import apart
from bot.domain.policy import Policy


def furnish(s: Incident, policy: Policy) -> Iterable[Effect]:
    """The channel exists: people, topic, card and announcement go out at once (depth 3: docs/architecture.md)."""
    service = policy.service(s.service)
    yield PostCard()
    yield from invite(
        *s.people, *policy.severities[s.severity].invite, *service.invite, *service.owners, *service.usergroups
    )
    yield ShowTopic()
    announced = s.room_failed or ANNOUNCEMENT in s.messages
    yield from show(s, ANNOUNCEMENT) if announced else announce(s, policy)
    yield from announce_further(s, policy)


def invite(*named: str) -> Iterable[Effect]:
    """Ask people and usergroups in, each once, whichever of the two the configuration names."""
    users, usergroups = apart(named)
    if users or usergroups:
        yield Invite(users=users, usergroups=usergroups)


def announce(s: Incident, policy: Policy) -> Iterable[Effect]:
    if policy.channels.announce and not s.private:
        yield PostAnnouncement(channel=policy.channels.announce)


def announce_further(s: Incident, policy: Policy) -> Iterable[Effect]:
    """The channels that such a severity is told in besides, where it is not yet."""
    told = {policy.channels.announce, *(what.partition(":")[2] for what in s.messages)}
    further = (*policy.severities[s.severity].channels, *([policy.channels.digest] if policy.channels.digest else []))
    for channel in dict.fromkeys(further):
        if channel not in told and not s.private:
            yield PostAnnouncement(channel=channel, further=True)


def concern_more(s: Incident, ev: e.SeverityChanged, policy: Policy) -> Iterable[Effect]:
    """A worse one concerns more people and channels; they are asked in now."""
    if ev.new.worse_than(ev.old) and s.room:
        yield from invite(*policy.severities[s.severity].invite)
        yield from announce_further(s, policy)


def posted(s: Incident, ev: e.Posted) -> Iterable[Effect]:
    if ev.what == "card":
        yield PinCard(channel=ev.channel, ts=ev.ts)
        if s.runbook:
            yield PostRunbook()
            yield Bookmark(title=f"Runbook: {s.runbook.title}"[:200], link=f"runbook:{s.runbook.name}")
        yield Bookmark(title="Timeline and postmortem", link="incident:", emoji=":scroll:")
        if s.call_url:
            yield ShowCall()
        if s.alerts_total:
            yield PostAlerts()
        if s.draft and not s.private:
            yield PostDraft()
    if ev.what.startswith(PAGE):
        if not s.needs(ev.what.partition(":")[2]):  # somebody acknowledged while it was on its way
            yield ShowMessage(what=ev.what)
        return
    late = ev.what == ANNOUNCEMENT and s.room_failed and s.room  # it was made before there was a channel to name
    if s.looks > ev.shown or late:
        yield ShowMessage(what=ev.what)


def named(s: Incident) -> Iterable[Effect]:
    """Give the channel the name that the incident has now, if its own is not made of that one."""
    if s.room and not re.fullmatch(rf"{re.escape(s.room_name)}(-again)?(-\d+)?", s.room.name):
        yield NameRoom(name=s.room_name)


def catch_up(s: Incident) -> Iterable[Effect]:
    """The channel is back from the archive: it shows what became of the incident meanwhile."""
    yield from named(s)
    yield from show(s, *({what.partition(":")[0] for what in s.messages} - {PAGE}), topic=True)
    yield ShowCall()


def post_or_show(s: Incident, what: str, post: Effect) -> Iterable[Effect]:
    """Post the live message for the first time, or bring it up to date; before the card it is posted with the card."""
    if what in s.messages:
        yield ShowMessage(what=what)
    elif "card" in s.messages:
        yield post


def show(s: Incident, *what: str, topic: bool = False) -> Iterable[Effect]:
    for name in s.messages:
        if name.partition(":")[0] in what:
            yield ShowMessage(what=name)
    if topic and s.room:
        yield ShowTopic()
