"""The desk: where slash command, mention, command line, button and REST come with what they want, and get an answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol, TypeAlias

from bot.domain import commands as c
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.refusals import NoIncidentHere, NotAllowed, TooLateToUndo, UnknownRunbook
from bot.domain.severity import Severity
from bot.domain.verbs import OpenForm, ParseContext, Parsed, Query, UseRunbook, Wish, parse, permissions_for
from bot.domain.verbs.model import FormName
from bot.ports.clock import Clock
from bot.ports.directory import Directory
from bot.ports.library import RunbookLibrary
from bot.ports.store import Answer, Unavailable
from bot.usecases.cases import Act, Open, Request
from bot.usecases.committer import Case
from bot.usecases.queries import Queries, Viewer

UNDO_WITHIN: Final = timedelta(minutes=5)
"""A mistaken declaration can be taken back for this long (CONTRACT, section 4)."""
TRUSTED: Final = frozenset({"cli", "api:private"})
"""Surfaces that see private incidents: whoever runs commands on the database's host, and API tokens marked so."""
_WORDS: Final = {
    "declare": "declare incidents",
    "approve": "approve public updates",
    "page": "page people",
    "private": "declare private incidents",
    "close": "close, cancel or merge incidents",
}


class Submits(Protocol):
    """The committer, as the desk sees it."""

    async def submit(self, case: Case) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Form:
    """The answer is a form. `state` is the incident it is about, None for a declaration.

    `severity` is what was chosen before the form was needed.
    """

    name: FormName
    state: Incident | None = None
    runbooks: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What was looked up: `kind` names the text, `data` is what `--json` prints."""

    kind: str
    data: Any
    incident: int | None = None


Outcome: TypeAlias = Answer | Form | QueryAnswer


@dataclass(frozen=True, slots=True)
class Door:
    """How the request came in: `forms`, a form or a button to one can be shown; `escaped`, the text is Slack's."""

    forms: bool = False
    escaped: bool = False


PLAIN: Final = Door()


