"""The timeline: what was decided and what was observed, merged by time, one sentence each.

Sentences name people as `<@U…>`; each surface shows that as a name. Words of people follow after a colon, unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.durations import format_duration
from bot.domain.incident import Incident
from bot.domain.people import is_person, mention
from bot.domain.record import Entry
from bot.domain.sender_news import news_sentence
from bot.domain.silences import in_words
from bot.domain.timers import TIMERS

_SILENT = (e.Posted, e.PublicDeliveredTo, e.Attended, e.Entered, e.Left)
"""Bookkeeping: true, but of no use to a reader."""
REASONS_SHOWN = 3
"""Reasons of triage in one line; alerts of one outage mostly share theirs."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line. `seq` orders lines of the same time; `link` is `slack:<channel>/<ts>`, a URL, or empty."""

    seq: int
    at: datetime
    kind: str
    actor: str
    text: str
    link: str = ""
    recorded_at: datetime | None = None
    """When it was written down, if that was later than it happened."""


def timeline(state: Incident, events: Sequence[e.Recorded], entries: Sequence[Entry]) -> list[TimelineEntry]:
    """Return every line of the incident, oldest first. Deleted messages lose their words, edited ones show the last."""
    lines = [_decided(item, state) for item in events if not isinstance(item.event, _SILENT)]
    lines += _observed([entry for entry in entries if entry.observation.kind != "looked"])
    lines.sort(key=lambda line: line.at)
    return [
        TimelineEntry(n, line.at, line.kind, line.actor, line.text, line.link, line.recorded_at)
        for n, line in enumerate(lines, start=1)
    ]


def _decided(item: e.Recorded, state: Incident) -> TimelineEntry:
    at, recorded_at = item.at, None
    if isinstance(item.event, e.NoteAdded | e.SenderReported | e.CallChanged) and item.event.happened_at:
        at, recorded_at = item.event.happened_at, item.at
    link = item.event.link if isinstance(item.event, e.NoteAdded) else ""
    return TimelineEntry(item.seq, at, item.event.type, item.actor, sentence(item, state.key), link, recorded_at)


def _said(head: str, words: str) -> str:
    return f"{head}: {words}" if words else head


