"""What fails is tried again, or people are told; nothing is recorded by who has lost the claim."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

from bot.delivery.circuit import PROBE_EVERY
from bot.delivery.retry import PAGE_GIVES_UP_AFTER
from bot.domain import commands as c
from bot.domain.effects import RESPONSE, TellUser
from bot.ports.delivery import DeliveryError, Done, Job, Look, Placed
from bot.ports.store import Answer, Unavailable
from bot.usecases.committer import Case
from bot.usecases.looks import OweLooks
from tests.delivery.world import ANN, Clock, Process, World, transient
from tests.support.memory import OVER, MemoryStore


def failed_events(store: MemoryStore, number: int) -> list[str]:
    return [e.event.effect for e in store.tables.events[number] if e.event.type == "delivery_failed"]


async def test_a_failure_that_may_pass_is_tried_again_after_the_back_off(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.fails["open_room"] = [transient(), transient()]
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        first = await bot.step()
        assert world.kinds() == []
        assert first == clock.now + timedelta(seconds=0.5)
        clock.step(0.5)
        second = await bot.step()
        assert second == clock.now + timedelta(seconds=1)
        clock.step(1)
        await bot.step()
    assert world.kinds().count("open_room") == 1
    assert world.calls["open_room"] == 3
    opens = [job for job in world.jobs if job.effect.kind == "open_room"]
    assert [job.attempt for job in opens] == [1, 2, 3]
    assert [job.first_at is None for job in opens] == [True, False, False]
    assert len({job.id for job in opens}) == 1


async def test_a_permanent_failure_is_told_and_a_person_can_have_it_tried_again(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.fails["pin_card"] = [DeliveryError("no_permission", permanent=True, mend="add the scope pins:write")]
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        failed = [e.event for e in store.tables.events[number] if e.event.type == "delivery_failed"]
        assert [(f.what, f.error, f.mend) for f in failed] == [
            ("pin card", "no_permission", "add the scope pins:write")
        ]
        assert list(store.tables.incidents[number].failed) == [failed[0].effect]
        assert world.calls["pin_card"] == 1
        await bot.act(number, c.RetryDelivery())
        await bot.step()
    assert world.kinds().count("pin_card") == 1
    assert store.tables.incidents[number].failed == {}


async def test_a_card_that_cannot_be_posted_is_told_to_whoever_declared_since_no_card_tells_it(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.fails["post_card"] = [DeliveryError("missing_scope", permanent=True, mend="install the app again")]
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        told = [job.effect for job in world.jobs if isinstance(job.effect, TellUser)]
        assert [(one.user, one.template) for one in told] == [(ANN.actor, "delivery_failed")]
        await bot.act(number, c.RetryDelivery())
        await bot.step()
    assert "pin_card" in world.kinds()


async def test_when_everything_is_refused_it_is_told_once_and_comes_to_rest(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.always.update(dict.fromkeys(world.registry(), DeliveryError("account_inactive", permanent=True)))
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        async with asyncio.timeout(5):
            await bot.step()
    assert len(failed_events(store, number)) == 3, "the channel, and both messages that would have told of it"


async def test_a_card_that_cannot_be_updated_is_told_once_and_not_for_ever(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        world.always["show_message"] = DeliveryError("cant_update_message", permanent=True)
        await bot.act(number, c.Acknowledge())
        async with asyncio.timeout(5):
            await bot.step()
    assert len(failed_events(store, number)) == 1


async def test_a_permanent_failure_holds_up_nobody_else(store: MemoryStore, world: World, clock: Clock) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        world.fails["tell"] = [DeliveryError("msg_too_long", permanent=True)]
        await bot.act(number, c.PostUpdate("the first"))
        await bot.act(number, c.Acknowledge())
        await bot.step()
    assert world.texts() == ["acknowledged"]


async def test_a_page_that_cannot_be_sent_is_told_in_the_channel(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.always["page_pager"] = DeliveryError("no routing key", permanent=True, mend="set PAGERDUTY_ROUTING_KEY")
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.step()
    assert store.tables.incidents[number].reached["default"] == "failed"
    assert "page_answered" in world.texts()
    assert failed_events(store, number)


async def test_a_failure_that_does_not_pass_is_given_up_after_a_day_and_never_earlier(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.always["pin_card"] = DeliveryError("slow down", retry_after=3600)
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.settle_down(clock, until=timedelta(hours=23))
        assert failed_events(store, number) == []
        await bot.settle_down(clock, until=timedelta(hours=2))
        assert len(failed_events(store, number)) == 1


async def test_a_rate_limit_parks_its_own_budget_and_nothing_else(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.fails["bookmark"] = [DeliveryError("ratelimited", retry_after=30, parks="bookmark")]
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        await bot.step()
        assert {"pin_card", "post_draft"} <= set(world.kinds())
        assert "bookmark" not in world.kinds()
        other = await bot.declare("Search is down")
        await bot.step()
        assert "bookmark" not in world.kinds()
        assert world.calls["bookmark"] == 1
        clock.step(31)
        await bot.step()
    assert world.kinds().count("bookmark") == 2
    assert store.tables.incidents[other].room


async def test_an_unexpected_error_of_a_handler_is_tried_again_and_stops_nothing(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.fails["invite"] = [ZeroDivisionError("token xoxb-secret")]
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        await bot.step()
        assert "bookmark" in world.kinds()
        errors = [row.error for row in store.tables.effects.values() if row.error]
        assert errors
        assert "secret" not in " ".join(errors)
        await bot.settle_down(clock)
    assert world.kinds().count("invite") == 1


async def test_a_call_without_an_answer_ends_and_is_tried_again(store: MemoryStore, world: World, clock: Clock) -> None:
    answers = iter([False])

    async def hangs(job: Job) -> Done:
        if next(answers, True):
            return await world.carry(job)
        await asyncio.Event().wait()
        raise AssertionError

    async with Process(store, store, world, clock, registry=world.registry(invite=hangs), call_timeout=0.01) as bot:
        await bot.declare()
        await bot.settle_down(clock)
    assert world.kinds().count("invite") == 1
    assert [job.attempt for job in world.jobs if job.effect.kind == "invite"] == [2]


async def test_an_effect_that_nothing_is_set_up_for_is_given_up_with_a_mend(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    registry = world.registry()
    del registry["page_pager"]
    async with Process(store, store, world, clock, registry=registry) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.step()
    failed = [e.event for e in store.tables.events[number] if e.event.type == "delivery_failed"]
    assert [f.what for f in failed] == ["page pager"]
    assert "tocsin doctor" in failed[0].mend


async def test_a_vendor_that_is_wholly_down_is_probed_and_not_hammered(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        for n in range(30):
            await bot.declare(f"Incident number {n}")
        world.always["open_room"] = transient()
        await bot.settle_down(clock, until=timedelta(seconds=20))
        before = world.calls["open_room"]
        await bot.settle_down(clock, until=timedelta(seconds=60))
        probes = world.calls["open_room"] - before
        assert 1 <= probes <= timedelta(seconds=60) / PROBE_EVERY + 1
        del world.always["open_room"]
        await bot.settle_down(clock, until=timedelta(seconds=60))
    assert world.kinds().count("open_room") == 30
    assert all(row.state in OVER for row in store.tables.effects.values())


async def test_one_vendors_outage_delays_no_other_vendor(store: MemoryStore, world: World, clock: Clock) -> None:
    registry = world.registry()
    registry["page_pager"] = type(registry["page_pager"])(world.carry, "page", "pagerduty", "pagerduty")
    world.always["page_pager"] = transient()
    async with Process(store, store, world, clock, registry=registry) as bot:
        for n in range(8):
            await bot.declare(f"Incident number {n}", service="checkout", severity="sev1")
        await bot.settle_down(clock, until=timedelta(seconds=30))
        world.seen.clear()
        await bot.declare("One more")
        await bot.step()
    assert "pin_card" in world.kinds()


async def test_a_claim_that_is_too_old_for_a_whole_call_is_dropped_before_a_byte_leaves(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    claim = store.claim

    async def slow(worker: str, limit: int, now: object) -> list[Job]:
        jobs = await claim(worker, limit, clock.now)
        clock.step(3 if jobs else 0)  # the database took its time, or this process was frozen
        return jobs

    store.claim = slow  # type: ignore[method-assign,assignment]
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        again = await bot.step()
        assert world.calls["open_room"] == 0
        assert again
        store.claim = claim  # type: ignore[method-assign]
        clock.now = again
        await bot.step()
    assert world.kinds().count("open_room") == 1


async def test_a_result_is_kept_while_the_database_is_away_and_recorded_when_it_is_back(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async def cut(job: Job) -> Done:
        done = await world.carry(job)
        store.down = True
        asyncio.get_running_loop().call_later(0.01, setattr, store, "down", False)
        return done

    async with Process(store, store, world, clock, registry=world.registry(open_room=cut)) as bot:
        number = await bot.declare()
        await bot.step()
    assert world.calls["open_room"] == 1
    assert store.tables.incidents[number].room


async def test_a_result_is_given_up_when_the_lease_ends_and_the_repeat_looks_first(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async def cut(job: Job) -> Done:
        done = await world.carry(job)
        if job.first_at is None:
            clock.step(5)
            store.down = True
        return done

    ticking = asyncio.get_running_loop().call_later

    async with Process(store, store, world, clock, registry=world.registry(open_room=cut)) as bot:
        number = await bot.declare()
        ticking(0.01, clock.step, 6)
        again = await bot.step()
        assert again
        assert store.tables.incidents[number].room is None
        store.down = False
        clock.step(5)
        await bot.settle_down(clock)
    assert world.kinds().count("open_room") == 1
    assert world.calls["open_room"] == 2
    assert store.tables.incidents[number].room


async def test_who_lost_the_claim_records_nothing(store: MemoryStore, world: World, clock: Clock) -> None:
    async def taken_over(job: Job) -> Done:
        done = await world.carry(job)
        if job.first_at is None:
            row = store.tables.effects[job.id]
            row.token = "somebody-else's"
        return done

    async with Process(store, store, world, clock, registry=world.registry(open_room=taken_over)) as bot:
        number = await bot.declare()
        await bot.step()
        assert store.tables.incidents[number].room is None
        assert store.tables.effects["1.1.0"].state == "claimed"


async def test_a_result_that_the_log_refuses_is_not_done_again(store: MemoryStore, world: World, clock: Clock) -> None:
    async def odd(job: Job) -> Done:
        await world.carry(job)
        return Done(c.Acknowledge() if job.event.event.type == "posted" else None)

    async with Process(store, store, world, clock, registry=world.registry(pin_card=odd)) as bot:
        number = await bot.declare()
        await bot.act(number, c.Acknowledge())
        await bot.step()
        clock.step(60)
        await bot.step()
    assert world.calls["pin_card"] == 1


async def test_what_a_handler_notes_stands_in_the_record(store: MemoryStore, world: World, clock: Clock) -> None:
    async def noting(job: Job) -> Done:
        await world.carry(job)
        return Done(note={"channel": "C1", "ts": "1.2"})

    async with Process(store, store, world, clock, registry=world.registry(pin_card=noting)) as bot:
        number = await bot.declare()
        await bot.step()
    [entry] = store.tables.entries[number]
    assert (entry.observation.kind, entry.observation.name) == ("delivered", "pin card")
    assert (entry.observation.channel, entry.observation.ts) == ("C1", "1.2")


async def test_a_database_that_is_away_stops_the_runner_no_longer_than_it_lasts(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        store.down = True
        again = await bot.step()
        assert again == clock.now + timedelta(seconds=1)
        store.down = False
        await bot.step()
    assert "pin_card" in world.kinds()


async def test_a_message_that_alone_fails_again_and_again_steps_aside_for_those_behind_it(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async def choosy(job: Job) -> Done:
        if job.event.event.type == "update_posted":
            raise transient("internal_error")
        return await world.carry(job)

    async with Process(store, store, world, clock, registry=world.registry(tell=choosy)) as bot:
        number = await bot.declare()
        await bot.step()
        await bot.act(number, c.PostUpdate("the one that Slack stumbles over"))
        await bot.act(number, c.Acknowledge())
        for n in range(6):
            await bot.act(number, c.SetTitle(f"Title number {n}"))
            await bot.settle_down(clock, until=timedelta(seconds=40))
        [failed] = [e.event for e in store.tables.events[number] if e.event.type == "delivery_failed"]
        assert "while others passed" in failed.error
    assert world.texts()[0] == "acknowledged"
    assert world.texts().count("title_changed") == 6


async def test_while_a_vendor_fails_most_of_what_it_is_asked_nothing_is_given_up(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    chance = random.Random(7)  # the same brownout each time

    async def moody(job: Job) -> Done:
        if chance.random() < 0.6:
            raise transient("no answer")
        return await world.carry(job)

    async with Process(
        store, store, world, clock, registry=world.registry(**dict.fromkeys(world.registry(), moody))
    ) as bot:
        numbers = [await bot.declare(title=f"Outage {n}") for n in range(4)]
        for n in range(4):
            for number in numbers:
                await bot.act(number, c.SetTitle(f"Title number {n}"))
            await bot.settle_down(clock, until=timedelta(minutes=1))
        await bot.settle_down(clock, until=timedelta(minutes=10))
    assert [failed_events(store, number) for number in numbers] == [[], [], [], []]
    assert world.texts().count("title_changed") == 16


async def test_messages_that_fail_with_all_others_wait_and_lose_their_place_to_nobody(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.step()
        world.always.update(dict.fromkeys(world.registry(), transient()))
        await bot.act(number, c.PostUpdate("during the outage"))
        await bot.act(number, c.Acknowledge())
        await bot.settle_down(clock, until=timedelta(hours=2))
        assert failed_events(store, number) == []
        world.always.clear()
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert world.texts() == ["update_posted", "acknowledged"]


async def test_a_page_that_reaches_nobody_is_told_within_minutes(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    world.always["page_pager"] = transient()
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare(service="checkout", severity="sev1")
        await bot.settle_down(clock, until=timedelta(minutes=4))
        assert store.tables.incidents[number].reached["default"] == "paged"
        await bot.settle_down(clock, until=timedelta(minutes=2))
    assert store.tables.incidents[number].reached["default"] == "failed"
    assert "page_answered" in world.texts()


async def test_what_a_person_has_tried_again_is_young_again(store: MemoryStore, world: World, clock: Clock) -> None:
    world.always["pin_card"] = DeliveryError("slow down", retry_after=3600)
    async with Process(store, store, world, clock) as bot:
        number = await bot.declare()
        await bot.settle_down(clock, until=timedelta(hours=26))
        assert len(failed_events(store, number)) == 1
        await bot.act(number, c.RetryDelivery())
        await bot.settle_down(clock, until=timedelta(hours=2))
        assert len(failed_events(store, number)) == 1, "one failure does not end it again"
        del world.always["pin_card"]
        await bot.settle_down(clock, until=timedelta(hours=2))
    assert world.kinds().count("pin_card") == 1


async def test_who_lost_the_claim_takes_its_own_copy_back(store: MemoryStore, world: World, clock: Clock) -> None:
    taken: list[tuple[str, bool]] = []

    async def tidy(look: Look) -> list[Placed]:
        taken.append((look.placed.ts, look.lost))
        return [look.placed]

    async def frozen(job: Job) -> Done:
        await world.carry(job)
        store.tables.effects[job.id].token = "somebody-else's"
        return Done(placed=Placed("C1", "1.2"))

    registry = world.registry()
    registry["post_card"] = replace(registry["post_card"], handler=frozen, tidy=tidy)
    async with Process(store, store, world, clock, registry=registry) as bot:
        number = await bot.declare()
        await bot.step()
        async with asyncio.timeout(5):
            while not store.tables.entries.get(number):  # noqa: ASYNC110
                await asyncio.sleep(0)
    assert taken == [("1.2", True)]
    assert "card" not in store.tables.incidents[number].messages
    assert [entry.observation.ts for entry in store.tables.entries[number]] == ["1.2"]


async def test_who_lost_the_claim_takes_its_copy_back_whoever_is_away_when_it_wakes(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    """A frozen process wakes while the vendor has trouble, and so has the database."""
    taken: list[str] = []
    trouble = [transient("not now"), TimeoutError()]

    async def tidy(look: Look) -> list[Placed]:
        taken.append(look.placed.ts)
        return [look.placed]

    async def where(job: Job) -> Placed:
        if trouble:
            raise trouble.pop()
        return Placed("C1", "1.2")

    async def frozen(job: Job) -> Done:
        store.tables.effects[job.id].token = "somebody-else's"
        raise transient("the line was dead when it woke")

    registry = world.registry()
    registry["post_card"] = replace(registry["post_card"], handler=frozen, tidy=tidy, where=where)
    async with Process(store, store, world, clock, registry=registry) as bot:
        refused: list[Case] = []

        async def submit(case: Case) -> Answer:
            if isinstance(case, OweLooks) and len(refused) < 2:
                refused.append(case)
                raise Unavailable("gone for a moment")
            return await bot.submit(case)

        bot.runner._carrier.copies._committer = Mock(submit=submit)
        await bot.declare()
        await bot.step()
        async with asyncio.timeout(10):
            while not taken:
                await asyncio.sleep(0.01)
                clock.step(1)
                await bot.step()
    assert (len(refused), trouble) == (2, [])
    assert set(taken) == {"1.2"}


async def test_a_page_is_given_up_in_time_also_while_its_vendor_is_known_to_be_down(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    """Others wait for the same vendor, and one of them probes it now and then: the page's own time goes on."""
    async with Process(store, store, world, clock) as bot:
        numbers = [await bot.declare(f"Outage {n}") for n in range(30)]
        await bot.settle_down(clock, until=timedelta(seconds=30))
        for kind in world.registry():
            if kind not in ("page_pager", "quiet_pager"):
                world.always[kind] = transient()
        for number in numbers:
            await bot.act(number, c.PostUpdate(f"we know of {number}"))
        await bot.settle_down(clock, until=timedelta(minutes=1))
        asked_at, calls = clock.now, world.calls["tell_user"]
        await bot.act(1, c.PageSomeone("U0000002", "now"))
        (page,) = [row for row in store.tables.effects.values() if row.state == "waiting" and row.new.cause == RESPONSE]
        while page.state == "waiting":
            clock.now = await bot.step() or clock.now + timedelta(seconds=1)
        assert page.state == "failed"
        assert clock.now - asked_at <= PAGE_GIVES_UP_AFTER + PROBE_EVERY
        tried = world.calls["tell_user"] - calls
        assert page.attempt == tried + 1, "only what was tried counts, and the last look at it"
        assert len(failed_events(store, 1)) == 1


async def test_what_surely_never_reached_the_vendor_need_not_be_looked_for(
    store: MemoryStore, world: World, clock: Clock
) -> None:
    """A refusal for the rate, or a line that was never there; after one attempt of which nobody knows, it must."""
    world.fails["post_card"] = [
        DeliveryError("ratelimited", retry_after=1, parks="post_card"),
        DeliveryError("nobody there", untouched=True),
        transient(),
        DeliveryError("nobody there", untouched=True),
    ]
    async with Process(store, store, world, clock) as bot:
        await bot.declare()
        await bot.settle_down(clock, until=timedelta(minutes=1))
    posts = [job.first_at is not None for job in world.jobs if job.effect.kind == "post_card"]
    assert posts == [False, False, False, True, True]
