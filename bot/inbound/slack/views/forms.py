"""What each submitted form does. Refusals are shown beside the field that is meant."""

from dataclasses import replace
from datetime import timedelta

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.refusals import OldControl
from bot.domain.services import service_of
from bot.domain.severity import Severity, Status, parse_severity
from bot.domain.verbs import UseRunbook, Wish
from bot.inbound.slack.actions.click import number
from bot.inbound.slack.counter import Again, Counter, Said
from bot.inbound.slack.quotes import moment_of
from bot.inbound.slack.views import more
from bot.inbound.slack.views.submission import Submission
from bot.render.slack import views
from bot.usecases.queries import Viewer


async def _do(counter: Counter, form: Submission, wish: Wish, part: str = "") -> Said:
    """Submit one wish about the form's incident. A form that does two things gives each its own command id."""
    once = form.request.command_id
    request = replace(form.request, command_id=f"{once}{part}" if once else "")
    return counter.message(await counter.desk.grant(wish, request, form.incident, form.incident))


async def declare(counter: Counter, form: Submission) -> Said:
    """Open the incident; the form's place is taken by the answer.

    Where an open one looks the same, or a past one that is not mended yet, the form comes back once and says so. A SEV1
    never waits for that.
    """
    options, service = form.chosen("options"), form.text("service").strip()
    command = c.Declare(
        title=form.text("title"),
        severity=parse_severity(form.text("severity")),
        service=service_of(service, counter.policy) if service else None,
        description=form.text("description"),
        private="private" in options,
        drill="drill" in options,
    )
    if not form.warned and command.severity is not Severity.SEV1 and not command.private:
        viewer = Viewer(form.request.actor)
        same = await counter.desk.queries.alike(viewer, command.title, command.service, command.labels)
        if same:
            remembered = views.metadata(None, channel=form.channel, warned=True)
            return Again(views.declare_form(counter.policy, remembered, same=same, filled=form.values))
    return counter.message(await counter.desk.grant(command, form.request, None))


async def update(counter: Counter, form: Submission) -> Said:
    """Post the update, promise the next."""
    await _do(counter, form, c.PostUpdate(form.text("text"), _span(form, "next")))
    return None


async def resolve(counter: Counter, form: Submission) -> Said:
    """Resolve; what is to be remembered for the postmortem goes on the timeline."""
    await _do(counter, form, c.Resolve(form.text("text")))
    if form.text("note").strip():
        await _do(counter, form, c.AddNote(form.text("note")), ":note")
    return None


async def public(counter: Counter, form: Submission) -> Said:
    """Save the draft; it goes out by its own buttons."""
    word = form.text("status")
    status = Status(word) if word in list(Status) else None
    await _do(counter, form, c.DraftPublic(form.text("text"), status, form.text("title")))
    return None


async def runbook(counter: Counter, form: Submission) -> Said:
    """Attach the chosen runbook."""
    await _do(counter, form, UseRunbook(form.text("runbook")))
    return None


async def severity(counter: Counter, form: Submission) -> Said:
    """Change the severity, with the reason."""
    level = parse_severity(form.text("severity"))
    if level is None:
        raise OldControl
    await _do(counter, form, c.SetSeverity(level, form.text("text")))
    return None


async def title(counter: Counter, form: Submission) -> Said:
    """Rename."""
    await _do(counter, form, c.SetTitle(form.text("title")))
    return None


async def note(counter: Counter, form: Submission) -> Said:
    """Put the message on the timeline of the chosen incident; one that is known is a note's own form."""
    if form.number is not None:
        return await more.note(counter, form)
    wish = c.AddNote(form.text("text"), moment_of(form.place), form.place)
    return counter.message(await counter.desk.grant(wish, form.request, _chosen(form)))


async def task(counter: Counter, form: Submission) -> Said:
    """Make an action item of the message: of the channel's incident, or of the chosen one."""
    wish = c.AddTask(form.text("text"), form.text("owner") or None, _span(form, "due"))
    if form.number is not None:
        return await _do(counter, form, wish)
    return counter.message(await counter.desk.grant(wish, form.request, _chosen(form)))


def _span(form: Submission, block: str) -> timedelta | None:
    """The span of time that was chosen there, if one was. The choices are ours: anything else is an old form's."""
    text = form.text(block)
    try:
        return parse_duration(text) if text else None
    except ValueError as exc:
        raise OldControl from exc


def _chosen(form: Submission) -> int:
    """The incident that was chosen in the form. Whether they may see it is the desk's to judge: no channel vouches."""
    return number(form.text("incident"))
