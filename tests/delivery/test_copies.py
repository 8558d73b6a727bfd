"""A repeat owes looks for a copy that comes late; they are looked, by whoever is there then."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from bot.domain import commands as c
from bot.domain.effects import QuietPager
from bot.ports.delivery import DeliveryError, Done, Job, Look, Placed, Registration
from bot.storage.database import Database
from tests.delivery.bases import Base, InMemory, on_database
from tests.delivery.world import Clock, Process, World, transient


@dataclass
class Channel:
    """Where the card is posted: a first attempt may arrive late, beside its repeat."""

    world: World
    clock: Clock
    stands: list[str] = field(default_factory=list)
    looks: list[tuple[float, bool]] = field(default_factory=list)
    """(second, lost) of each look."""
    away: list[Exception] = field(default_factory=list)

    async def post(self, job: Job) -> Done:
        """Post the card."""
        done = await self.world.carry(job)
        self.stands.append("1.1")
        return Done(done.command, placed=Placed("C1", "1.1"))

    async def tidy(self, look: Look) -> list[Placed]:
        """Leave the one that is kept."""
        self.looks.append((self.clock.seconds(), look.lost))
        if self.away:
            raise self.away.pop(0)
        copies = [ts for ts in self.stands if ts != look.placed.ts]
        self.stands = [ts for ts in self.stands if ts == look.placed.ts]
        return [Placed(look.placed.channel, ts) for ts in copies]

    def registry(self) -> dict[str, Registration]:
        """The world's, with this for the card."""
        known = self.world.registry()
        return {**known, "post_card": replace(known["post_card"], handler=self.post, tidy=self.tidy)}


def process(base: Base, channel: Channel, name: str = "one") -> Process:
    return Process(base.store, base.outbox, channel.world, channel.clock, registry=channel.registry(), name=name)


async def removed(base: Base, number: int) -> list[str]:
    """The late copies that the record says were removed."""
    store = base.store
    entries = await store.entries(number) if isinstance(store, Database) else store.tables.entries[number]  # type: ignore[attr-defined]
    return [one.observation.ts for one in entries if one.observation.key.startswith("copy:")]


async def repeated(bot: Process, channel: Channel) -> int:
    """Declare an incident whose card is posted at the second attempt; return its number."""
    channel.world.fails["post_card"] = [transient()]
    number = await bot.declare()
    await bot.step()
    channel.clock.step(1)
    await bot.step()
    assert channel.stands == ["1.1"]
    assert channel.looks == []
    return number


async def pass_(bot: Process, channel: Channel, seconds: int) -> None:
    """Let so many seconds pass, a sweep each."""
    for _ in range(seconds):
        channel.clock.step(1)
        await bot.step()


async def a_repeat_is_followed_by_two_looks(base: Base, channel: Channel) -> None:
    async with process(base, channel) as bot:
        await repeated(bot, channel)
        await pass_(bot, channel, 60)
    assert channel.looks == [(3.0, False), (7.0, False)]


async def a_first_attempt_owes_nothing(base: Base, channel: Channel) -> None:
    async with process(base, channel) as bot:
        await bot.declare()
        await bot.step()
        await pass_(bot, channel, 20)
    assert channel.looks == []


async def another_process_looks_when_the_one_that_repeated_is_gone(base: Base, channel: Channel) -> None:
    async with process(base, channel) as bot:
        number = await repeated(bot, channel)
    channel.stands.append("1.0")
    async with process(base, channel, "two") as bot:
        await pass_(bot, channel, 5)
        assert channel.stands == ["1.1"]
        channel.stands.append("1.2")
        await pass_(bot, channel, 5)
        assert channel.stands == ["1.1"]
    assert await removed(base, number) == ["1.0", "1.2"]


async def a_look_that_the_vendor_refuses_is_had_later(base: Base, channel: Channel) -> None:
    channel.away = [DeliveryError("HTTP 503")] * 2 + [DeliveryError("ratelimited", retry_after=20)]
    async with process(base, channel) as bot:
        await repeated(bot, channel)
        channel.stands.append("1.2")
        await pass_(bot, channel, 60)
    assert channel.stands == ["1.1"]
    assert [at for at, _ in channel.looks] == [3, 7, 8, 12, 28]


async def what_stumbles_over_our_own_mistake_is_looked_at_no_more(base: Base, channel: Channel) -> None:
    channel.away = [ValueError("ours")]
    async with process(base, channel) as bot:
        await repeated(bot, channel)
        await pass_(bot, channel, 60)
    assert [at for at, _ in channel.looks] == [3, 7]


Story = Callable[[Base, Channel], Awaitable[None]]
STORIES: list[Story] = [
    a_repeat_is_followed_by_two_looks,
    a_first_attempt_owes_nothing,
    another_process_looks_when_the_one_that_repeated_is_gone,
    a_look_that_the_vendor_refuses_is_had_later,
    what_stumbles_over_our_own_mistake_is_looked_at_no_more,
]
EACH = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)


@EACH
async def test_in_memory(story: Story, world: World, clock: Clock) -> None:
    await story(InMemory(clock), Channel(world, clock))


@EACH
async def test_on_a_database(story: Story, world: World, clock: Clock, database_url: str) -> None:
    async with on_database(database_url, clock) as base:
        await story(base, Channel(world, clock))


async def test_a_page_that_slips_out_of_a_frozen_process_after_the_end_is_withdrawn(world: World, clock: Clock) -> None:
    """Its lease has ended, the incident is resolved, and then the bytes leave: the pager would ring on."""
    base = InMemory(clock)
    pager: list[str] = []
    known = world.registry()

    async def quiet(job: Job) -> Done:
        assert isinstance(job.effect, QuietPager)
        pager.append(job.effect.action)
        return Done()

    async def page(job: Job) -> Done:
        await base.end_leases("one")
        async with Process(base.store, base.outbox, world, clock, name="two", registry=awake) as other:
            await other.act(1, c.Resolve("it was the pool"))
            await other.step()
        pager.append("trigger")
        raise TimeoutError

    awake = {**known, "quiet_pager": replace(known["quiet_pager"], handler=quiet)}
    frozen = {**awake, "page_pager": replace(known["page_pager"], handler=page)}
    async with Process(base.store, base.outbox, world, clock, name="one", registry=frozen) as bot:
        await bot.declare(severity="sev1", service="checkout")
        await bot.step()
    assert pager[-2:] == ["trigger", "resolve"]
    assert "page_escaped" in [event.type for event in await base.events(1)]


async def test_a_page_that_slips_out_while_people_are_called_stands(world: World, clock: Clock) -> None:
    """Whoever took it over has sent the same alert: one page more changes nothing at the pager."""
    base = InMemory(clock)
    known = world.registry()

    async def page(job: Job) -> Done:
        await base.end_leases("one")
        async with Process(base.store, base.outbox, world, clock, name="two") as other:
            await other.step()
        raise TimeoutError

    frozen = {**known, "page_pager": replace(known["page_pager"], handler=page)}
    async with Process(base.store, base.outbox, world, clock, name="one", registry=frozen) as bot:
        await bot.declare(severity="sev1", service="checkout")
        await bot.step()
    assert "page_escaped" not in [event.type for event in await base.events(1)]
    assert "quiet_pager" not in world.kinds()
