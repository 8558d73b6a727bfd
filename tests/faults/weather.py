"""Weather aimed at effects: which call belongs to which effect, and in which way it goes wrong.

Every request of a handler says in a header for which effect it is made; so each call of an effect can be struck, those
by which it looks around, too.
"""

import re
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web

from bot.domain.effects import AnyEffect
from bot.simulator import Workspace
from bot.simulator.control import Control, Fault
from tests.outbound.vendors import Trouble, Vendor

HEADER = "X-Effect"
AT_WORK: ContextVar[str] = ContextVar("at_work", default="")
"""`<kind> <id>`: the effect that a task of the bot carries out, or whose call a task of a server answers."""
ASKED_AGAIN = frozenset({"GET", "PUT", "DELETE"})
"""Where the line drops, aiohttp itself asks once more what may be repeated (RFC 9110, section 9.2.2)."""
_IDS = re.compile(r"(?<=/)(?:[rs]\d+|Q\d+|p\d+)\b")


@dataclass(frozen=True)
class Called:
    """One call: the effect's kind and id, and what it asks for: a method of Slack, a path of another vendor."""

    kind: str
    effect: str
    what: str

    @property
    def pair(self) -> tuple[str, str]:
        """The kind, and what it called."""
        return self.kind, self.what


Strikes = Callable[[Called], bool]
"""Told of an effect's call when it comes in; True if it shall go wrong."""


def once() -> Strikes:
    """Strike the first call of every kind, of each thing that it calls."""
    struck: set[tuple[str, str]] = set()

    def strikes(called: Called) -> bool:
        new = called.pair not in struck
        struck.add(called.pair)
        return new

    return strikes


def whose(what: str) -> Called | None:
    """Return the call that this task answers; None if no effect makes it."""
    kind, _, effect = AT_WORK.get().partition(" ")
    return Called(kind, effect, what) if kind else None


@web.middleware
async def attributed(request: web.Request, handler: Any) -> web.StreamResponse:
    """Let whatever answers `request` know whose it is."""
    AT_WORK.set(request.headers.get(HEADER, ""))
    answer: web.StreamResponse = await handler(request)
    return answer


def attribute(session: aiohttp.ClientSession) -> None:
    """Let each request of `session` say for which effect it is made."""

    async def begins(_: aiohttp.ClientSession, __: object, request: aiohttp.TraceRequestStartParams) -> None:
        if at_work := AT_WORK.get():
            request.headers[HEADER] = at_work

    config = aiohttp.TraceConfig()
    config.on_request_start.append(begins)
    config.freeze()
    session._trace_configs.append(config)


@dataclass
class Weather:
    """Counts the calls of effects, and lets some go wrong."""

    workspace: Workspace
    vendors: tuple[Vendor, ...]
    called: Counter[tuple[str, str]] = field(default_factory=Counter)
    struck: Counter[Called] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let nothing go wrong, but for what is set at the workspace itself."""
        self.strike("", lambda called: False)

    def strike(self, kind: str, strikes: Strikes, retry_after: float = 1) -> None:
        """Let the calls go wrong that `strikes` picks, in the way `kind` names; the vendors in the like way."""
        control = self.workspace.control

        def fault(method: str) -> Fault | None:
            if self._meets(whose(method), strikes):
                return Fault(kind, method, retry_after=retry_after)
            return Control.fault(control, method)

        control.fault = fault  # type: ignore[method-assign]
        for vendor in self.vendors:
            self._aim(vendor, _vendor_trouble(kind, retry_after), strikes)

    def _aim(self, vendor: Vendor, trouble: Trouble, strikes: Strikes) -> None:
        again: set[Called] = set()

        def trouble_for(method: str, body: Any) -> Trouble | None:
            AT_WORK.set(vendor.headers[-1].get(HEADER, ""))
            called = whose(_what(method, vendor.requests[-1][1], body))
            if called in again:
                again.discard(called)
                return replace(trouble, after=False)
            if called is None or not self._meets(called, strikes):
                return None
            if trouble.reset and method in ASKED_AGAIN:
                again.add(called)
            return trouble

        vendor.trouble_for = trouble_for  # type: ignore[method-assign]

    def _meets(self, called: Called | None, strikes: Strikes) -> bool:
        if called is None:
            return False
        self.called[called.pair] += 1
        struck = strikes(called)
        self.struck[called] += struck
        return struck


def named(effect: AnyEffect, effect_id: str) -> str:
    """Return what AT_WORK says while `effect` is carried out."""
    return f"{effect.kind} {effect_id}"


def _what(method: str, path: str, body: Any) -> str:
    """PagerDuty takes all events at one address; elsewhere it is method and path, without ids."""
    action = body.get("event_action") if isinstance(body, dict) else None
    return str(action or f"{method} {_IDS.sub('…', path.partition('?')[0])}")


def _vendor_trouble(kind: str, retry_after: float) -> Trouble:
    """Return what `kind` means for a vendor that is not Slack."""
    match kind:
        case "429" | "ratelimited":
            return Trouble(status=429, headers={"Retry-After": str(int(retry_after))})
        case "500" | "503":
            return Trouble(status=int(kind))
        case "reset_before" | "reset_after":
            return Trouble(reset=True, after=kind == "reset_after")
        case "silence" | "silence_after":
            return Trouble(hang=True, after=kind == "silence_after")
        case "malformed":
            return Trouble(status=200, body='{"ok": tru', after=True)
        case _:
            return Trouble(status=401, body='{"error": "not allowed"}')
