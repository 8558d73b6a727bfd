"""Messages in channels: the live ones, which are posted once and then edited, and what is said in the room."""

from bot.domain.commands import MessagePosted, PageSent
from bot.domain.effects import PostAnnouncement, ShowMessage, Tell, TellUser
from bot.domain.events import RunbookAttached
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

    async def post_card(self, job: Job) -> Done:
        """Post the incident card."""
        return await self._post_live(job, "card", room_of(job).channel)

    async def post_runbook(self, job: Job) -> Done:
        """Post the checklist of the runbook in use."""
        return await self._post_live(job, "runbook", room_of(job).channel)

    async def post_draft(self, job: Job) -> Done:
        """Post the public update that waits."""
        return await self._post_live(job, "draft", room_of(job).channel)

    async def post_announcement(self, job: Job) -> Done:
        """Announce the incident in the organisation's channel, which the configuration names."""
        effect = job.effect
        assert isinstance(effect, PostAnnouncement)
        channel = await self._directory.channel(effect.channel)
        try:
            return await self._post_live(job, "announcement", channel)
        except SlackRefusal as exc:
            if exc.code in _LOST:
                self._directory.forget(effect.channel)
            if exc.parks:
                exc.parks = f"{POST}:{effect.channel}"  # the budget is named before the id is known
            raise

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
        """Say something in the incident's channel."""
        effect = job.effect
        assert isinstance(effect, Tell)
        message = self._render.tell(effect, job.event, job.state)
        posted = await self._poster.post(job, room_of(job).channel, message)
        return Done(placed=Placed(posted.channel, posted.ts))

    async def tell_user(self, job: Job) -> Done:
        """Tell one person directly; Slack opens the conversation for a user id."""
        effect = job.effect
        assert isinstance(effect, TellUser)
        message = self._render.tell_user(effect, job.event, job.state)
        posted = await self._poster.post(job, effect.user, message)
        late = effect.response and job.state.reached.get(effect.user) == "failed"
        return Done(PageSent(effect.user, ok=True) if late else None, placed=Placed(posted.channel, posted.ts))

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
