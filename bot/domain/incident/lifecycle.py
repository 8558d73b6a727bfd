"""Rules of the life cycle: declare, acknowledge, change, resolve, reopen, close, cancel, merge."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.calls import call_link
from bot.domain.incident.alerting import report_facts
from bot.domain.incident.context import Context, must_be_active, read_text, read_title
from bot.domain.incident.public import FALSE_ALARM, GOES_ON, auto_draft, end_public, publish_events
from bot.domain.incident.responding import call_first_responders, change_severity, reopened
from bot.domain.incident.state import Incident
from bot.domain.incident.words import post_update, runbook_event
from bot.domain.people import is_person, mention
from bot.domain.policy import Policy
from bot.domain.services import service_of
from bot.domain.severity import Severity, Status
from bot.domain.templates import fill
from bot.domain.text import clean_line, cut, slug

SERVICE_MAX = 60
"""Characters of a service's name that a person types."""
CHANNEL_NAME_MAX = 80  # https://docs.slack.dev/reference/methods/conversations.create


def room_name(policy: Policy, number: int, title: str, severity: Severity, service: str | None, private: bool) -> str:
    """Return a channel name that Slack takes, whatever the title. A private incident's name tells nothing."""
    values = {
        "number": number,
        "slug": slug("" if private else title, CHANNEL_NAME_MAX),
        "severity": severity.value,
        "service": slug(service or "", 30),
    }
    try:
        name = fill(policy.channels.name, values)
    except ValueError:
        name = f"inc-{number}-{values['slug']}"
    name = slug(name, CHANNEL_NAME_MAX)
    return name if str(number) in name else slug(f"inc-{number}-{name}", CHANNEL_NAME_MAX)


def declare(command: c.Declare, ctx: Context) -> list[e.Event]:
    """A new incident. From a person, a title is checked; from an alert, it is cut."""
    severity = command.severity or Severity.SEV3
    from_alert = command.alerts is not None
    title, service = clean_line(command.title), command.service
    if command.title.strip() and not from_alert:
        title = read_title(command.title)
    if service is not None and not from_alert:
        service = clean_line(service, SERVICE_MAX) or None
        service = service and service_of(service, ctx.policy)
    assumed = not title
    title = title or f"{severity.label} declared by {mention(ctx.actor)}"
    declared = e.Declared(
        number=ctx.number,
        title=title,
        title_assumed=assumed,
        severity=severity,
        severity_assumed=command.assumed or command.severity is None,
        severity_reason=cut(command.severity_reason, 500)
        or ("no severity was given" if command.severity is None else ""),
        service=service,
        description=read_text(command.description, "", optional=True)
        if not from_alert
        else cut(command.description, 3000),
        private=command.private,
        drill=command.drill,
        via=command.via,
        room_name=room_name(ctx.policy, ctx.number, "" if assumed else title, severity, service, command.private),
        respond_by=ctx.respond_by(severity),
        update_by=ctx.update_by(severity),
        labels=dict(command.labels),
        previous=command.previous,
        role_by=ctx.role_by(severity, {}),
        stale_after=ctx.stale_after(severity),
        when_alerts_end=command.when_alerts_end,
        quiet=command.quiet.total_seconds(),
        call_url=call_link(
            ctx.policy, ctx.number, "" if assumed else title, severity, service, private=command.private
        ),
    )
    made: list[e.Event] = [declared]
    if command.alerts is not None:
        made.append(report_facts(command.alerts))
    if command.runbook is not None:
        reason = cut(command.runbook_reason, 300)
        made.append(runbook_event(command.runbook, ctx.number, title, command.labels, command.annotations, reason))
    if not command.private:
        made.append(auto_draft(declared, ctx.policy))
    made += call_first_responders(severity, service, ctx, f"{severity.label} declared")
    return made


def acknowledge(state: Incident, command: c.Acknowledge, ctx: Context) -> list[e.Event]:
    """Somebody is on it. That alone makes nobody the commander: taking a role is said aloud.

    Whoever is called after somebody else has acknowledged answers with it, too.
    """
    must_be_active(state)
    if state.waits_for(ctx.actor) and state.acknowledged_at is not None:
        return [e.CallAnswered(user=ctx.actor, how="acknowledged")]
    if state.acknowledged_at is not None:
        raise r.AlreadyAcknowledged(key=state.key, by=mention(state.acknowledged_by or ""))
    took = (ctx.now - state.waits_since).total_seconds()
    return [e.Acknowledged(took=took, late=state.escalation > 0)]


def set_severity(state: Incident, command: c.SetSeverity, ctx: Context) -> list[e.Event]:
    """Change the severity. Raising it calls whoever is on call; lowering it needs a reason."""
    must_be_active(state)
    if command.severity is state.severity and not state.severity_assumed:
        raise r.NothingChanged(what=f"{state.key} is {state.severity.label}")
    reason = read_text(command.reason, "", optional=True, limit=1000)
    if state.severity.worse_than(command.severity) and not reason and not state.severity_assumed:
        raise r.ReasonNeeded(what="Lowering a severity", usage=f"sev {command.severity.rank} because …")
    made = change_severity(state, command.severity, reason, ctx)
    used = state.runbook
    if command.runbook is not None and (used is None or (used.name != command.runbook.name and not used.by_hand)):
        made.append(runbook_event(command.runbook, state.number, state.title, state.labels, {}, "severity changed"))
    return made


