"""App Home: read when it is published, so the newest always wins. Publishing the same again does no harm."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.effects import ShowHome
from bot.outbound.slack.client import Slack
from bot.ports.clock import Clock
from bot.ports.delivery import DeliveryError, Done, Job
from bot.ports.store import Unavailable
from bot.render.slack.renderer import Renderer


@dataclass(frozen=True, slots=True)
class Homes:
    """`read` returns what the Home of a person shows; `channel_link` gives a channel's address."""

    slack: Slack
    render: Renderer
    read: Callable[[str], Awaitable[Mapping[str, Any]]]
    channel_link: Callable[[str], str]
    clock: Clock

    async def show(self, job: Job) -> Done:
        """Publish the Home of one person. https://docs.slack.dev/reference/methods/views.publish"""
        effect = job.effect
        assert isinstance(effect, ShowHome)
        try:
            data = await self.read(effect.user)
        except Unavailable as exc:
            raise DeliveryError(f"could not read what to show: {exc}") from exc
        view = self.render.home(data, self.clock(), self.channel_link)
        await self.slack.call("views.publish", user_id=effect.user, view=view)
        return Done()
