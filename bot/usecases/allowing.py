"""Who may ask for what: the permissions of the configuration, held against whoever asks."""

from typing import Final

from bot.domain.permissions import names_of
from bot.domain.policy import Policy
from bot.domain.refusals import NotAllowed
from bot.domain.verbs import Wish, permissions_for
from bot.ports.directory import Directory
from bot.usecases.cases import Request

OPERATORS: Final = ("cli", "api")
"""Doors whose keeper is the operator: whoever runs commands on the database's host, and whoever holds an API token."""
_WORDS: Final = {
    "declare": "declare incidents",
    "approve": "approve public updates",
    "page": "page people",
    "oncall": "change who is on call",
    "private": "declare private incidents",
    "close": "close, cancel or merge incidents",
    "admin": "look after Tocsin itself",
}


def allow(wish: Wish, request: Request, policy: Policy, directory: Directory) -> None:
    """Refuse what the configuration reserves for others. A usergroup that is not known (yet) holds nobody."""
    if request.surface.partition(":")[0] in OPERATORS:
        return
    permissions = policy.permissions
    for need in permissions_for(wish, policy):
        key = next((one for one in need if permissions.holders(one)), None)
        if key is None:
            continue
        allowed = permissions.holders(key)
        if not _is_one_of(request.actor, (*allowed, *permissions.admin), directory):
            raise NotAllowed(what=_WORDS.get(key, f"use `{key}`"), permission=key, ask=names_of(allowed))


def _is_one_of(actor: str, allowed: tuple[str, ...], directory: Directory) -> bool:
    return any(actor == one or (one.startswith("S") and actor in directory.members(one)) for one in allowed)
