"""Whom an escalation reaches now: the targets of its levels, without those whose accounts are gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.people import apart
from bot.domain.policy import Level, Policy, Target
from bot.domain.turns import user_at


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a level reaches now: Slack users, usergroups, and pagers by name. `skipped` were named, but are gone."""

    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    pagers: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.usergroups or self.pagers)


@dataclass(frozen=True, slots=True)
class Step:
    """One ring of the response timer: whom it calls, at which place of the ladder, and what waits after it.

    `empty` are the levels (1 is the first) that had nobody to call, so that the next one was called at once. `wait` is
    None after the last.
    """

    reach: Reach
    place: int
    wait: timedelta | None
    empty: tuple[int, ...] = ()


def reach(levels: Iterable[Level], policy: Policy, now: datetime, *, pagers: bool = True) -> Reach:
    """Return everybody whom `levels` reach at `now`, each once, in order; no pagers if none are to ring."""
    targets = [target for level in levels for target in level.targets]
    users, skipped = policy.duty.around(u for target in targets if (u := _user(target, policy, now)))
    return Reach(
        users,
        tuple(dict.fromkeys(t.usergroup for t in targets if t.usergroup)),
        tuple(dict.fromkeys(t.pagerduty for t in targets if t.pagerduty and pagers)),
        skipped,
    )


def _user(target: Target, policy: Policy, now: datetime) -> str:
    """Return the one person that a target means at `now`, if it means one."""
    if target.user:
        return target.user
    rotation = policy.oncall.get(target.schedule or "")
    return user_at(rotation, now, name=target.schedule or "", duty=policy.duty) if rotation else ""


def _owners(policy: Policy, service: str | None) -> Reach:
    people, groups = apart(policy.service(service).owners)
    users, skipped = policy.duty.around(people)
    return Reach(users, groups, skipped=skipped)


def first_responders(policy: Policy, service: str | None, now: datetime, *, pagers: bool = True) -> Reach:
    """Return whom an incident of `service` reaches first: the first level that reaches anybody, else its owners.

    Where no pagers are to ring, a level that has only those reaches nobody.
    """
    levels = policy.escalation_for(service)
    if not levels:
        return _owners(policy, service)
    skipped: tuple[str, ...] = ()
    for level in levels:
        found = reach([level], policy, now, pagers=pagers)
        skipped = tuple(dict.fromkeys((*skipped, *found.skipped)))
        if found:
            return Reach(found.users, found.usergroups, found.pagers, skipped)
    return Reach(skipped=skipped)


def escalate(policy: Policy, service: str | None, place: int, now: datetime, *, pagers: bool = True) -> Step:
    """Return the ring of the response timer at `place` (1 = the first after the response time).

    The first ring calls level 1 again together with level 2, so that nobody is passed over in silence. A level with
    nobody to call is passed over at once. After the last level it begins anew, as often as the escalation's `repeat`
    says. Without `pagers`, a level that has only those has nobody to call.
    """
    levels = policy.escalation_for(service)
    if not levels:
        return Step(_owners(policy, service), place, None)
    count = len(levels)
    last = max(count - 1, 1) + count * policy.repeat_for(service)
    picked = [levels[0]] if place == 1 else []
    skipped: dict[str, None] = {}
    empty: list[int] = [1] if picked and not reach(picked, policy, now, pagers=pagers) else []
    while True:
        own = levels[place % count]
        found = reach([own], policy, now, pagers=pagers)
        skipped |= dict.fromkeys(found.skipped)
        if found or place >= last:
            break
        empty.append(place % count + 1)
        place += 1
    if not found and place % count + 1 not in empty:
        empty.append(place % count + 1)
    called = reach([*picked, own], policy, now, pagers=pagers)
    everybody = Reach(called.users, called.usergroups, called.pagers, tuple(dict.fromkeys((*called.skipped, *skipped))))
    return Step(everybody, place, None if place >= last else own.wait, tuple(empty))
