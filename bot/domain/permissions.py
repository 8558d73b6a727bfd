"""Who may do what: the `permissions` of `tocsin.yaml`. Safe where it matters most: whoever sees a fire may say so."""

from typing import Annotated, Final

from pydantic import Field

from bot.domain.section import Section

Holder = Annotated[str, Field(pattern=r"^[SUW][A-Z0-9]{2,20}$")]
"""A usergroup (`S…`) or a person (`U…`, `W…`), by the id that Slack shows in its profile; a name may change hands."""
Holders = tuple[Holder, ...]

NAMED: Final = 3
"""Holders that a refusal names."""


class Permissions(Section):
    """Usergroup or user ids per permission; empty means everyone in the workspace.

    The first six stand for several things at once. Every other key is a verb; where a verb has holders of its own, they
    count, and not those of the six.
    """

    declare: Holders = ()
    approve: Holders = ()
    """Approve and publish public updates."""
    page: Holders = ()
    private: Holders = ()
    """Declare private incidents. Nobody sees one by a permission: only by being in it."""
    close: Holders = ()
    """Close, cancel and merge."""
    admin: Holders = ()
    """May do everything that is limited."""

    ack: Holders = ()
    call: Holders = ()
    """Say where people talk. Looking is free."""
    cancel: Holders = ()
    catchup: Holders = ()
    handoff: Holders = ()
    """Offer the command. Whoever it is offered to may always accept."""
    lead: Holders = ()
    list: Holders = ()
    merge: Holders = ()
    mitigate: Holders = ()
    note: Holders = ()
    oncall: Holders = ()
    override: Holders = ()
    """Put somebody else on call for a while."""
    pagetest: Holders = ()
    """Try somebody's pager; without holders of its own, as `page`."""
    postmortem: Holders = ()
    public: Holders = ()
    """Every change of the public update; `approve` limits the last two steps further."""
    redeliver: Holders = ()
    """Try again what Tocsin could not say of its own; without holders of its own, as `admin`. So is `undelivered`."""
    reopen: Holders = ()
    resolve: Holders = ()
    retry: Holders = ()
    role: Holders = ()
    runbook: Holders = ()
    service: Holders = ()
    sev: Holders = ()
    silence: Holders = ()
    snooze: Holders = ()
    status: Holders = ()
    """Say where it stands. Looking is free."""
    step: Holders = ()
    task: Holders = ()
    timeline: Holders = ()
    timers: Holders = ()
    title: Holders = ()
    undelivered: Holders = ()
    undo: Holders = ()
    """Take back, within five minutes, what one declared oneself."""
    unsilence: Holders = ()
    update: Holders = ()
    why: Holders = ()

    def holders(self, key: str) -> tuple[str, ...]:
        """Return who holds `key`; nobody in particular for a key that there is not."""
        found: tuple[str, ...] = getattr(self, key) if key in type(self).model_fields else ()
        return found

    def usergroups(self) -> tuple[str, ...]:
        """Return every usergroup that is named: their members must be known before anybody asks."""
        named = {one for key in type(self).model_fields for one in self.holders(key)}
        return tuple(sorted(one for one in named if one.startswith("S")))


def names_of(holders: tuple[str, ...]) -> str:
    """Return the first few of `holders` as mentions, which every surface shows as names."""
    named = [f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in holders[:NAMED]]
    return ", ".join([*named, *(["others"] if len(holders) > NAMED else [])])
