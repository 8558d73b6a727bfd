"""The queue: who may take what, in which order, and what becomes of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bot.domain import commands as c
from bot.domain.effects import IN_ROOM
from bot.domain.events import Step
from bot.domain.policy import Policy
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity
from bot.ports.delivery import Job
from bot.ports.store import Superseded
from bot.storage import prepared
from tests.storage.house import BOB, START, House, open_house

BOOK = Runbook("disk-full", "Disk full", "d1", (Step(number=1, section="Diagnosis", text="Look"),))


def kinds(jobs: list[Job]) -> list[str]:
    """Return what the jobs do."""
    return [job.effect.kind for job in jobs]


async def test_a_claimed_effect_is_not_claimed_again_while_its_lease_holds(house: House) -> None:
    """Nor once it is done."""
    await house.open()
    (job,) = await house.claim()
    assert (job.id, job.attempt, job.first_at, job.created_at) == ("1.1.0", 1, None, START)
    assert job.state == await house.database.incident(1)
    assert job.event.event.title == "Checkout is down"
    assert await house.claim("w2") == []
    await house.settle(job)
    assert await house.claim("w2") == []
    assert {row.id: row.state for row in await house.database.deliveries(1)}[job.id] == "done"


async def test_an_ended_lease_lets_another_take_over_and_the_first_is_superseded(database_url: str) -> None:
    """The second knows that it must look first."""
    async with open_house(database_url, lease=-1.0) as house:
        await house.open()
        (first,) = await house.claim("w1")
        house.clock.pass_(seconds=5)
        (second,) = await house.claim("w2")
        assert (second.id, second.attempt, second.first_at) == (first.id, 2, START)
        with pytest.raises(Superseded):
            await house.settle(first, command=c.RoomOpened("C1", "inc-1"))
        assert (await house.database.incident(1)).room is None  # type: ignore[union-attr]
        await house.settle(second, command=c.RoomOpened("C1", "inc-1"))
        assert (await house.database.incident(1)).room is not None  # type: ignore[union-attr]


async def test_a_lane_runs_one_by_one_in_the_order_of_the_log(house: House) -> None:
    """The second message waits until the first is out, also while the first waits for its next attempt."""
    await house.open()
    await house.furnish(1)
    await house.finish()
    await house.act(1, c.PostUpdate("one"))
    await house.act(1, c.PostUpdate("two"))
    (first,) = [job for job in await house.claim() if job.effect.kind == "tell"]
    assert [job for job in await house.claim() if job.effect.kind == "tell"] == []
    await house.settle(first, "retry", not_before=house.clock() + timedelta(seconds=9))
    assert [job for job in await house.claim() if job.effect.kind == "tell"] == []
    assert await house.database.next_wake(house.clock()) == house.clock() + timedelta(seconds=9)
    house.clock.pass_(seconds=9)
    (again,) = [job for job in await house.claim() if job.effect.kind == "tell"]
    assert (again.id, again.attempt) == (first.id, 2)
    await house.settle(again)
    (second,) = [job for job in await house.claim() if job.effect.kind == "tell"]
    assert second.event.event.text == "two"


async def test_a_page_does_not_wait_behind_what_another_incident_tells_the_same_person(house: House) -> None:
    """Within an incident a person is told in order; between incidents the gravest goes first."""
    for title, severity in (("Slow reports", Severity.SEV4), ("Checkout is down", Severity.SEV1)):
        number = await house.open(title, severity=severity)
        await house.furnish(number)
        await house.finish()
    for number in (1, 1, 2):
        await house.act(number, c.PageSomeone(BOB))
    told = [job for job in await house.claim() if job.effect.kind == "tell_user"]
    assert [job.state.number for job in told] == [2, 1]


async def test_messages_are_held_until_the_card_stands(house: House) -> None:
    """Then they go, in order, on the budget of the room that now exists."""
    await house.open()
    await house.act(1, c.PostUpdate("early"))
    assert kinds(await house.claim()) == ["open_room"]
    assert "held" in {row.state for row in await house.database.deliveries(1)}
    await house.furnish(1)
    assert "tell" in await house.finish()
    assert "held" not in {row.state for row in await house.database.deliveries(1)}


async def test_a_show_waits_at_most_once_and_never_runs_twice_at_a_time(house: House) -> None:
    """Ten changes make one topic; one more change while it runs waits for the next round."""
    await house.open()
    await house.furnish(1)
    await house.finish()
    for severity in (Severity.SEV2, Severity.SEV1) * 5:
        await house.act(1, c.SetSeverity(severity, "because"))
    topics = [job for job in await house.claim() if job.effect.kind == "show_topic"]
    assert len(topics) == 1
    assert topics[0].state.severity is Severity.SEV1
    await house.act(1, c.SetSeverity(Severity.SEV3, "because"))
    assert [job for job in await house.claim() if job.effect.kind == "show_topic"] == []
    await house.settle(topics[0])
    (next_one,) = [job for job in await house.claim() if job.effect.kind == "show_topic"]
    assert next_one.state.severity is Severity.SEV3


async def test_a_show_that_must_be_repeated_gives_way_to_one_that_waits(house: House) -> None:
    """Two would show the same."""
    await house.open()
    await house.furnish(1)
    await house.finish()
    await house.act(1, c.SetSeverity(Severity.SEV2, "because"))
    (topic,) = [job for job in await house.claim() if job.effect.kind == "show_topic"]
    await house.act(1, c.SetSeverity(Severity.SEV3, "because"))
    await house.settle(topic, "retry", not_before=house.clock())
    states = {row.id: row.state for row in await house.database.deliveries(1) if row.kind == "show_topic"}
    assert states[topic.id] == "cancelled"
    assert list(states.values()).count("waiting") == 1


async def test_a_channel_is_put_away_after_all_that_is_older_was_said_and_shown_in_it(house: House) -> None:
    """Slack changes nothing in an archived channel: what is still to be shown there, or tried again, comes first."""
    await house.open()
    await house.furnish(1)
    await house.finish()
    await house.act(1, c.SetSeverity(Severity.SEV2, "because"))
    await house.act(1, c.Cancel("declared by mistake", undone=True))
    topic, done = None, []
    while jobs := await house.claim():
        for job in jobs:
            if job.effect.kind == "show_topic":
                topic = job
            else:
                await house.settle(job)
                done.append(job.effect.kind)
        house.clock.pass_(seconds=1)
    assert topic is not None
    assert (done[-1], "archive_room" in done) == ("name_room", False), "while the topic is being shown"
    await house.settle(topic, "retry", not_before=house.clock() + timedelta(seconds=9))
    assert await house.claim() == [], "while it waits for its next attempt"
    assert await house.database.next_wake(house.clock()) == house.clock() + timedelta(seconds=9)
    house.clock.pass_(seconds=9)
    (topic,) = await house.claim()
    await house.settle(topic, "failed")
    assert kinds(await house.claim()) == ["archive_room"], "what was given up is waited for no longer"


async def test_the_archive_does_not_wait_for_what_is_done_elsewhere(house: House) -> None:
    """A status page, a pager or a person out of reach keeps no channel open."""
    settings = {"statuspage": {"providers": ["statuspage"]}, "channels": {"archive_after": "1h"}}
    house.policy = Policy.model_validate(settings)
    await house.open()
    await house.furnish(1)
    await house.finish()
    for command in (c.ApprovePublic(), c.Resolve("The pool was restarted"), c.Close()):
        await house.act(1, command, BOB)
    (due,) = [timer.due for timer in await house.database.timers(1) if timer.kind == "archive"]
    await house.ring(1, "archive", due)
    elsewhere = []
    while jobs := await house.claim():
        for job in jobs:
            if job.effect.kind in IN_ROOM:
                await house.settle(job)
            else:
                elsewhere.append(job.effect.kind)
        house.clock.pass_(seconds=1)
    assert elsewhere == ["show_status_page", "archive_room"], "the page is under way all the while"


async def test_a_reopened_incident_gets_its_channel_back_whatever_the_archive_was_waiting_for(house: House) -> None:
    """A topic that Slack takes from nobody may be tried for a day: nobody who has to act may wait behind that."""
    house.policy = Policy.model_validate({"channels": {"archive_after": "1h"}})
    await house.open()
    await house.furnish(1)
    await house.finish()
    for command in (c.Resolve("The pool was restarted"), c.Close()):
        await house.act(1, command, BOB)
    (due,) = [timer.due for timer in await house.database.timers(1) if timer.kind == "archive"]
    await house.ring(1, "archive", due)
    while jobs := await house.claim():
        for job in jobs:
            if job.effect.kind == "show_topic":
                await house.settle(job, "retry", not_before=house.clock() + timedelta(days=1))
            else:
                await house.settle(job)
        house.clock.pass_(seconds=1)
    await house.act(1, c.Reopen("it is back"))
    for kind in ("archive_room", "restore_room"):
        (job,) = await house.claim()
        assert job.effect.kind == kind
        await house.settle(job)


async def test_the_worst_incident_goes_first(house: House) -> None:
    """SEV1 before older SEV3; a raise moves what already waits."""
    for severity in (Severity.SEV3, Severity.SEV4, Severity.SEV1):
        await house.open(severity.value, severity=severity)
    await house.act(2, c.SetSeverity(Severity.SEV2))
    assert [job.state.number for job in await house.claim(limit=3)] == [3, 2, 1]


async def test_an_acknowledgement_stops_the_calls_that_wait_but_not_later_ones(house: House) -> None:
    """In its own commit; what somebody asks for afterwards still rings."""
    await house.open()
    await house.act(1, c.PageSomeone(BOB))
    house.clock.pass_(seconds=5)
    await house.act(1, c.Acknowledge())
    assert [row.state for row in await house.database.deliveries(1) if row.kind == "tell_user"] == ["cancelled"]
    house.clock.pass_(seconds=5)
    await house.act(1, c.PageSomeone("U0003"))
    assert "tell_user" in kinds(await house.claim())


async def test_a_call_that_must_be_repeated_is_not_claimed_after_the_acknowledgement(house: House) -> None:
    """It was out when the answer came; its retry is pointless."""
    await house.open()
    await house.act(1, c.PageSomeone(BOB))
    (call,) = [job for job in await house.claim() if job.effect.kind == "tell_user"]
    await house.act(1, c.Acknowledge())
    await house.settle(call, "retry", not_before=house.clock() + timedelta(minutes=1))
    assert {row.id: row.state for row in await house.database.deliveries(1)}[call.id] == "cancelled", "at once"
    assert "tell_user" not in kinds(await house.claim())


async def test_a_call_that_is_handed_back_after_the_acknowledgement_waits_no_more(house: House) -> None:
    """Its worker stopped with it."""
    await house.open()
    await house.act(1, c.PageSomeone(BOB))
    (call,) = [job for job in await house.claim() if job.effect.kind == "tell_user"]
    await house.act(1, c.Acknowledge())
    await house.database.release("w1")
    assert {row.id: row.state for row in await house.database.deliveries(1)}[call.id] == "cancelled"


async def test_a_call_left_behind_by_a_dead_worker_gives_its_place_up_when_it_is_answered(database_url: str) -> None:
    """One more claim would find nothing for it: what comes after it goes in this one."""
    async with open_house(database_url, lease=-1.0) as house:
        await house.open()
        await house.act(1, c.PageSomeone(BOB))
        (call,) = [job for job in await house.claim() if job.effect.kind == "tell_user"]
        await house.open("Login is down")
        await house.act(1, c.Acknowledge())
        await house.act(2, c.PageSomeone(BOB))
        while (jobs := await house.claim("w2", limit=1)) and jobs[0].effect.kind != "tell_user":
            assert jobs[0].id != call.id
            await house.settle(jobs[0])
        assert [job.state.number for job in jobs] == [2]
        assert {row.id: row.state for row in await house.database.deliveries(1)}[call.id] == "cancelled"


async def test_what_gave_up_is_tried_again_when_a_person_asks(house: House) -> None:
    """It starts counting anew, is young again, and looks first."""
    await house.open()
    (job,) = await house.claim()
    await house.settle(job, "failed", c.GiveUp(job.id, "open the channel", "no", "ask an admin"))
    (failed,) = [row for row in await house.database.deliveries(1) if row.state == "failed"]
    assert (failed.id, failed.error) == (job.id, "boom")
    assert (await house.database.stats()).failed == 1
    house.clock.pass_(minutes=1)
    await house.act(1, c.RetryDelivery())
    (again,) = [job for job in await house.claim() if job.effect.kind == "open_room"]
    assert (again.id, again.attempt, again.first_at) == (job.id, 1, START)
    assert again.created_at == START + timedelta(minutes=1)


async def test_who_holds_something_is_known(house: House) -> None:
    """So that what a dead process held can be handed back."""
    await house.open()
    assert await house.database.holders() == []
    await house.claim("w1")
    assert await house.database.holders() == ["w1"]
    await house.database.release("w1")
    assert await house.database.holders() == []


async def test_a_clean_stop_hands_back_what_was_not_started(house: House) -> None:
    """Another worker takes it at once."""
    await house.open()
    (mine,) = await house.claim("w1")
    await house.database.release("w1")
    (theirs,) = await house.claim("w2")
    assert (theirs.id, theirs.attempt) == (mine.id, 1)
    assert theirs.token != mine.token


async def test_a_runbook_comes_with_the_job_that_shows_it(house: House) -> None:
    """The filled steps stand in the event that attached it."""
    await house.open()
    await house.furnish(1)
    await house.finish()
    await house.act(1, c.AttachRunbook(BOOK))
    jobs = {job.effect.kind: job for job in await house.claim()}
    assert jobs["post_runbook"].runbook == jobs["post_runbook"].event
    await house.settle(jobs["post_runbook"], command=c.MessagePosted("runbook", "C1", "2.2", 99))
    await house.act(1, c.MarkStep(1, "done"))
    shown = [job for job in await house.claim() if job.effect.kind == "show_message" and job.runbook]
    assert [job.runbook.event.name for job in shown if job.runbook] == ["disk-full"]


async def test_budgets_are_drawn_from_and_fill_up_again(house: House) -> None:
    """Five rooms at once, then one each twelve seconds; the wake-up says when."""
    for n in range(8):
        await house.open(f"Outage {n}")
    jobs = await house.claim()
    assert len(jobs) == 5
    assert await house.claim("w2") == []
    for job in jobs:
        await house.settle(job)
    assert await house.database.next_wake(house.clock()) == house.clock() + timedelta(seconds=12)
    house.clock.pass_(seconds=12)
    assert [job.state.number for job in await house.claim()] == [6]
    house.clock.pass_(hours=1)
    assert len(await house.claim()) == 2


async def test_low_severities_leave_room_for_high_ones(house: House) -> None:
    """SEV3 may use three of five tokens; the SEV1 that comes next still starts at once."""
    for n in range(5):
        await house.open(f"Nuisance {n}", severity=Severity.SEV3)
    assert len(await house.claim()) == 3
    await house.open("Fire", severity=Severity.SEV1)
    assert [job.state.title for job in await house.claim()] == ["Fire"]
    assert await house.claim() == []


async def test_a_full_queue_of_one_budget_does_not_hide_others(house: House) -> None:
    """However many wait for a token, the rest goes."""
    await house.open("First")
    await house.furnish(1)
    await house.finish()
    await asyncio.gather(*(house.open(f"Outage {n}", f"U{n:03}") for n in range(30)))
    await house.claim(limit=5)
    await house.act(1, c.SetTitle("Second"))
    assert "tell" in kinds(await house.claim(limit=5))


async def test_a_parked_budget_stops_its_own_effects_only(house: House) -> None:
    """Until the vendor's time has come; a shorter park does not shorten it."""
    await house.open()
    await house.act(1, c.PageSomeone(BOB))
    until = house.clock() + timedelta(seconds=30)
    await house.database.park("conversations.create", until)
    await house.database.park("conversations.create", until - timedelta(seconds=20))
    assert kinds(await house.claim()) == ["tell_user"]
    assert await house.database.next_wake(house.clock()) <= until  # type: ignore[operator]
    house.clock.pass_(seconds=29)
    assert await house.claim() == []
    house.clock.pass_(seconds=1)
    assert kinds(await house.claim()) == ["open_room"]


