"""What App Home shows one person: what they owe, where they are needed, what is open, who is on call."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.domain.effects import ShowHome
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status
from bot.ports.reader import Reader
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEffect
from bot.usecases.queries import Data, Queries, Viewer, head, stamp

_RANKS: Final = {"page": 0, "handoff": 0, "approval": 1}
"""Kinds of what is owed that somebody waits for now → how soon; the others go by when they are due."""


def anybody(user: str) -> bool:
    """Nobody in particular approves public updates."""
    return True


@dataclass(frozen=True, slots=True)
class Homes:
    """Reads what everybody's Home shows. Raises Unavailable.

    By the permissions: `may_approve` public updates, `may_mend` what Tocsin could not deliver of its own.
    """

    reader: Reader
    queries: Queries
    policy: Policy = field(default_factory=Policy)
    may_approve: Callable[[str], bool] = anybody
    may_mend: Callable[[str], bool] = anybody

    async def of(self, users: Iterable[str]) -> dict[str, Data]:
        """Return user → what their Home shows; read once for all of them."""
        incidents = await self.reader.unfinished()
        shifts = await self.queries.oncall()
        failed = await self._undelivered()
        return {
            user: home(
                user, incidents, shifts, self.policy, self.may_approve(user), failed if self.may_mend(user) else 0
            )
            for user in users
        }

    async def _undelivered(self) -> int:
        """Count what is seen elsewhere. A Home that cannot be shown would change with each time that it is not."""
        return sum(one["kind"] != "show_home" for one in await self.queries.undelivered(Viewer("")))

    async def of_one(self, user: str) -> Data:
        """Return what the Home of `user` shows."""
        return (await self.of([user]))[user]


def home(
    user: str,
    incidents: Sequence[Incident],
    shifts: Sequence[Data],
    policy: Policy | None = None,
    may_approve: bool = True,
    undelivered: int = 0,
) -> Data:
    """Return the Home of `user`, as plain data without the present time: it changes only when a fact does.

    A private incident is there for its members only.
    """
    viewer = Viewer(user)
    seen = [state for state in incidents if viewer.may_see(state)]
    active = sorted((s for s in seen if s.is_active), key=lambda s: (s.severity.rank, s.declared_at))
    owed = [one for state in seen for one in _owed(state, user)]
    owed += [
        _approval(state) for state in active if may_approve and _waits_for_approval(state, user, policy or Policy())
    ]
    return {
        "user": user,
        "owed": sorted(owed, key=_by_urgency),
        "mine": [_card(state, user) for state in active if _concerns(state, user)],
        "open": [_card(state, user) for state in active if not _concerns(state, user)],
        "oncall": list(shifts),
        "undelivered": undelivered,
    }


def _concerns(state: Incident, user: str) -> bool:
    return user in (state.declared_by, *state.roles.values(), *state.people, *state.reached)


def _card(state: Incident, user: str) -> Data:
    return {
        **head(state),
        "roles": [role for role, holder in state.roles.items() if holder == user],
        "here": user in state.people,
        "update_by": stamp(state.update_by),
        "call_url": state.call_url,
    }


def _by_urgency(owed: Data) -> tuple[int, str, int]:
    """What somebody waits for now comes first, then by when it is due."""
    return (_RANKS.get(owed["kind"], 2), owed["due"] or "9999", owed["number"])


def _about(state: Incident) -> Data:
    return {key: head(state)[key] for key in ("number", "key", "title", "severity", "private", "channel")}


def _waits_for_approval(state: Incident, user: str, policy: Policy) -> bool:
    """A person's draft waits for those who are named to approve; where nobody is, for whoever works on the incident.

    What was made up at the start waits for nobody: somebody has to want it first.
    """
    draft = state.draft
    if draft is None or draft.automatic or draft.approved_by or state.private:
        return False
    if draft.author == user and state.severity in policy.statuspage.approval.second_person:
        return False
    named = policy.permissions.approve or policy.permissions.public
    return bool(named) or _concerns(state, user)


def _approval(state: Incident) -> Data:
    draft = state.draft
    assert draft is not None
    shown = {"version": draft.version, "heading": draft.title, "text": draft.text, "author": draft.author}
    return {**_about(state), "kind": "approval", "due": None, **shown}


def _owed(state: Incident, user: str) -> Iterable[Data]:
    """What others wait for from `user` in this incident."""
    about = _about(state)
    if state.status is Status.CANCELLED:
        return
    if state.is_active:
        if state.needs(user) and state.reached.get(user) in ("paged", "sent"):
            yield {**about, "kind": "page", "due": stamp(state.respond_by)}
        if state.handoff and state.handoff.user == user:
            yield {**about, "kind": "handoff", "due": None}
        if state.lead == user and state.update_by:
            yield {**about, "kind": "update", "due": stamp(state.update_by)}
    if state.postmortem_owed and user == (state.lead or state.declared_by):
        yield {**about, "kind": "postmortem", "due": stamp(state.postmortem_owed)}
    for task in state.tasks:
        if task.owner == user and not task.done:
            yield {**about, "kind": "task", "due": stamp(task.due), "task": task.number, "text": task.text}


@dataclass(frozen=True, slots=True)
class ShowHomes:
    """Bring the Homes of `users` up to date; those that wait for it already wait once.

    `nonce` makes the rows' names unique: Slack's id of the event, or anything that comes only once.
    """

    users: tuple[str, ...]
    nonce: str
    command_id: str = ""

    def keys(self) -> Keys:
        return Keys()

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Queue one Show for each."""
        shows = [ShowHome(user=user) for user in self.users]
        rows = [NewEffect.of_house(f"{show.show_key}:{self.nonce}", show, Severity.SEV3.rank, now) for show in shows]
        return Changes(Answer(kind="shown"), self.command_id, effects=rows)