def set_status(state: Incident, command: c.SetStatus, ctx: Context) -> list[e.Event]:
    """Move among investigating, identified and monitoring; `resolved` and `closed` have their own rules.

    What is said with the status that it has already is an update.
    """
    if command.status is Status.RESOLVED:
        return resolve(state, c.Resolve(command.text), ctx)
    if command.status is Status.CLOSED:
        return close(state, c.Close(), ctx)
    if command.status is Status.CANCELLED:
        return cancel(state, c.Cancel(command.text), ctx)
    must_be_active(state)
    text = read_text(command.text, "", optional=True)
    if command.status is state.status and text:
        return post_update(state, c.PostUpdate(text), ctx)
    if command.status is state.status:
        raise r.NothingChanged(what=f"{state.key} is {state.status}")
    return [e.StatusChanged(old=state.status, new=command.status, text=text)]


def set_title(state: Incident, command: c.SetTitle, ctx: Context) -> list[e.Event]:
    """Rename the incident, and its channel with it: Slack's links lead by id, so they stay good."""
    if state.status is Status.CANCELLED:
        raise r.FinallyCancelled(key=state.key)
    title = read_title(command.title)
    if title == state.title:
        raise r.NothingChanged(what=f"{state.key} is called that")
    name = room_name(ctx.policy, state.number, title, state.severity, state.service, state.private)
    return [e.TitleChanged(old=state.title, new=title, room_name=name if name != state.room_name else "")]


def set_service(state: Incident, command: c.SetService, ctx: Context) -> list[e.Event]:
    """Say which service it is about."""
    must_be_active(state)
    service = clean_line(service_of(command.service, ctx.policy), SERVICE_MAX)
    if service == state.service:
        raise r.NothingChanged(what=f"{state.key} is about {service}")
    return [e.ServiceChanged(old=state.service, new=service)]


def resolve(state: Incident, command: c.Resolve, ctx: Context) -> list[e.Event]:
    """It is over. An approved public update goes out in the same commit; the postmortem becomes due."""
    if state.status in (Status.RESOLVED, Status.CLOSED):
        raise r.AlreadyResolved(key=state.key, status=state.status)
    must_be_active(state)
    made: list[e.Event] = [
        e.Resolved(
            text=read_text(command.text, "", optional=True),
            postmortem_by=None if state.drill else ctx.postmortem_by(state.severity),
            took=(ctx.now - state.declared_at).total_seconds(),
        )
    ]
    made += publish_events(state, ctx, resolving=True)
    return made


def reopen(state: Incident, command: c.Reopen, ctx: Context) -> list[e.Event]:
    """It was not over. The response timer starts again."""
    if state.status is Status.CANCELLED:
        raise r.FinallyCancelled(key=state.key)
    if state.is_active:
        raise r.NothingChanged(what=f"{state.key} is open")
    reason = read_text(command.reason, "", optional=True)
    if not reason:
        raise r.ReasonNeeded(what="Reopening", usage="reopen because …")
    calls = call_first_responders(state.severity, state.service, ctx, f"{state.severity.label} reopened")
    return [reopened(state, state.severity, reason, ctx), *calls]


def close(state: Incident, command: c.Close, ctx: Context) -> list[e.Event]:
    """Everything is done, the postmortem too."""
    if state.status is Status.CANCELLED:
        raise r.FinallyCancelled(key=state.key)
    if state.status is Status.CLOSED:
        raise r.NothingChanged(what=f"{state.key} is closed")
    if state.status is not Status.RESOLVED:
        raise r.NotOver(key=state.key, status=state.status, what="`resolve` it first.")
    return [e.Closed(archive_by=ctx.archive_by())]


def cancel(state: Incident, command: c.Cancel, ctx: Context) -> list[e.Event]:
    """It was no incident. Final; what the public saw of it ends in the same commit.

    Undone right after its declaration, it takes its channel along.
    """
    must_be_active(state)
    reason = read_text(command.reason, "", optional=True)
    if not reason:
        raise r.ReasonNeeded(what="Cancelling", usage="cancel because …")
    return [_cancelled(state, reason, command.undone, ctx), *end_public(state, ctx, FALSE_ALARM)]


def _cancelled(state: Incident, reason: str, undone: bool, ctx: Context, into: int | None = None) -> e.Cancelled:
    """Taken back right after the declaration, the channel gives its name free and goes at once."""
    return e.Cancelled(
        reason=reason,
        merged_into=into,
        archive_by=None if undone else ctx.archive_by(),
        undone=undone,
        room_name=slug(f"void-{state.room_name}", CHANNEL_NAME_MAX) if undone else "",
    )


def merge(state: Incident, command: c.Merge, ctx: Context) -> list[e.Event]:
    """It is the same as another one, which goes on. What the public saw of this one ends."""
    must_be_active(state)
    if command.into == state.number:
        raise r.AlreadyMerged(key=state.key)
    why = read_text(command.reason, "", optional=True, limit=1000)
    reason = f"merged into INC-{command.into}" + (f": {why}" if why else "")
    return [_cancelled(state, reason, command.undone, ctx, command.into), *end_public(state, ctx, GOES_ON)]


def absorb(state: Incident, command: c.Absorb, ctx: Context) -> list[e.Event]:
    """Another one was merged into this one: whoever was there learns where it goes on, and whoever is here, of them."""
    known = {state.declared_by, *state.people}
    people = tuple(one for one in command.people if is_person(one) and one not in known)
    title = clean_line(command.title)
    return [e.Absorbed(number=command.number, title=title, channel=command.channel, people=people)]
