"""Messages in channels: the live ones, which are posted once and then edited, and what is said in the room."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.domain.commands import MessagePosted, PageSent, QuestionPlaced
from bot.domain.effects import AskTriage, PostAnnouncement, PostNotice, ShowMessage, ShowTriage, Tell, TellUser
from bot.domain.events import RunbookAttached
from bot.domain.people import is_person
from bot.outbound.slack.budgets import POST
from bot.outbound.slack.client import Slack
from bot.outbound.slack.directory import Directory
from bot.outbound.slack.posting import Poster
from bot.outbound.slack.refusals import SlackRefusal
from bot.outbound.slack.rooms import room_of
from bot.ports.delivery import DeliveryError, Done, Job, Placed
from bot.render.slack.message import Message
from bot.render.slack.renderer import Renderer

_LOST = frozenset({"channel_not_found", "is_archived", "not_in_channel"})


class Messages:
    """Handlers of everything that is a message."""

    def __init__(self, slack: Slack, directory: Directory, poster: Poster, render: Renderer) -> None:
        self._slack = slack
        self._directory = directory
        self._poster = poster
        self._render = render

    async def where(self, job: Job) -> Placed:
        """Return where the message of an attempt at `job` would be: in its conversation, under its claim."""
        match job.effect:
            case PostAnnouncement() as effect:
                channel = await self._directory.channel(effect.channel)
            case TellUser() as effect:
                channel = effect.user
            case PostNotice() as effect:
                channel = effect.user or await self._directory.channel(effect.channel)
            case AskTriage() as effect:
                channel = effect.to if is_person(effect.to) else await self._directory.channel(effect.to)
            case _:
                channel = room_of(job).channel
        return Placed(await self._poster.conversation(channel), "", job.token)

    async def post_card(self, job: Job) -> Done:
        """Post the incident card."""
        return await self._post_live(job, "card", room_of(job).channel)

    async def post_runbook(self, job: Job) -> Done:
        """Post the checklist of the runbook in use."""
        return await self._post_live(job, "runbook", room_of(job).channel)

    async def post_alerts(self, job: Job) -> Done:
        """Post the line that counts the alerts."""
        return await self._post_live(job, "alerts", room_of(job).channel)

    async def post_draft(self, job: Job) -> Done:
        """Post the public update that waits."""
        return await self._post_live(job, "draft", room_of(job).channel)

    async def post_announcement(self, job: Job) -> Done:
        """Announce the incident in the organisation's channel, which the configuration names."""
        effect = job.effect
        assert isinstance(effect, PostAnnouncement)
        channel = await self._directory.channel(effect.channel)
        with self._named(effect.channel):
            return await self._post_live(job, effect.shown_as, channel)

    async def show(self, job: Job) -> Done:
        """Bring a live message up to date with the state as it is now."""
        effect = job.effect
        assert isinstance(effect, ShowMessage)
        live = job.state.messages[effect.what]
        message = self._rendered(effect.what, job)
        await self._slack.call(
            "chat.update", channel=live.channel, ts=live.ts, text=message.text, blocks=message.blocks
        )
        return Done()

    async def tell(self, job: Job) -> Done:
        """Say something in the incident's channel; after an outage, all that waited with it in one message."""
        effect = job.effect
        assert isinstance(effect, Tell)
        if job.folded:
            return await self._tell_together(job, effect)
        message = self._render.tell(effect, job.event, job.state)
        posted = await self._poster.post(job, room_of(job).channel, message)
        return Done(placed=Placed(posted.channel, posted.ts))

    async def _tell_together(self, job: Job, effect: Tell) -> Done:
        """Tell what is not told yet. An earlier attempt may have told all of it, some, or what waited by then."""
        channel = room_of(job).channel
        told = await self._poster.standing(channel, job.first_at) if job.first_at is not None else {}
        if job.id in told:
            return _together(job, told, Placed(channel, told[job.id]))
        waited = [(job.id, effect, job.event)]
        waited += [(one.id, one.effect, one.event) for one in job.folded if isinstance(one.effect, Tell)]
        waited = [one for one in waited if one[0] not in told]
        made = self._render.digest(
            [(tell, event) for _, tell, event in waited], job.state, job.claimed_at or job.created_at
        )
        message, count = made or (self._render.tell(effect, job.event, job.state), 1)
        ids = [effect_id for effect_id, _, _ in waited[:count]]
        posted = await self._poster.send(channel, message, ids, job.token)
        return _together(job, told | dict.fromkeys(ids, posted.ts), Placed(posted.channel, posted.ts))

    async def tell_user(self, job: Job) -> Done:
        """Tell one person directly; Slack opens the conversation for a user id."""
        effect = job.effect
        assert isinstance(effect, TellUser)
        book = job.runbook.event if job.runbook else None
        attached = book if isinstance(book, RunbookAttached) else None
        message = self._render.tell_user(effect, job.event, job.state, attached)
        posted = await self._poster.post(job, effect.user, message)
        placed = Placed(posted.channel, posted.ts)
        if not effect.response:
            return Done(placed=placed)
        shown = job.event.seq if posted.found else job.state.seq
        return Done(PageSent(effect.user, True, channel=posted.channel, ts=posted.ts, shown=shown), placed=placed)

    async def post_notice(self, job: Job) -> Done:
        """Say what the house has to say, in a channel (by name or id) or to a person."""
        effect = job.effect
        assert isinstance(effect, PostNotice)
        if job.notice is None:
            raise DeliveryError("the notice was forgotten before it could be said", permanent=True)
        channel = effect.user or await self._directory.channel(effect.channel)
        with self._named(effect.user or effect.channel):
            posted = await self._poster.post(job, channel, self._render.notice(job.notice))
        return Done(placed=Placed(posted.channel, posted.ts))

    async def ask_triage(self, job: Job) -> Done:
        """Ask about alerts, in a channel (by name) or one person."""
        effect, question = job.effect, job.question
        assert isinstance(effect, AskTriage)
        if question is None:
            raise DeliveryError("there is no such question", permanent=True)
        channel = effect.to if is_person(effect.to) else await self._directory.channel(effect.to)
        with self._named(effect.to):
            posted = await self._poster.post(job, channel, self._render.question(question))
        shown = 1 if posted.found else question.version
        return Done(
            QuestionPlaced(question.id, effect.to, posted.channel, posted.ts, shown),
            placed=Placed(posted.channel, posted.ts),
        )

    async def show_triage(self, job: Job) -> Done:
        """Bring a question up to date."""
        effect, question = job.effect, job.question
        assert isinstance(effect, ShowTriage)
        if question is None or effect.to not in question.places:
            raise DeliveryError("the question stands nowhere", permanent=True)
        place, message = question.places[effect.to], self._render.question(question)
        await self._slack.call(
            "chat.update", channel=place.channel, ts=place.ts, text=message.text, blocks=message.blocks
        )
        return Done()

    @contextmanager
    def _named(self, to: str) -> Iterator[None]:
        """Let a refusal of a post to `to` park the budget of that name, and look a lost channel up anew next time.

        A budget is named before the id is known.
        """
        try:
            yield
        except SlackRefusal as exc:
            if exc.code in _LOST:
                self._directory.forget(to)
            if exc.parks:
                exc.parks = f"{POST}:{to}"
            raise

    async def _post_live(self, job: Job, what: str, channel: str) -> Done:
        posted = await self._poster.post(job, channel, self._rendered(what, job))
        shown = job.event.seq if posted.found else job.state.seq
        return Done(
            MessagePosted(what=what, channel=posted.channel, ts=posted.ts, shown=shown),
            placed=Placed(posted.channel, posted.ts),
        )

    def _rendered(self, what: str, job: Job) -> Message:
        if what != "runbook":
            return self._render.live(what, job.state)
        if job.runbook is None or not isinstance(job.runbook.event, RunbookAttached):
            raise DeliveryError(
                "no runbook is attached", permanent=True, mend="Attach one with `/incident runbook NAME`."
            )
        return self._render.live(what, job.state, job.runbook.event)


def _together(job: Job, told: Mapping[str, str], placed: Placed) -> Done:
    """Return what became of a job with folded ones: `told` stand in the channel, the others wait again."""
    left = frozenset(one.id for one in job.folded if one.id not in told)
    with_it = len(job.folded) - len(left)
    words = f"in one message with {with_it} that had waited" if with_it else ""
    note = {"channel": placed.channel, "ts": placed.ts, "text": words} if with_it else {}
    return Done(note=note, placed=placed, left=left)
