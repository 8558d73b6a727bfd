"""Handover notes: at each change of hands, once, to those who may see what stands in them."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain import commands as c
from bot.domain.duty import Duty, Override
from bot.domain.events import Step
from bot.domain.notices import HOUSE, Notice
from bot.domain.policy import Policy
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity
from bot.render.slack import legal
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.storage import schema
from bot.storage.database import open_database
from bot.usecases.committer import Committer
from bot.usecases.handovers import Handovers, changed
from tests.render.slack_cases import TEMPLATES
from tests.support.desks import DISK_FULL, Office, open_office

BERLIN = ZoneInfo("Europe/Berlin")
ANN, BEN = "U0ANN00001", "U0BEN00001"


def rota(**more: Any) -> Policy:
    primary = {"people": [ANN, BEN], "timezone": "Europe/Berlin", "start": "2026-01-05", **more.pop("primary", {})}
    return Policy.model_validate({"oncall": {"primary": primary}, **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def said(office: Office) -> dict[str, Notice]:
    return {notice.key: notice for notice in office.store.tables.said}


@pytest.mark.parametrize(
    ("policy", "moments"),
    [
        ({}, ["2026-03-30T09:00", "2026-10-26T09:00", "2026-11-30T09:00", "2027-01-04T09:00"]),
        ({"every": "1d", "handover": {"at": "02:30"}}, ["2026-03-29T03:30", "2026-10-25T02:30", "2028-02-29T02:30"]),
        ({"every": "1d", "handover": {"at": "00:00"}}, ["2026-02-01T00:00", "2026-03-30T00:00", "2026-12-31T00:00"]),
    ],
)
def test_hands_change_at_local_time_over_the_clocks_changes_and_month_ends(
    policy: dict[str, Any], moments: list[str]
) -> None:
    for moment in moments:
        found = changed(rota(primary=policy), "primary", at(moment))
        assert found is not None
        before, after = found
        assert {before, after.user} == {ANN, BEN}
        assert after.start == at(moment)


def test_a_rotation_of_one_changes_no_hands() -> None:
    assert changed(rota(primary={"people": [ANN]}), "primary", at("2026-03-30T09:00")) is None


def test_an_override_changes_hands_twice() -> None:
    policy, start = rota(), at("2026-03-24T12:00")
    usual = changed(policy, "primary", at("2026-03-23T09:00"))
    assert usual is not None
    policy.learn(Duty((Override(1, "primary", "U0CAT00001", start, start + timedelta(hours=2), ANN, start),)))
    there, back = (changed(policy, "primary", start + timedelta(hours=h)) for h in (0, 2))
    assert there is not None
    assert back is not None
    assert (there[0], there[1].user, there[1].override) == (usual[1].user, "U0CAT00001", 1)
    assert (back[0], back[1].user) == ("U0CAT00001", usual[1].user)


async def at_handover(look: Callable[[Office, Handovers], Any], policy: Policy | None = None) -> None:
    async with open_office(policy or rota()) as office:
        office.clock.now = at("2026-11-23T09:00")
        await look(office, Handovers(office.reader, office.committer, office.policy, office.clock))


async def test_the_channel_and_both_people_are_told_once() -> None:
    async def look(office: Office, handovers: Handovers) -> None:
        for _ in range(3):
            await handovers.look()
            office.clock.pass_by(minutes=1)
        again = Handovers(office.reader, office.committer, office.policy, office.clock)  # the process was restarted
        await again.look()
        key = "handover/primary/2026-11-23T08:00:00Z"
        assert {key: n.channel or n.user for key, n in said(office).items()} == {
            key: "incidents",
            f"{key}/{ANN}": ANN,
            f"{key}/{BEN}": BEN,
        }

    await at_handover(look)


async def test_a_process_that_was_away_catches_up_but_not_for_ever() -> None:
    async def look(office: Office, handovers: Handovers) -> None:
        office.clock.pass_by(hours=7)
        await handovers.look()
        assert not said(office)
        office.clock.pass_by(hours=-2)
        await handovers.look()
        assert len(said(office)) == 3

    await at_handover(look)


async def test_each_reads_what_they_may_see_and_what_they_lead() -> None:
    async def look(office: Office, handovers: Handovers) -> None:
        outgoing = (changed(office.policy, "primary", office.clock.now) or ("", None))[0]
        led = await office.incident("C1", runbook=DISK_FULL, severity=Severity.SEV3)
        await office.act(led, c.AssignRole("lead", outgoing))
        await office.act(led, c.MarkStep(2, "done"))
        await office.act(led, c.AddTask("Write it down"))
        secret = await office.incident("C2", title="Leak", private=True, severity=Severity.SEV3)
        await office.act(secret, c.AssignRole("scribe", outgoing))
        await handovers.look()
        notes = said(office)
        channel, theirs, others = (
            next(n.fields["open"] for n in notes.values() if (n.user or "channel") == who)
            for who in ("channel", outgoing, ({ANN, BEN} - {outgoing}).pop())
        )
        assert [one["key"] for one in channel] == ["INC-1"]  # type: ignore[union-attr,index,call-overload]
        assert [one["key"] for one in others] == ["INC-1"]  # type: ignore[union-attr,index,call-overload]
        assert [one["key"] for one in theirs] == ["INC-1", "INC-2"]  # type: ignore[union-attr,index,call-overload]
        for note in (channel, theirs, others):
            assert note[0]["steps"] == ["1. Look at 1", "3. Look at 3"]  # type: ignore[index,call-overload]
        assert theirs[0]["tasks"] == ["1. Write it down"]  # type: ignore[index,call-overload]
        assert not channel[0]["tasks"]  # type: ignore[index,call-overload]

    await at_handover(look)


async def test_the_note_to_the_channel_names_the_steps_that_are_open_and_no_more_than_a_few() -> None:
    async def look(office: Office, handovers: Handovers) -> None:
        words = "Look <!channel> at the replica " * 20
        steps = tuple(Step(number=n, section="Diagnosis", text=words) for n in range(1, 9))
        for n in range(14):
            await office.incident(f"C{n}", title=f"Outage {n}", runbook=Runbook("big", "Big", "d", steps=steps))
        await office.incident("C20", title="The leak", private=True, runbook=DISK_FULL)
        await handovers.look()
        (note,) = [one for one in said(office).values() if one.channel]
        made = Renderer(Surroundings(Texts(TEMPLATES), office.policy, Links("https://tocsin.example"))).notice(note)
        legal.check(made.blocks)
        assert made.words.count("☐ 1. Look @channel at the replica") == 10
        assert made.words.count("…and 5 more open steps") == 10
        assert "…and 4 more: `/incident list`" in made.words
        assert "leak" not in made.words
        assert "Look at 2" not in made.words, "no step of a private incident"

    await at_handover(look)


async def test_a_note_waits_for_the_end_of_quiet_hours_and_has_a_lane_of_its_own() -> None:
    async def look(office: Office, handovers: Handovers) -> None:
        await handovers.look()
        rows = {row.new.effect.user: row.new for row in office.store.tables.effects.values()}  # type: ignore[union-attr]
        assert (rows[ANN].not_before, rows[ANN].lane) == (at("2026-11-23T11:00"), f"user:{ANN}:calm")
        assert (rows[BEN].not_before, rows[BEN].lane) == (None, f"user:{BEN}")
        assert rows[""].not_before is None

    await at_handover(look, rota(people={ANN: {"quiet": "08:00-11:00", "timezone": "Europe/Berlin"}}))


async def test_the_notes_go_to_the_configured_channel() -> None:
    async def look(office: Office, handovers: Handovers) -> None:
        await handovers.look()
        assert [n.channel for n in said(office).values() if n.channel] == ["on-call"]

    await at_handover(look, rota(channels={"oncall": "on-call"}))


async def test_three_replicas_tell_it_once(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'tocsin.db'}"
    await asyncio.to_thread(schema.migrate, url)

    def now() -> datetime:
        return at("2026-11-23T09:00")

    async with AsyncExitStack() as stack:
        bases = [await stack.enter_async_context(open_database(url)) for _ in range(3)]
        replicas = [
            Handovers(base, await stack.enter_async_context(Committer(base, now)), rota(), now) for base in bases
        ]
        await asyncio.gather(*(replica.look() for replica in replicas))
        told = await bases[0].deliveries(HOUSE)
    assert len(told) == 3