async def test_what_a_dead_worker_left_behind_wakes_the_runner_when_its_budget_allows(database_url: str) -> None:
    """Its lease has ended, and the vendor wants no call before a time: that is when it is needed."""
    async with open_house(database_url, lease=-1.0) as house:
        await house.open(severity=Severity.SEV3)
        (left,) = await house.claim()
        until = house.clock() + timedelta(seconds=30)
        await house.database.park("conversations.create", until)
        assert await house.claim("w2") == []
        assert await house.database.next_wake(house.clock()) == until
        house.clock.now = until
        assert [job.id for job in await house.claim("w2")] == [left.id]


async def test_the_next_wake_is_the_earliest_of_timer_and_lease(house: House) -> None:
    """Nothing to do: no wake-up at all."""
    assert await house.database.next_wake(house.clock()) is None
    await house.open()
    timers = [timer.due for timer in await house.database.timers(1)]
    assert await house.database.next_wake(house.clock()) == min(timers)
    await house.claim()
    wake = await house.database.next_wake(house.clock())
    assert wake is not None
    assert timedelta(seconds=5) < wake - house.clock() <= timedelta(seconds=10)


async def test_the_queue_never_walks_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many effects and timers have ended: the partial indexes are used (SQLite tells its plan)."""
    monkeypatch.setattr(prepared, "_sqlite", lambda conn: None)  # past SQLAlchemy nobody could listen
    async with open_house("sqlite:///:memory:") as house:
        await house.open()
        writer = house.database._backend._writer  # type: ignore[attr-defined]
        plans: list[str] = []

        def explain(conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if "effects" in statement or "timers" in statement:
                cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans.extend(f"{row[3]} ({statement[:400]})" for row in cursor.fetchall())

        event.listen(writer, "before_cursor_execute", explain)
        await house.claim()
        await house.database.release("w1")
        await house.database.due_timers(house.clock(), 10)
        await house.database.next_wake(house.clock())
        await house.database.stats()
        event.remove(writer, "before_cursor_execute", explain)
    walked = [plan for plan in plans if plan.startswith(("SCAN effects", "SCAN timers", "SCAN lane_mate", "SCAN same"))]
    assert [plan for plan in walked if "USING" not in plan] == []
    assert len(plans) > 10


async def test_a_status_page_that_waits_shows_the_newest_of_two_updates_of_one_commit(house: House) -> None:
    """An approved update and the closing words are published together: the page must not end with the former."""
    house.policy = Policy.model_validate({"statuspage": {"providers": ["statuspage"]}})
    number = await house.open()
    await house.furnish(number)
    await house.act(number, c.ApprovePublic(), BOB)
    await house.act(number, c.Resolve("The pool was restarted"))
    (page,) = [job for job in await house.claim() if job.effect.kind == "show_status_page"]
    assert page.event.event.version == page.state.published.version == 2  # type: ignore[union-attr]
