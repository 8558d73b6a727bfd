"""Which permissions a wish needs, however it was said: typed, clicked, filled in, or by an emoji: those of its verb."""

from collections.abc import Mapping
from typing import Final

from bot.domain import commands as c
from bot.domain.incident.people import find_role
from bot.domain.policy import Policy
from bot.domain.refusals import UnknownRole
from bot.domain.severity import Status
from bot.domain.verbs.model import Need, OpenForm, Query, Verb, Wish
from bot.domain.verbs.table import VERBS

_BY_WISH: Final[Mapping[type, Verb]] = {made: verb for verb in VERBS.values() for made in verb.makes}
_BY_FORM: Final[Mapping[str, Verb]] = {verb.form: verb for verb in VERBS.values() if verb.form}
_BY_STATUS: Final[Mapping[Status, str]] = {
    Status.MONITORING: "mitigate",
    Status.RESOLVED: "resolve",
    Status.CLOSED: "close",
    Status.CANCELLED: "cancel",
}
"""The verbs that say in one word what `status` says in two."""


def permissions_for(wish: Wish, policy: Policy) -> tuple[Need, ...]:
    """Return what `wish` needs, all of it; nothing if it is free. To look is free, except by a verb that only looks."""
    verb = verb_of(wish, policy)
    if verb is None or not verb.need or type(wish) in verb.free or (isinstance(wish, Query) and not verb.reads):
        return ()
    further = verb.further
    return (verb.need, (further.key,)) if further and further.wanted(wish) else (verb.need,)


def verb_of(wish: Wish, policy: Policy) -> Verb | None:
    """Return the verb that asks for `wish`; None if none does."""
    match wish:
        case Query():
            return VERBS.get(wish.name)
        case OpenForm():
            return _BY_FORM.get(wish.name)
        case c.SetStatus():
            return VERBS[_BY_STATUS.get(wish.status, "status")]
        case c.AssignRole():
            return VERBS["lead" if _is_lead(wish.role, policy) else "role"]
        case _:
            return _BY_WISH.get(type(wish))


def _is_lead(word: str, policy: Policy) -> bool:
    try:
        return find_role(policy, word) == "lead"
    except UnknownRole:
        return False