@dataclass(slots=True)
class Desk:
    """Understands, checks permissions, finds the incident and the runbook, submits, answers. Raises Refused."""

    committer: Submits
    queries: Queries
    policy: Policy
    library: RunbookLibrary
    directory: Directory
    clock: Clock

    def read(self, text: str, request: Request, door: Door = PLAIN) -> Parsed:
        """Return what `text` asks for."""
        return parse(
            text,
            ParseContext(
                policy=self.policy,
                now=self.clock(),
                actor=request.actor if request.actor[:1] in "UW" else "",
                escaped=door.escaped,
                forms=door.forms,
                find_person=self.directory.find,
                via=request.surface.partition(":")[0],
            ),
        )

    async def do(self, said: str | Parsed, request: Request, where: int | None = None, door: Door = PLAIN) -> Outcome:
        """Do what was said. `where` is the incident of the channel it was said in, or the one the surface named.

        Raises Refused, or Unavailable (nothing is known to be saved).
        """
        parsed = self.read(said, request, door) if isinstance(said, str) else said
        number = parsed.incident if parsed.incident is not None else where
        if parsed.verb.incident and number is None:
            raise NoIncidentHere(verb=parsed.verb.name)
        return await self.grant(parsed.wish, request, number, where)

    async def grant(self, wish: Wish, request: Request, number: int | None, where: int | None = None) -> Outcome:
        """Do `wish` about incident `number`; buttons and forms come in here, already understood."""
        viewer = Viewer(request.actor, request.surface in TRUSTED, where)
        match wish:
            case Query():
                return await self._look(wish, viewer, number)
            case OpenForm():
                return await self._form(wish, request, viewer, number)
            case c.Declare():
                self._allow(wish, request)
                answer = await self.committer.submit(Open(request, self._with_runbook(wish), self.policy))
                return await self._with_wait(answer)
            case UseRunbook():
                return await self._act(self._chosen(wish), request, viewer, number)
            case _:
                return await self._act(wish, request, viewer, number)

    async def _with_wait(self, answer: Answer) -> Answer:
        """Add whether the channel has to wait for its turn: who declares it is told at once, and why."""
        if answer.kind != "declared" or answer.incident is None:
            return answer
        try:
            wait = await self.queries.room_wait(answer.incident)
        except Unavailable:
            return answer  # the declaration is saved, and that is what counts
        return answer.model_copy(update={"fields": {**answer.fields, "waits": wait}}) if wait else answer

    async def undo(self, request: Request, number: int, where: int | None = None) -> Answer:
        """Take a mistaken declaration back: its declarer's right, for five minutes."""
        viewer = Viewer(request.actor, request.surface in TRUSTED, where)
        state = await self.queries.state(viewer, number)
        if state.declared_by != request.actor or self.clock() - state.declared_at > UNDO_WITHIN:
            raise TooLateToUndo(key=state.key)
        return await self.committer.submit(Act(request, number, c.Cancel("declared by mistake"), self.policy))

    async def _act(self, command: c.Command, request: Request, viewer: Viewer, number: int | None) -> Answer:
        if number is None:
            raise NoIncidentHere(verb="ack")
        self._allow(command, request)
        if viewer.room != number:
            await self.queries.state(viewer, number)
        return await self.committer.submit(Act(request, number, command, self.policy))

    def _with_runbook(self, command: c.Declare) -> c.Declare:
        if command.runbook is not None:
            return command
        severity = command.severity or Severity.SEV3
        fixed = self.policy.service(command.service).runbook
        runbook = self.library.get(fixed) if fixed else None
        if runbook is None:
            runbook, _ = self.library.match(command.labels, command.annotations, command.service, severity)
        return replace(command, runbook=runbook)

    def _chosen(self, wish: UseRunbook) -> c.AttachRunbook:
        names = self.library.names()
        runbook = self.library.get(wish.name) or self.library.get(wish.name.lower().replace(" ", "-"))
        if runbook is None:
            raise UnknownRunbook(word=wish.name, runbooks=", ".join(names))
        return c.AttachRunbook(runbook, "chosen by hand")

    def _allow(self, command: c.Command, request: Request) -> None:
        """Refuse what the configuration reserves for others. The command line and API tokens are the operator's own."""
        if request.surface.partition(":")[0] in ("cli", "api"):
            return
        for permission in permissions_for(command):
            allowed: tuple[str, ...] = getattr(self.policy.permissions, permission)
            if allowed and not self._is_one_of(request.actor, (*allowed, *self.policy.permissions.admin)):
                raise NotAllowed(what=_WORDS[permission], permission=permission)

    def _is_one_of(self, actor: str, allowed: tuple[str, ...]) -> bool:
        return any(actor == one or (one.startswith("S") and actor in self.directory.members(one)) for one in allowed)

    async def _form(self, wish: OpenForm, request: Request, viewer: Viewer, number: int | None) -> Form:
        if wish.name == "declare":
            self._allow(c.Declare(), request)
            return Form("declare")
        if number is None:
            raise NoIncidentHere(verb=wish.name)
        state = await self.queries.state(viewer, number)
        return Form(wish.name, state, tuple(self.library.names()) if wish.name == "runbook" else ())

    async def _look(self, wish: Query, viewer: Viewer, number: int | None) -> QueryAnswer:
        queries, name = self.queries, wish.name
        match name:
            case "help":
                return QueryAnswer("help", wish.argument.strip().lower())
            case "list":
                everything = wish.argument.strip().lower() in ("all", "--all", "-a")
                return QueryAnswer("list", await queries.incidents(viewer, everything=everything))
            case "oncall":
                return QueryAnswer("oncall", await queries.oncall(wish.argument))
        if number is None:
            raise NoIncidentHere(verb=name)
        looks: dict[str, Callable[[Viewer, int], Awaitable[Any]]] = {
            "status": queries.show,
            "timeline": queries.timeline,
            "timers": queries.timers,
            "catchup": queries.catchup,
            "public": queries.public,
            "postmortem": queries.postmortem,
        }
        return QueryAnswer(name, await looks[name](viewer, number), number)
