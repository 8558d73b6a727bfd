"""What the small forms behind More… do. The channel says what became of it; a note, which it does not, is confirmed."""

from datetime import datetime

from bot.domain import commands as c
from bot.domain.refusals import BadArgument, NotATime, OldControl, PersonOrService
from bot.domain.services import service_of
from bot.domain.verbs import Wish
from bot.inbound.slack.actions.click import number
from bot.inbound.slack.counter import Counter, Said
from bot.inbound.slack.views.submission import Submission
from bot.render.slack.message import Message


async def _do(counter: Counter, form: Submission, wish: Wish) -> Said:
    await counter.desk.grant(wish, form.request, form.incident, form.incident)
    return None


def _needed(form: Submission, name: str) -> str:
    """Return what Slack does not let go unanswered. Refuses a payload that lacks it."""
    found = form.text(name).strip()
    if not found:
        raise OldControl
    return found


async def page(counter: Counter, form: Submission) -> Said:
    """Page a person, or whoever is on call for a service."""
    user, service = form.text("user"), form.text("service").strip()
    if bool(user) is bool(service):
        raise PersonOrService
    target = user or service_of(service, counter.policy)
    return await _do(counter, form, c.PageSomeone(target, form.text("text")))


async def handoff(counter: Counter, form: Submission) -> Said:
    """Offer the command."""
    return await _do(counter, form, c.OfferHandoff(_needed(form, "user")))


async def role(counter: Counter, form: Submission) -> Said:
    """Give a role."""
    return await _do(counter, form, c.AssignRole(_needed(form, "role"), _needed(form, "user")))


async def service(counter: Counter, form: Submission) -> Said:
    """Say which service it is about."""
    return await _do(counter, form, c.SetService(service_of(_needed(form, "service"), counter.policy)))


async def call(counter: Counter, form: Submission) -> Said:
    """Say where people talk; nothing: nowhere any more."""
    return await _do(counter, form, c.SetCall(form.text("url").strip()))


async def reopen(counter: Counter, form: Submission) -> Said:
    """It was not over."""
    return await _do(counter, form, c.Reopen(_needed(form, "text")))


async def cancel(counter: Counter, form: Submission) -> Said:
    """It was no incident."""
    return await _do(counter, form, c.Cancel(_needed(form, "text")))


async def merge(counter: Counter, form: Submission) -> Said:
    """It is part of another one."""
    return await _do(counter, form, c.Merge(number(form.text("incident")), reason=form.text("text")))


async def override(counter: Counter, form: Submission) -> Said:
    """Somebody else is on call for a while, from a time as it is written in a command."""
    schedule, user, span = (_needed(form, name) for name in ("schedule", "user", "span"))
    start = f" from {form.text('start').strip()}" if form.text("start").strip() else ""
    wish = counter.desk.read(f"override {schedule} <@{user}>{start} for {span}", form.request).wish
    if not isinstance(wish, c.OverrideOnCall):
        raise OldControl
    return counter.message(await counter.desk.grant(wish, form.request, None))


async def note(counter: Counter, form: Submission) -> Said:
    """Put it on the timeline, at its time. In the incident's channel that is confirmed to the writer only."""
    wish = c.AddNote(form.text("text"), _moment(counter, form))
    said = counter.message(await counter.desk.grant(wish, form.request, form.incident, form.incident))
    if not form.channel or not isinstance(said, Message):
        return said
    counter.tasks.start(counter.whisper(form.channel, form.request.actor, said))
    return None


def _moment(counter: Counter, form: Submission) -> datetime | None:
    """Return the time, written as in `note 14:32 …`. Refuses what is none."""
    written = form.text("when").strip()
    if not written:
        return None
    try:
        meant = counter.desk.read(f"note {written} x", form.request).wish
    except BadArgument as refused:
        raise NotATime(written=written) from refused
    if not isinstance(meant, c.AddNote) or meant.at is None or meant.text != "x":
        raise NotATime(written=written)
    return meant.at
