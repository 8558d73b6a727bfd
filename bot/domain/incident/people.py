"""Rules about people: roles, the accepted handoff, paging."""

from collections.abc import Container

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.incident.context import Context, must_be_active, read_text
from bot.domain.incident.state import Incident
from bot.domain.oncall import Reach, first_responders
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.domain.text import clean_line


def find_role(policy: Policy, word: str) -> str:
    """Return the name of the role that `word` means. Refuses an unknown one, naming those there are."""
    word = word.strip().lower()
    for name, role in policy.roles.items():
        if word in (name, *role.aliases, role.title.lower()):
            return name
    raise r.UnknownRole(word=word, roles=", ".join(policy.roles))


def assign_role(state: Incident, command: c.AssignRole, ctx: Context) -> list[e.Event]:
    """Give a role. One person holds it; the old holder is told."""
    must_be_active(state)
    role = find_role(ctx.policy, command.role)
    if state.roles.get(role) == command.user:
        raise r.NothingChanged(what=f"<@{command.user}> has that role")
    return [e.RoleAssigned(role=role, user=command.user, old=state.roles.get(role))]


def offer_handoff(state: Incident, command: c.OfferHandoff, ctx: Context) -> list[e.Event]:
    """Offer the command to somebody; until they accept, the old commander keeps it."""
    must_be_active(state)
    if state.lead == command.user:
        raise r.NothingChanged(what=f"<@{command.user}> is in command")
    return [e.HandoffOffered(user=command.user, lead=state.lead)]


def accept_handoff(state: Incident, command: c.AcceptHandoff, ctx: Context) -> list[e.Event]:
    """Take the command that was offered to you."""
    must_be_active(state)
    if state.handoff is None or state.handoff.user != ctx.actor:
        raise r.NoHandoff(key=state.key)
    return [e.RoleAssigned(role="lead", user=ctx.actor, old=state.lead)]


def join(state: Incident, command: c.Join, ctx: Context) -> list[e.Event]:
    """Whoever asks is invited to the channel, also when it is over: to read along needs no reason."""
    if not is_person(ctx.actor):
        raise r.UnknownPerson(word=ctx.actor)
    return [e.JoinRequested(user=ctx.actor)]


def page_someone(state: Incident, command: c.PageSomeone, ctx: Context) -> list[e.Event]:
    """Page a person, or whoever is on call for a service."""
    must_be_active(state)
    reason = read_text(command.reason, "", optional=True, limit=1000)
    target = command.target
    if is_person(target):
        return [e.PageRequested(target=target, users=(target,), reason=reason)]
    reached = first_responders(ctx.policy, target, ctx.now)
    if not reached:
        raise r.NobodyToPage(what=clean_line(target, 60))
    return [_requested(target, reached, reason)]


def _requested(target: str, reached: Reach, reason: str, level: int = 0) -> e.PageRequested:
    return e.PageRequested(
        target=target,
        level=level,
        users=reached.users,
        usergroups=reached.usergroups,
        pagers=reached.pagers,
        reason=reason,
    )


def call_first_responders(
    severity: Severity, service: str | None, ctx: Context, already: Container[str] = ()
) -> list[e.Event]:
    """Page (SEV1) or notify (SEV2) whoever is on call at once, as the severity says. Nobody configured: nothing."""
    policy = ctx.policy.severities[severity]
    if not (policy.page or policy.notify):
        return []
    reached = first_responders(ctx.policy, service, ctx.now)
    users = tuple(u for u in reached.users if u not in already)
    pagers = tuple(p for p in reached.pagers if p not in already) if policy.page else ()
    if not users and not pagers and not reached.usergroups:
        return []
    return [_requested(service or "on-call", Reach(users, reached.usergroups, pagers), f"{severity.label} declared")]
