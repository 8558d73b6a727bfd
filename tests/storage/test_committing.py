"""The one door over the real stores: numbers, repeats, refusals, snapshots."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from bot.domain import commands as c
from bot.domain.alerts import Episode, Group
from bot.domain.events import Redacted
from bot.domain.refusals import Refused
from bot.domain.severity import Severity, Status
from bot.ports.store import Answer, Changes, Conflict, Keys, Loaded, NewEvent, Superseded, Unavailable
from bot.storage import tables
from bot.storage.database import open_database
from tests.storage.house import BOB, START, House, open_house


async def rows(house: House, table: str) -> int:
    """Count the rows of a table."""
    counted = select(func.count()).select_from(getattr(tables, table))
    return await house.database._backend.read(lambda conn: conn.execute(counted).scalar_one())


async def test_fifty_at_once_with_refusals_get_numbers_without_gaps(house: House) -> None:
    """A refused declaration takes no number; the others get 1 to n."""
    outcomes = await asyncio.gather(
        *(house.declare("!!!" if n % 5 == 0 else f"Outage {n}", f"U{n:04}") for n in range(50)), return_exceptions=True
    )
    numbers = sorted(one.incident for one in outcomes if isinstance(one, Answer))
    assert numbers == list(range(1, 41))
    assert sum(isinstance(one, Refused) for one in outcomes) == 10
    assert await rows(house, "incidents") == 40
    assert await house.database.verify() == []


async def test_a_repeated_command_gets_the_stored_answer_and_changes_nothing(house: House) -> None:
    """Also in the same batch, and after the state has moved on."""
    first, twin = await asyncio.gather(house.declare(command_id="x1"), house.declare(command_id="x1"))
    await house.act(1, c.Acknowledge())
    before = await rows(house, "events")
    assert first == twin == await house.declare(command_id="x1")
    assert await rows(house, "events") == before


async def test_a_repeat_on_another_process_gets_the_same_answer(house: House, database_url: str) -> None:
    """Two replicas that get the same command at once commit it once."""
    async with open_house(database_url) as other:
        answers = await asyncio.gather(house.declare(command_id="x"), other.declare(command_id="x", actor=BOB))
    assert answers[0] == answers[1]
    assert await rows(house, "incidents") == 1


async def test_answers_are_forgotten_after_three_days(house: House) -> None:
    """The purge takes what is older than 72 h, and nothing younger."""
    await house.declare(command_id="old")
    house.clock.pass_(hours=71)
    assert await house.database.purge(house.clock()) == 0
    house.clock.pass_(hours=2)
    assert await house.database.purge(house.clock()) == 1
    assert await rows(house, "inbox") == 0


async def test_how_long_answers_are_kept_is_the_callers_to_say(house: House) -> None:
    """`retention.inbox` of tocsin.yaml."""
    await house.declare(command_id="old")
    house.clock.pass_(hours=2)
    assert await house.database.purge(house.clock(), timedelta(hours=3)) == 0
    assert await house.database.purge(house.clock(), timedelta(hours=1)) == 1


async def test_the_same_person_and_title_within_two_minutes_is_the_same_incident(house: House) -> None:
    """Afterwards, or from somebody else, or under another title, it is a new one."""
    assert await house.open("Checkout is down") == 1
    house.clock.pass_(seconds=119)
    assert (await house.declare("Checkout is down")).kind == "declared_before"
    assert await house.open("Checkout is down", actor=BOB) == 2
    assert await house.open("Search is down") == 3
    house.clock.pass_(seconds=1)
    assert await house.open("Checkout is down") == 4


async def test_a_refused_case_adds_no_rows_to_a_batch_that_commits(house: House) -> None:
    """The good case of the same batch is written whole."""
    await house.open()
    before = await rows(house, "events")
    good, bad = await asyncio.gather(house.act(1, c.Acknowledge()), house.act(1, c.Reopen("")), return_exceptions=True)
    assert isinstance(good, Answer)
    assert isinstance(bad, Refused)
    assert await rows(house, "events") == before + 1
    assert await rows(house, "inbox") == 0


async def test_the_snapshot_is_what_the_events_fold_to_byte_for_byte(house: House) -> None:
    """After everything that a life brings, and read back through either door."""
    await house.open(labels={"zone": "b", "app": "a"}, description="It is *down* – ☃")
    await house.furnish(1)
    await house.act(1, c.Acknowledge())
    await house.act(1, c.SetSeverity(Severity.SEV2, "fewer people"))
    await house.act(1, c.PostUpdate("Restarting", timedelta(minutes=5)))
    await house.act(1, c.AddTask("Add an alert", BOB, timedelta(days=3)))
    await house.act(1, c.Resolve("Restarted the pool"))
    state = await house.database.incident(1)
    assert state is not None
    assert await house.database.replay(1) == state.model_dump_json()
    assert await house.database.verify() == []
    assert await house.database.incident_of_channel("C1") == 1
    assert len(state.model_dump_json()) < 16_000


async def test_events_come_back_as_they_were_and_as_of_a_time(house: House) -> None:
    """With people's words, who and when."""
    await house.open()
    house.clock.pass_(minutes=3)
    await house.act(1, c.AddNote("The deploy began"), BOB)
    events = await house.database.events(1)
    assert [item.seq for item in events] == list(range(1, len(events) + 1))
    assert (events[-1].actor, events[-1].event.type, events[-1].at) == (BOB, "note_added", house.clock())
    assert events[-1].event.text == "The deploy began"
    assert len(await house.database.events(1, as_of=START)) == len(events) - 1


