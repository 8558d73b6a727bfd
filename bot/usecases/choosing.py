"""Which runbook an incident works by: fixed for its service, matched by its labels, or chosen by hand."""

from dataclasses import replace

from bot.domain import commands as c
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.refusals import UnknownRunbook
from bot.domain.severity import Severity
from bot.domain.verbs import UseRunbook
from bot.ports.library import Runbooks


def with_runbook(command: c.Declare, policy: Policy, runbooks: Runbooks) -> c.Declare:
    """Return the declaration with the runbook that fits, unless it names one."""
    if command.runbook is not None:
        return command
    severity = command.severity or Severity.SEV3
    fixed = policy.service(command.service).runbook
    runbook = runbooks.get(fixed) if fixed else None
    if runbook is None:
        runbook, _ = runbooks.match(command.labels, command.annotations, command.service, severity)
    return replace(command, runbook=runbook)


def matched_again(command: c.SetSeverity, state: Incident, policy: Policy, runbooks: Runbooks) -> c.SetSeverity:
    """Return the command with the runbook of the new severity; the default one takes no other's place."""
    runbook, _ = runbooks.match(state.labels, {}, state.service, command.severity)
    if runbook is None or runbook.name == policy.runbooks.default:
        return command
    return replace(command, runbook=runbook)


def chosen(wish: UseRunbook, runbooks: Runbooks) -> c.AttachRunbook:
    """Return what attaches the runbook that somebody named. Raises UnknownRunbook, naming those there are."""
    runbook = runbooks.get(wish.name) or runbooks.get(wish.name.lower().replace(" ", "-"))
    if runbook is None:
        raise UnknownRunbook(word=wish.name, runbooks=", ".join(runbooks.names()))
    return c.AttachRunbook(runbook, "chosen by hand", by_hand=True)


def titles(runbooks: Runbooks) -> dict[str, str]:
    """Return the runbooks there are, by name."""
    found = ((name, runbooks.get(name)) for name in runbooks.names())
    return {name: book.title for name, book in found if book is not None}
