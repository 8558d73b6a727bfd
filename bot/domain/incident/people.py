"""Rules about people: roles, the accepted handoff, paging."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.incident.context import Context, must_be_active, must_be_around, read_text
from bot.domain.incident.responding import requested
from bot.domain.incident.state import Incident
from bot.domain.oncall import first_responders
from bot.domain.people import is_person
from bot.domain.policy import Policy
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
    must_be_around(command.user, ctx)
    role = find_role(ctx.policy, command.role)
    if state.roles.get(role) == command.user:
        raise r.NothingChanged(what=f"<@{command.user}> has that role")
    return [_assigned(state, role, command.user, ctx)]


def _assigned(state: Incident, role: str, user: str, ctx: Context) -> e.RoleAssigned:
    missing = ctx.missing_roles(state.severity, {**state.roles, role: user})
    return e.RoleAssigned(
        role=role,
        user=user,
        old=state.roles.get(role),
        role_by=(state.role_by or ctx.role_by(state.severity, state.roles)) if missing else None,
        relief_by=ctx.relief_by(state.severity) if role == "lead" else None,
    )


def offer_handoff(state: Incident, command: c.OfferHandoff, ctx: Context) -> list[e.Event]:
    """Offer the command to somebody; until they accept, the old commander keeps it."""
    must_be_active(state)
    must_be_around(command.user, ctx)
    if state.lead == command.user:
        raise r.NothingChanged(what=f"<@{command.user}> is in command")
    return [e.HandoffOffered(user=command.user, lead=state.lead)]


def accept_handoff(state: Incident, command: c.AcceptHandoff, ctx: Context) -> list[e.Event]:
    """Take the command that was offered to you."""
    _must_be_offered(state, ctx)
    return [_assigned(state, "lead", ctx.actor, ctx)]


def decline_handoff(state: Incident, command: c.DeclineHandoff, ctx: Context) -> list[e.Event]:
    """Say no to the command that was offered to you: the old commander keeps it, and is told."""
    _must_be_offered(state, ctx)
    return [e.HandoffDeclined(user=ctx.actor, reason=read_text(command.reason, "", optional=True, limit=1000))]


def _must_be_offered(state: Incident, ctx: Context) -> None:
    """Refuse anybody but the one who was asked."""
    must_be_active(state)
    if state.handoff is None or state.handoff.user != ctx.actor:
        refused = r.NoHandoff(key=state.key)
        refused.denied = state.handoff is not None  # it was offered, to somebody else
        raise refused


def withdraw_handoff(state: Incident, command: c.WithdrawHandoff, ctx: Context) -> list[e.Event]:
    """Take an offer back. Whoever may offer the command may; a new offer takes the place of an old one, too."""
    must_be_active(state)
    if state.handoff is None:
        raise r.NothingOffered(key=state.key)
    reason = read_text(command.reason, "", optional=True, limit=1000)
    return [e.HandoffWithdrawn(user=state.handoff.user, reason=reason)]


def join(state: Incident, command: c.Join, ctx: Context) -> list[e.Event]:
    """Whoever asks is invited to the channel, also when it is over: to read along needs no reason."""
    if not is_person(ctx.actor):
        raise r.UnknownPerson(word=ctx.actor)
    return [e.JoinRequested(user=ctx.actor)]


def enter(state: Incident, command: c.Enter, ctx: Context) -> list[e.Event]:
    """To see a private incident is to be in its channel. Whoever is in a public one matters to nobody."""
    here = command.user in state.people and command.user not in state.departed
    return [] if not state.private or here or not is_person(command.user) else [e.Entered(user=command.user)]


def leave(state: Incident, command: c.Leave, ctx: Context) -> list[e.Event]:
    """…and whoever is no longer there sees it no longer, whatever they did in it or were called."""
    gone = command.user in state.departed
    return [] if not state.private or gone or not is_person(command.user) else [e.Left(user=command.user)]


def page_someone(state: Incident, command: c.PageSomeone, ctx: Context) -> list[e.Event]:
    """Page a person, or whoever is on call for a service."""
    must_be_active(state)
    reason = read_text(command.reason, "", optional=True, limit=1000)
    target = command.target
    if is_person(target):
        must_be_around(target, ctx)
        return [e.PageRequested(target=target, users=(target,), reason=reason)]
    reached = first_responders(ctx.policy, target, ctx.now)
    if not reached:
        raise r.NobodyToPage(what=clean_line(target, 60))
    return [requested(target, reached, reason)]
