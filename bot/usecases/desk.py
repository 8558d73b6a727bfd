"""The desk: where slash command, mention, command line, button and REST come with what they want, and get an answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import structlog

from bot.domain import commands as c
from bot.domain.audit import action_of
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.record import Observation
from bot.domain.refusals import (
    NoIncidentHere,
    NotAllowed,
    NothingToUndo,
    Refused,
    SilencingOff,
    TooLateToUndo,
)
from bot.domain.severity import Severity
from bot.domain.silences import choose, inexact
from bot.domain.verbs import (
    OpenForm,
    ParseContext,
    Parsed,
    Query,
    Undo,
    UseRunbook,
    UseSilence,
    Wish,
    parse,
)
from bot.domain.verbs.model import FormName
from bot.ports.clock import Clock
from bot.ports.directory import Directory
from bot.ports.library import RunbookLibrary
from bot.ports.store import Answer, Unavailable
from bot.usecases.allowing import allow
from bot.usecases.cases import Act, Deny, Observe, Open, Request
from bot.usecases.choosing import chosen, matched_again, titles, with_runbook
from bot.usecases.committer import Submits
from bot.usecases.overrides import Overriding
from bot.usecases.page_tries import TryPage, got_it
from bot.usecases.queries import Data, Queries, Viewer
from bot.usecases.roster import Roster
from bot.usecases.triaging import AnswerQuestion, Choice
from bot.usecases.undelivered import TryAgain

log = structlog.get_logger()

UNDO_WITHIN: Final = timedelta(minutes=5)
"""A mistaken declaration can be taken back for this long (docs/commands.md says so, too)."""


@dataclass(frozen=True, slots=True)
class Form:
    """The answer is a form. `state` is the incident it is about, None for a declaration.

    `severity` is what was chosen before the form was needed.
    """

    name: FormName
    state: Incident | None = None
    runbooks: Mapping[str, str] = field(default_factory=dict)
    """Name → title."""
    severity: Severity | None = None
    others: Sequence[Mapping[str, Any]] = ()
    """Open incidents that it could be part of, as lists show them."""


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
    silences: bool = False
    """Alertmanager can be called."""
    roster: Roster | None = None
    """Is told of overrides; without one they hold from the next start on."""

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
        if isinstance(parsed.wish, Undo) and parsed.incident is None:
            number = await self._just_declared(request, where)
        elif parsed.verb.incident and number is None:
            raise NoIncidentHere(verb=parsed.verb.name)
        return await self.grant(parsed.wish, request, number, where)

    async def grant(self, wish: Wish, request: Request, number: int | None, where: int | None = None) -> Outcome:
        """Do `wish` about incident `number`; buttons and forms come in here, already understood."""
        action = wish.name if isinstance(wish, Query | OpenForm) else action_of(wish)
        async with self._watched(action, request, number):
            return await self._grant(wish, request, self._viewer(request, where), number)

    async def see(self, action: str, request: Request, number: int, where: int | None = None) -> Incident:
        """Return incident `number` for a surface that shows some of it by itself, as `action`. Raises Refused."""
        async with self._watched(action, request, number):
            return await self.queries.state(self._viewer(request, where), number)

    @staticmethod
    def _viewer(request: Request, where: int | None) -> Viewer:
        return Viewer(request.actor, request.sees_private or request.surface == "cli", where)

    async def _grant(self, wish: Wish, request: Request, viewer: Viewer, number: int | None) -> Outcome:
        self._allow(wish, request)
        match wish:
            case Query():
                return await self._look(wish, viewer, number)
            case OpenForm():
                return await self._form(wish, viewer, number)
            case c.Declare():
                command = with_runbook(wish, self.policy, await self.library.fresh())
                answer = await self.committer.submit(Open(request, command, self.policy))
                return await self._with_what_is_seen(answer, wish, viewer)
            case c.TryPage():
                return await self.committer.submit(TryPage(request, wish, self.policy))
            case c.OverrideOnCall() | c.CancelOverride():
                return await self._override(wish, request)
            case c.Redeliver():
                return await self.committer.submit(TryAgain(request, wish, viewer.trusted))
            case Undo():
                return await self._take_back(request, viewer, number)
            case UseRunbook():
                return await self._act(chosen(wish, await self.library.fresh()), request, viewer, number)
            case UseSilence():
                return await self._silence(wish, request, viewer, number)
            case _:
                return await self._act(wish, request, viewer, number)

    async def got_test(self, ticket: str, request: Request) -> Answer:
        """Somebody has got the test of a page: whoever sent it is told, once."""
        return await self.committer.submit(got_it(ticket, request.actor, self.policy, self.clock()))

    async def _override(self, command: c.OverrideOnCall | c.CancelOverride, request: Request) -> Answer:
        """The answer comes when this process knows it; the others hear of it at once."""
        answer = await self.committer.submit(Overriding(request, command, self.policy))
        if self.roster is not None:
            with suppress(Unavailable):
                await self.roster.refresh()
        return answer

    @asynccontextmanager
    async def _watched(self, action: str, request: Request, number: int | None) -> AsyncIterator[None]:
        """What somebody may not do or see goes on the audit trail, and is refused."""
        try:
            yield
        except Refused as refused:
            if refused.denied:
                await self._keep_denial(action, request, number, refused.code)
            raise

    async def _keep_denial(self, action: str, request: Request, number: int | None, reason: str) -> None:
        try:
            await self.committer.submit(Deny(request, action, number, reason))
        except Unavailable as exc:  # refused it is all the same
            log.warning("denial not kept", action=action, actor=request.actor, error=str(exc))

    async def _with_what_is_seen(self, answer: Answer, command: c.Declare, viewer: Viewer) -> Answer:
        """Add what the channel waits for and what looks the same, both at once, after the commit: no declaration waits
        for a comparison.
        """
        waits, same = await asyncio.gather(self._wait_of(answer), self._lookalikes(answer, command, viewer))
        return _with_fields(answer, waits=waits, alike=same)

    async def _with_wait(self, answer: Answer) -> Answer:
        return _with_fields(answer, waits=await self._wait_of(answer))

    async def _wait_of(self, answer: Answer) -> Data | None:
        """Whether the channel has to wait for its turn: who declares it is told at once, and why."""
        if answer.kind != "declared" or answer.incident is None:
            return None
        try:
            return await self.queries.room_wait(answer.incident)
        except Unavailable:
            return None  # the declaration is saved, and that is what counts

    async def _lookalikes(self, answer: Answer, command: c.Declare, viewer: Viewer) -> list[Data]:
        if answer.kind != "declared" or answer.incident is None or not command.title:
            return []
        try:
            return await self.queries.alike(viewer, command.title, command.service, command.labels, answer.incident)
        except Unavailable:
            return []

    async def answer(self, question: str, choice: Choice, request: Request, channel: str) -> Answer:
        """Declare or dismiss what people were asked about. Whoever may declare may also say that it is none."""
        async with self._watched("answer_question", request, None):
            self._allow(c.Declare(), request)
        case = AnswerQuestion(request, question, choice, channel, self.policy, await self.library.fresh())
        return await self._with_wait(await self.committer.submit(case))

    async def join_instead(self, request: Request, number: int, into: int, where: int | None = None) -> Answer:
        """Take a declaration back in favour of the incident that looks the same, and join that one."""
        viewer = self._viewer(request, where)
        async with self._watched("join_instead", request, number):
            self._allow(Undo(), request)
            mine = await self._may_undo(request, viewer, number)
        async with self._watched("join_instead", request, into):
            theirs = await self.queries.state(viewer, into)
        same = mine.private == theirs.private  # else nothing of the one may be read in the other
        taken_back = c.Merge(into, undone=True) if same else c.Cancel("declared by mistake", undone=True)
        await self.committer.submit(Act(request, number, taken_back, self.policy))
        again = replace(request, command_id=f"{request.command_id}:join" if request.command_id else "")
        return await self.committer.submit(Act(again, into, c.Join(), self.policy))

    async def _may_undo(self, request: Request, viewer: Viewer, number: int) -> Incident:
        state = await self.queries.state(viewer, number)
        if not self.undoable(state, request.actor):
            refused = TooLateToUndo(key=state.key)
            refused.denied = state.declared_by != request.actor
            raise refused
        return state

    async def undo(self, request: Request, number: int, where: int | None = None) -> Answer:
        """Take a mistaken declaration back, by its button."""
        answer = await self.grant(Undo(), request, number, where)
        assert isinstance(answer, Answer)
        return answer

    async def _take_back(self, request: Request, viewer: Viewer, number: int | None) -> Answer:
        """It is its declarer's right, for five minutes."""
        if number is None:
            raise NothingToUndo
        await self._may_undo(request, viewer, number)
        return await self.committer.submit(
            Act(request, number, c.Cancel("declared by mistake", undone=True), self.policy)
        )

    async def _just_declared(self, request: Request, where: int | None) -> int | None:
        """Return what `undo` alone means: the channel's incident, if it is theirs to take back, else their last one."""
        theirs = await self.queries.just_declared(request.actor, self.clock() - UNDO_WITHIN)
        return where if where in theirs or not theirs else theirs[0]

    async def _act(self, command: c.Command, request: Request, viewer: Viewer, number: int | None) -> Answer:
        if number is None:
            raise NoIncidentHere(verb="ack")
        if isinstance(command, c.SetSeverity):
            state = await self.queries.state(viewer, number)
            command = matched_again(command, state, self.policy, await self.library.fresh())
        elif viewer.room != number:
            await self.queries.state(viewer, number)
        if isinstance(command, c.Merge) and command.into != number:
            await self.queries.state(viewer, command.into)  # a private one that they cannot see is not there
        return await self.committer.submit(Act(request, number, command, self.policy))

    async def _silence(self, wish: UseSilence, request: Request, viewer: Viewer, number: int | None) -> Answer:
        if number is None:
            raise NoIncidentHere(verb="silence")
        if not self.silences:
            raise SilencingOff
        alerts = await self.queries.episodes(viewer, number)
        command = c.SilenceAlerts(choose(alerts, wish.word), wish.span, wish.word, inexact(alerts, wish.word))
        return await self._act(command, request, viewer, number)

    def _allow(self, wish: Wish, request: Request) -> None:
        allow(wish, request, self.policy, self.directory)

    def may(self, wish: Wish, actor: str) -> bool:
        """True if `actor` may ask for that in Slack."""
        try:
            self._allow(wish, Request(actor))
        except NotAllowed:
            return False
        return True

    async def _form(self, wish: OpenForm, viewer: Viewer, number: int | None) -> Form:
        if wish.name in ("declare", "override"):
            return Form(wish.name)
        if number is None:
            raise NoIncidentHere(verb=wish.name)
        state = await self.queries.state(viewer, number)
        return Form(
            wish.name,
            state,
            titles(await self.library.fresh()) if wish.name == "runbook" else {},
            others=await self._others(state, viewer) if wish.name == "merge" else (),
        )

    async def _others(self, state: Incident, viewer: Viewer) -> Sequence[Mapping[str, Any]]:
        """A private incident and a public one never become one."""
        found = await self.queries.incidents(viewer)
        return [one for one in found if one["number"] != state.number and one["private"] == state.private]

    def undoable(self, state: Incident, actor: str) -> bool:
        """True for whoever may take the declaration back now."""
        return state.declared_by == actor and self.clock() - state.declared_at <= UNDO_WITHIN

    async def _look(self, wish: Query, viewer: Viewer, number: int | None) -> QueryAnswer:
        queries, name = self.queries, wish.name
        match name:
            case "help":
                return QueryAnswer("help", wish.argument.strip().lower())
            case "list":
                everything = wish.argument.strip().lower() in ("all", "--all", "-a")
                return QueryAnswer("list", await queries.incidents(viewer, everything=everything))
            case "override":
                return QueryAnswer("override", await queries.overrides())
            case "oncall":
                return QueryAnswer("oncall", await queries.oncall(wish.argument))
            case "undelivered":
                return QueryAnswer("undelivered", await queries.undelivered(viewer))
        if number is None:
            raise NoIncidentHere(verb=name)
        looks: dict[str, Callable[[Viewer, int], Awaitable[Any]]] = {
            "status": queries.show,
            "call": queries.show,
            "timeline": queries.timeline,
            "timers": queries.timers,
            "catchup": queries.catchup,
            "public": queries.public,
            "postmortem": queries.postmortem,
            "why": queries.why,
        }
        now = self.clock()  # what happens while it is read is news the next time
        answer = QueryAnswer(name, await looks[name](viewer, number), number)
        if name == "catchup":
            await self._remember_look(viewer, number, now)
        return answer

    async def _remember_look(self, viewer: Viewer, number: int, now: datetime) -> None:
        """The next catch-up of the same person begins at `now`. Best effort: an answer is worth more."""
        seen = Observation(kind="looked", key=f"looked:{viewer.actor}:{now.isoformat()}", user=viewer.actor)
        with suppress(Unavailable):
            await self.committer.submit(Observe(Request(viewer.actor), number, now, seen))


def _with_fields(answer: Answer, **more: object) -> Answer:
    """Add those of `more` that there are."""
    there = {name: value for name, value in more.items() if value}
    return answer.model_copy(update={"fields": {**answer.fields, **there}}) if there else answer