def _span(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


def sentence(item: e.Recorded, key: str) -> str:
    """Return `item` as one plain sentence."""
    who = mention(item.actor)
    match item.event:
        case e.Declared() as ev:
            mark = " (drill)" if ev.drill else ""
            assumed = " (assumed)" if ev.severity_assumed else ""
            head = f"{who} declared {key}{mark} as {ev.severity.label}{assumed}: {ev.title}"
            return f"{head} – {ev.severity_reason}" if ev.severity_reason else head
        case e.Acknowledged() as ev:
            late = ", after the response time" if ev.late else ""
            return f"{who} acknowledged after {_span(ev.took)}{late}"
        case e.SeverityChanged() as ev:
            own = " by itself" if ev.by_itself else ""
            if ev.confirmed:
                return _said(f"{who} confirmed the severity {ev.new.label}", ev.reason)
            less = f"; {mention(ev.unacknowledged)} had acknowledged less, so an answer is asked for again"
            changed = f"{who} changed the severity{own} from {ev.old.label} to {ev.new.label}"
            return _said(changed + (less if ev.unacknowledged else ""), ev.reason)
        case e.StatusChanged() as ev:
            return _said(f"{who} set the status to {ev.new}", ev.text)
        case e.TitleChanged() as ev:
            return f"{who} changed the title: {ev.new}"
        case e.ServiceChanged() as ev:
            return f"{who} set the service to {ev.new}"
        case e.Resolved() as ev:
            return _said(f"{who} resolved {key} after {_span(ev.took)}", ev.text)
        case e.Reopened() as ev:
            return _said(f"{who} reopened {key}", ev.reason)
        case e.Closed():
            return f"{who} closed {key}"
        case e.Cancelled() as ev:
            return _said(f"{who} cancelled {key}", ev.reason)
        case e.RoleAssigned() as ev:
            took = f", before that {mention(ev.old)}" if ev.old else ""
            return f"{mention(ev.user)} became {ev.role}{took}"
        case e.HandoffOffered() as ev:
            return f"{who} offered the command to {mention(ev.user)}, who has not accepted yet"
        case e.Absorbed() as ev:
            return _said(f"{who} merged INC-{ev.number} into {key}", ev.title)
        case e.HandoffDeclined() as ev:
            return _said(f"{mention(ev.user)} declined the command", ev.reason)
        case e.HandoffWithdrawn() as ev:
            return _said(f"{who} took back the offer of the command to {mention(ev.user)}", ev.reason)
        case e.JoinRequested() as ev:
            return f"{mention(ev.user)} asked to join the channel"
        case e.PageRequested() as ev:
            reached = ", ".join(
                [mention(u) for u in ev.users] + [f"pager {p}" for p in ev.pagers] + list(ev.usergroups)
            )
            passed = ", ".join(mention(u) for u in ev.skipped)
            gone = f" (passed over, a bot or deactivated: {passed})" if passed else ""
            return _said(f"{who} called {reached or 'nobody'}{gone}", ev.reason)
        case e.PageEscaped() as ev:
            return f"A page to the pager {ev.target} went out late, and is withdrawn"
        case e.CallAnswered() as ev:
            return f"{mention(ev.user)}, who was called, {ev.how}"
        case e.PageAnswered() as ev:
            if is_person(ev.target):
                told = mention(ev.target)
                return f"{told} was told" if ev.ok else _said(f"{told} could not be told", ev.error)
            return f"The pager {ev.target} took the page" if ev.ok else _said(f"The pager {ev.target} failed", ev.error)
        case e.UpdatePosted() as ev:
            return _said(f"{who} posted an update", ev.text)
        case e.NoteAdded() as ev:
            return _said(f"{who} noted", ev.text)
        case e.TaskAdded() as ev:
            owner = f" for {mention(ev.owner)}" if ev.owner else ""
            return f"{who} added action item {ev.number}{owner}: {ev.text}"
        case e.TaskDone() as ev:
            return f"{who} completed action item {ev.number}"
        case e.RunbookAttached() as ev:
            return _said(f"Runbook in use: {ev.title}", ev.reason)
        case e.StepMarked() as ev:
            words = {"done": "done", "skipped": "skipped", "failed": "failed", "open": "open again"}
            return _said(f"{who} marked step {ev.number} {words[ev.outcome]}", ev.note)
        case e.PublicDrafted() as ev:
            how = "A public update was drafted" if ev.automatic else f"{who} wrote a public update"
            return f"{how} (version {ev.version}, {ev.status}): {ev.text}"
        case e.PublicApproved() as ev:
            return f"{who} approved public update {ev.version}"
        case e.PublicPublished() as ev:
            return f"{who} published on the status page ({ev.status}): {ev.text}"
        case e.PublicDiscarded() as ev:
            return f"{who} discarded public update {ev.version}"
        case e.AlertsReported() as ev:
            return _alerts(ev)
        case e.SenderReported() as ev:
            return news_sentence(ev.source, ev.what, ev.who, ev.text)
        case e.CallChanged() as ev:
            where = " · ".join(part for part in (ev.url, ev.dial) if part) or "there is none any more"
            said = news_sentence(ev.source, "call", ev.who, "") if ev.source else f"{who} set where people talk"
            return f"{said}: {where}"
        case e.SilenceRequested() as ev:
            names = ", ".join(one.name for one in ev.silences)
            return _said(f"{who} asked Alertmanager to be silent until {ev.until:%Y-%m-%d %H:%M} UTC", names)
        case e.Silenced() as ev:
            shown = in_words(ev.matchers)
            return _said(f"Silenced at Alertmanager until {ev.until:%Y-%m-%d %H:%M} UTC", f"{ev.name} – {shown}")
        case e.SilenceLiftRequested() as ev:
            return f"{who} asked to lift {len(ev.silences)} silence{'' if len(ev.silences) == 1 else 's'}"
        case e.SilenceLifted() as ev:
            how = "The silence was lifted at Alertmanager" if ev.id else "The silence was not needed any more"
            return _said(how, ev.name)
        case e.ResponseOverdue() as ev:
            passed = ", ".join(str(level) for level in ev.empty)
            more = f"; nobody to call at level {passed}, so the next was called at once" if passed else ""
            late = f"(rang {ev.late_by:.1f} s late)"
            return f"Nobody acknowledged within the response time: escalation {ev.level}{more} {late}"
        case e.UpdateOverdue() as ev:
            return f"The internal update is overdue (rang {ev.late_by:.1f} s late)"
        case e.PostmortemOverdue():
            return "The postmortem is overdue"
        case e.RoleUnfilled() as ev:
            return f"Nobody holds a required role: {', '.join(ev.roles)} (rang {ev.late_by:.1f} s late)"
        case e.ReliefDue() as ev:
            return f"{mention(ev.user)} has been in command for long; somebody should take over"
        case e.WentStale() as ev:
            return f"Nobody has done anything for {_span(ev.idle)} (rang {ev.late_by:.1f} s late)"
        case e.TaskOverdue() as ev:
            return f"Action item {ev.number} is overdue (rang {ev.late_by:.1f} s late)"
        case e.TimerSnoozed() as ev:
            title = TIMERS[ev.timer].title if ev.timer in TIMERS else ev.timer
            return _said(f"{who} put off the timer “{title}” by {format_duration(ev.until - item.at)}", ev.reason)
        case e.TimerHeld() as ev:
            title = TIMERS[ev.timer].title if ev.timer in TIMERS else ev.timer
            return f"The timer “{title}” waits for the end of {mention(ev.user)}'s quiet hours"
        case e.RoomExpired():
            return "The channel is archived: the incident has been over for long enough"
        case e.RoomNamed() as ev:
            return f"Channel renamed to #{ev.name}"
        case e.RoomRestored():
            return "The channel was taken out of the archive"
        case e.RoomCreated() as ev:
            return f"Channel #{ev.name} opened"
        case e.DeliveryFailed() as ev:
            return f"Could not {ev.what}: {ev.error}. {ev.mend}".rstrip()
        case e.DeliveryRetried() as ev:
            return f"{who} asked to try {len(ev.effects)} failed deliveries again"
        case e.Redacted() as ev:
            return f"{who} erased the words of {ev.stream} entry {ev.target}"
        case _:
            return item.event.type


def _alerts(ev: e.AlertsReported) -> str:
    news = [f"{n} {word}" for n, word in ((ev.opened, "firing"), (ev.closed, "resolved")) if n]
    names = ", ".join(f"{f.name} ({f.status})" for f in ev.facts[:3])
    more = f" and {len(ev.facts) - 3} more" if len(ev.facts) > 3 else ""
    head = f"Alerts: {', '.join(news) or 'no change'}; {ev.firing} of {ev.total - ev.again} firing now. {names}{more}"
    reasons = dict.fromkeys(f.why for f in ev.facts if f.why)
    shown = "; ".join(list(reasons)[:REASONS_SHOWN])
    left = f"; and {len(reasons) - REASONS_SHOWN} more reasons" if len(reasons) > REASONS_SHOWN else ""
    return f"{head} – {shown}{left}" if shown else head


def _observed(entries: Sequence[Entry]) -> list[TimelineEntry]:
    """Messages with their last text; deletions take the words away and leave the fact."""
    last_text: dict[str, str] = {}
    gone: set[str] = set()
    for entry in entries:
        seen = entry.observation
        if seen.kind in ("message", "edited"):
            last_text[seen.ts] = seen.text
        elif seen.kind == "deleted":
            gone.add(seen.ts)
    return [line for entry in entries if (line := _seen(entry, last_text, gone))]


def _seen(entry: Entry, last_text: dict[str, str], gone: set[str]) -> TimelineEntry | None:
    seen, who = entry.observation, mention(entry.actor)
    deleted = seen.ts in gone
    match seen.kind:
        case "message":
            words = "[deleted]" if deleted else last_text.get(seen.ts, seen.text)
            files = f" [{', '.join(seen.files)}]" if seen.files and not deleted else ""
            text = _said(f"{who} replied in a thread" if seen.thread_ts else f"{who} wrote", words + files)
        case "edited":
            text = f"{who} edited a message"
        case "deleted":
            text = f"{who} deleted a message"
        case "reaction" | "unreaction":
            verb = "reacted with" if seen.kind == "reaction" else "took back"
            text = f"{who} {verb} :{seen.name}:"
        case "pinned" | "unpinned":
            words = "" if deleted else last_text.get(seen.ts, seen.text)
            text = _said(f"{who} {seen.kind} a message{f' with :{seen.name}:' if seen.name else ''}", words)
        case "joined" | "left":
            text = f"{who} {seen.kind} the channel"
        case "delivered" if not seen.name:
            return None  # told in one message with others, and that one is listed
        case _:
            text = _said(seen.name or seen.kind, seen.text)
    if seen.recovered:
        text += " (recovered after downtime)"
    link = f"slack:{seen.channel}/{seen.ts}" if seen.ts and not deleted else ""
    return TimelineEntry(entry.seq, entry.at, seen.kind, entry.actor, text, link)