async def test_an_observation_is_recorded_once(house: House) -> None:
    """The same key again, in the batch or later, is not."""
    await house.open()
    await asyncio.gather(*(house.observe(1, f"m{n % 10}", f"text {n}") for n in range(30)))
    await house.observe(1, "m3", "again")
    entries = await house.database.entries(1)
    assert [entry.seq for entry in entries] == list(range(1, 11))
    assert [entry.observation.text for entry in entries] == [f"text {n}" for n in range(10)]
    assert await house.database.verify() == []


async def test_a_timer_rings_once_however_many_see_it(house: House) -> None:
    """Its history stays: what rang, how late, and what was set anew."""
    await house.open()
    [due] = [one for one in await house.database.due_timers(START + timedelta(hours=1), 9) if one.kind == "respond"]
    house.clock.pass_(minutes=15, seconds=2)
    rung = await asyncio.gather(*(house.ring(1, "respond", due.due) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in rung].count(Superseded) == 2
    first, *later = [timer for timer in await house.database.timers(1) if timer.kind == "respond"]
    assert (first.state, first.late_by, first.ended_at) == ("fired", 2.0, house.clock())
    await house.act(1, c.Acknowledge())
    states = [timer.state for timer in await house.database.timers(1) if timer.kind == "respond"]
    assert states == ["fired", *(["cancelled"] * len(later))]


async def test_timers_changed_twice_in_one_batch_leave_their_history(house: House) -> None:
    """Only the last one is armed."""
    await house.open()
    spans = [timedelta(minutes=5), timedelta(minutes=7)]
    await asyncio.gather(*(house.act(1, c.PostUpdate("on it", span)) for span in spans))
    mine = [timer for timer in await house.database.timers(1) if timer.kind == "update"]
    assert [timer.state for timer in mine] == ["cancelled", "cancelled", "armed"]
    assert mine[-1].due == START + spans[-1]


async def test_erased_words_are_gone_everywhere_and_the_chain_holds(house: House) -> None:
    """The title in the log, in the snapshot and in lists reads `[erased]`; both streams still verify."""
    await house.open("Anna broke it", labels={"who": "anna"})
    await house.observe(1, "m1", "Anna again")
    await house.redact(1, Redacted(target=1), Redacted(stream="record", target=1))
    events = await house.database.events(1)
    assert (events[0].event.title, events[0].event.labels) == ("[erased]", {})
    assert (await house.database.entries(1))[0].observation.text == "[erased]"
    (state,) = await house.database.incidents()
    assert state.title == "[erased]"
    assert await house.database.replay(1) == state.model_dump_json()
    assert await house.database.verify() == []
    await house.act(1, c.Acknowledge())
    assert await house.database.verify() == []


async def test_one_unstorable_text_hurts_only_its_own_case(house: House) -> None:
    """A lone surrogate cannot be encoded: the others of the batch are saved."""
    await house.open()
    outcomes = await asyncio.gather(
        house.observe(1, "bad", "\ud800"), house.observe(1, "good", "fine"), return_exceptions=True
    )
    assert isinstance(outcomes[0], Unavailable)
    assert isinstance(outcomes[1], Answer)


async def test_a_sequence_that_is_taken_is_a_conflict_and_writes_nothing(house: House) -> None:
    """The safety net under the locks."""
    await house.open()
    (first, *_) = await house.database.events(1)

    def again(loaded: Loaded) -> list[Changes]:
        return [Changes(Answer(kind="x"), "id", dict(loaded.incidents), [NewEvent(1, first, "id")])]

    with pytest.raises(Conflict):
        await house.database.transact(Keys(incidents=frozenset({1})), (), again)
    assert await rows(house, "inbox") == 0
    assert await house.database.verify() == []


async def test_one_alert_has_at_most_one_open_episode(house: House) -> None:
    """Closed ones are many; the newest is loaded; a second open one is a conflict."""

    def episode(name: str, closed: bool, minute: int) -> Episode:
        at = START + timedelta(minutes=minute)
        return Episode(
            id=name, source="am", fingerprint="f", incident=1, group="g", name="Disk", opened_at=at, last_seen=at,
            closed_at=at if closed else None,
        )  # fmt: skip

    async def save(*episodes: Episode) -> None:
        changes = Changes(Answer(kind="x"), episodes=list(episodes), groups=[group])
        await house.database.transact(Keys(), (), lambda _: [changes])

    group = Group(key="g", incident=1, last_alert_at=START)
    await house.open()
    await save(episode("a", False, 0))
    await save(episode("b", False, 1), episode("a", True, 0))
    with pytest.raises(Conflict):
        await save(episode("c", False, 2))
    seen: list[Loaded] = []
    keys = Keys(groups=frozenset({"g", "h"}), fingerprints=frozenset({("am", "f"), ("am", "other")}))
    await house.database.transact(keys, (), lambda loaded: seen.append(loaded) or [])
    assert seen[0].episodes == {("am", "f"): episode("b", False, 1)}
    assert seen[0].groups == {"g": group}
    assert list(seen[0].incidents) == [1]
    assert [one.id for one in await house.database.episodes(1)] == ["a", "b"]


async def test_the_committed_survives_and_numbers_go_on_after_a_restart(database_url: str) -> None:
    """Another process finds everything, and counts on."""
    async with open_house(database_url) as first:
        await first.open()
        identity = first.database.installation_id
    async with open_house(database_url) as second:
        assert await second.open("Another") == 2
        assert second.database.installation_id == identity != ""
        assert await second.database.verify() == []


async def test_the_public_sees_neither_private_incidents_nor_drills(house: House) -> None:
    """Only published updates of the others, oldest first."""
    for number, more in enumerate([{}, {"drill": True}], start=1):
        await house.open(f"Outage {number}", **more)
        for text in ("first", "second"):
            await house.act(number, c.DraftPublic(text))
            await house.act(number, c.ApprovePublic(), BOB)
            await house.act(number, c.PublishPublic(), BOB)
    ((state, updates),) = await house.database.published()
    assert state.number == 1
    assert [item.event.text for item in updates] == ["first", "second"]


async def test_lists_and_counts_follow_the_states(house: House) -> None:
    """Newest first, in pages; private ones and drills are not counted."""
    for n in range(4):
        await house.open(f"Outage {n}", private=n == 1, drill=n == 2)
    await house.act(1, c.Resolve("done"))
    assert [one.number for one in await house.database.incidents(active=True)] == [4, 3, 2]
    assert [one.number for one in await house.database.incidents(limit=2, before=4)] == [3, 2]
    stats = await house.database.stats()
    assert stats.open_by_severity == {"sev1": 1}
    assert stats.oldest_waiting_at == START
    assert stats.armed_timers > 0
    assert (await house.database.incident(1)).status is Status.RESOLVED  # type: ignore[union-attr]
    assert await house.database.incident(9) is None
    assert 0 < await house.database.ping() < 2


async def test_a_database_without_a_schema_says_what_to_run(empty_database_url: str) -> None:
    """The command is named; the address is not."""
    with pytest.raises(Unavailable, match="tocsin migrate"):
        async with open_database(empty_database_url):
            pass


async def test_a_failing_case_rolls_everything_back(house: House) -> None:
    """What `work` raises comes out, and nothing is written."""

    def work(loaded: Loaded) -> list[Changes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await house.database.transact(Keys(opens=True), (), work)
    assert await house.open() == 1


async def test_readers_cannot_write(house: House) -> None:
    """The second door is for looking only."""

    def write(conn: Connection) -> None:
        conn.execute(tables.counter.update().values(value=9))

    with pytest.raises(Unavailable):
        await house.database._backend.read(write)
