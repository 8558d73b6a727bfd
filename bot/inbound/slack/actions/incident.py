"""The card's controls, and those of the announcement and the answers."""

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.refusals import OldControl, ReasonNeeded
from bot.domain.severity import Severity, Status
from bot.domain.silences import DEFAULT
from bot.domain.verbs import OpenForm, Query, UseSilence
from bot.domain.verbs.model import FormName
from bot.inbound.slack.actions.click import Click, number
from bot.inbound.slack.commands import SLACK
from bot.inbound.slack.counter import Counter, Said
from bot.render.slack import mrkdwn
from bot.render.slack.ids import NO_TITLE
from bot.render.slack.message import Message
from bot.usecases.desk import Form, QueryAnswer


async def do(counter: Counter, click: Click, command: c.Command, incident: int | None = None) -> Said:
    """Submit `command`. In the incident's channel the live messages show what became of it; elsewhere it is said."""
    about = click.incident if incident is None else incident
    outcome = await counter.desk.grant(command, click.request, about, click.where)
    return None if click.where == about else counter.message(outcome)


async def form(counter: Counter, click: Click, name: FormName, incident: int | None = None) -> Said:
    """Ask for the rest in a form."""
    about = click.incident if incident is None else incident
    outcome = await counter.desk.grant(OpenForm(name), click.request, about, click.where)
    return counter.message(outcome)


async def acknowledge(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.Acknowledge())


async def severity(counter: Counter, click: Click) -> Said:
    """Where the record wants a reason, a form asks for it."""
    incident, level = click.parts(2)
    if level not in list(Severity):
        raise OldControl
    about = number(incident)
    try:
        return await do(counter, click, c.SetSeverity(Severity(level)), about)
    except ReasonNeeded:
        state = await counter.desk.see("severity", click.request, about, click.where)
        return Form("severity", state, severity=Severity(level))


async def status(counter: Counter, click: Click) -> Said:
    """Resolving asks what fixed it."""
    first, word = click.parts(2)
    if word not in list(Status):
        raise OldControl
    incident = number(first)
    match Status(word):
        case Status.RESOLVED:
            return await form(counter, click, "resolve", incident)
        case Status.CLOSED:
            return await do(counter, click, c.Close(), incident)
        case Status.CANCELLED:
            return await do(counter, click, c.Cancel(""), incident)
        case state:
            return await do(counter, click, c.SetStatus(state), incident)


async def lead(counter: Counter, click: Click) -> Said:
    """The incident stands in the block id; an emptied menu changes nothing."""
    if not click.value:
        return Message("An incident keeps its commander until somebody else takes over: choose a person.")
    return await do(counter, click, c.AssignRole("lead", click.value), number(click.block_id.rpartition(":")[2]))


async def take_lead(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.AssignRole("lead", click.request.actor))


async def snooze(counter: Counter, click: Click) -> Said:
    incident, timer, span = click.parts(3)
    try:
        length = parse_duration(span)
    except ValueError as exc:
        raise OldControl from exc
    return await do(counter, click, c.Snooze(timer, length), number(incident))


async def task_done(counter: Counter, click: Click) -> Said:
    """Value: `<incident>:<number of the action item>`."""
    incident, task = map(number, click.parts(2))
    return await do(counter, click, c.CompleteTask(task), incident)


async def update(counter: Counter, click: Click) -> Said:
    return await form(counter, click, "update")


async def runbook(counter: Counter, click: Click) -> Said:
    return await form(counter, click, "runbook")


async def public(counter: Counter, click: Click) -> Said:
    return await form(counter, click, "public")


async def resolve(counter: Counter, click: Click) -> Said:
    return await form(counter, click, "resolve")


async def title(counter: Counter, click: Click) -> Said:
    return await form(counter, click, "title")


async def retry(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.RetryDelivery())


async def redeliver(counter: Counter, click: Click) -> Said:
    return counter.message(await counter.desk.grant(c.Redeliver(), click.request, None))


async def accept_handoff(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.AcceptHandoff())


async def decline_handoff(counter: Counter, click: Click) -> Said:
    return await do(counter, click, c.DeclineHandoff())


async def postmortem(counter: Counter, click: Click) -> Said:
    outcome = await counter.desk.grant(Query("postmortem"), click.request, click.incident, click.where)
    return counter.message(outcome)


async def why(counter: Counter, click: Click) -> Said:
    outcome = await counter.desk.grant(Query("why"), click.request, click.incident, click.where)
    return counter.message(outcome)


async def silence(counter: Counter, click: Click) -> Said:
    """Value: `<incident>:<fingerprint>`. The asker is told at once, the channel when it is silent."""
    incident, _, word = click.value.partition(":")
    if not word:
        raise OldControl
    outcome = await counter.desk.grant(UseSilence(word, DEFAULT), click.request, number(incident), click.where)
    return counter.message(outcome)


async def join(counter: Counter, click: Click) -> Said:
    """Invite whoever clicked; whoever was invited before is shown the way."""
    state = await counter.desk.see("join", click.request, click.incident, click.where)
    room = mrkdwn.channel(state.room.channel, state.room.name) if state.room else mrkdwn.code(f"#{state.room_name}")
    if click.request.actor in state.people:
        return Message(f"{state.key} is in {room}.")
    await do(counter, click, c.Join())
    return Message(f"You will be in {room} in a moment.")


async def join_instead(counter: Counter, click: Click) -> Said:
    """Take back a declaration just made, in favour of the one that looks the same."""
    mine, other = click.parts(2)
    answer = await counter.desk.join_instead(click.request, number(mine), number(other), click.where)
    return Message(f"INC-{number(mine)} is taken back, and you will be in INC-{answer.incident} in a moment.")


async def undo(counter: Counter, click: Click) -> Said:
    """Take back a declaration just made."""
    return counter.message(await counter.desk.undo(click.request, click.incident, click.where))


async def got_it(counter: Counter, click: Click) -> Said:
    """The test of a page arrived."""
    await counter.desk.got_test(click.value, click.request)
    return Message("Thank you: whoever tested knows that a page reaches you.")


async def declare(counter: Counter, click: Click) -> Said:
    outcome = await counter.desk.grant(OpenForm("declare"), click.request, None)
    return outcome if isinstance(outcome, Form) else None


async def ask(counter: Counter, click: Click) -> Said:
    """A look-up from help."""
    parsed = counter.desk.read(click.value, click.request, SLACK)
    if not parsed.verb.reads:
        raise OldControl
    outcome = await counter.desk.do(parsed, click.request, click.where, SLACK)
    return counter.message(outcome) if isinstance(outcome, QueryAnswer) else None


def prefilled(click: Click) -> str:
    """Return the title that a declare button brings along."""
    return "" if click.value == NO_TITLE else click.value
