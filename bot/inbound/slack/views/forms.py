"""What each submitted form does. Refusals are shown beside the field that is meant."""

from dataclasses import replace

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.refusals import OldControl
from bot.domain.severity import Status, parse_severity
from bot.domain.verbs import UseRunbook, Wish
from bot.inbound.slack.counter import Counter, Said
from bot.inbound.slack.views.submission import Submission


async def _do(counter: Counter, form: Submission, wish: Wish, part: str = "") -> Said:
    """Submit one wish about the form's incident. A form that does two things gives each its own command id."""
    once = form.request.command_id
    request = replace(form.request, command_id=f"{once}{part}" if once else "")
    return counter.message(await counter.desk.grant(wish, request, form.incident, form.incident))


async def declare(counter: Counter, form: Submission) -> Said:
    """Open the incident; the form's place is taken by the answer."""
    options = form.chosen("options")
    command = c.Declare(
        title=form.text("title"),
        severity=parse_severity(form.text("severity")),
        service=form.text("service").strip().lstrip("#") or None,
        description=form.text("description"),
        private="private" in options,
        drill="drill" in options,
    )
    return counter.message(await counter.desk.grant(command, form.request, None))


async def update(counter: Counter, form: Submission) -> Said:
    """Post the update, promise the next."""
    span = form.text("next")
    try:
        promised = parse_duration(span) if span else None
    except ValueError as exc:
        raise OldControl from exc
    await _do(counter, form, c.PostUpdate(form.text("text"), promised))
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
