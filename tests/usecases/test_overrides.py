"""Overrides of on-call: made in words, stored, seen by everybody, on the audit trail."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain import refusals as r
from bot.domain.duty import Duty
from bot.domain.policy import Policy
from bot.ports.store import Answer
from bot.render.slack.answers import answer_text, query_text
from bot.storage import schema
from bot.storage.database import open_database
from bot.usecases.cases import Request
from bot.usecases.committer import Committer
from bot.usecases.desk import QueryAnswer
from bot.usecases.roster import Roster
from tests.support.desks import START, Office, open_office

ALICE, BOB = "U0ALICE0001", "U0BOB000002"


def rota(**more: Any) -> Policy:
    primary = {"people": ["U0ANN00001", "U0BEN00001"], "timezone": "Europe/Berlin"}
    return Policy.model_validate({"oncall": {"primary": primary, "secondary": primary}, **more})


async def say(office: Office, text: str, actor: str = ALICE) -> Answer:
    answer = await office.desk.do(text, Request(actor))
    assert isinstance(answer, Answer)
    return answer


async def on_call(office: Office) -> dict[str, Any]:
    shifts = await office.desk.queries.oncall()
    return {shift["schedule"]: shift for shift in shifts}


@pytest.fixture
async def office() -> Any:
    async with open_office(rota()) as one:
        one.desk.roster = Roster(one.reader, one.policy, one.clock)
        yield one


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("primary @bob for 4h", "2026-03-14T09:00:00+00:00", "2026-03-14T13:00:00+00:00"),
        ("@bob primary until 18:00", "2026-03-14T09:00:00+00:00", "2026-03-14T17:00:00+00:00"),
        ("Primary @bob from 22:00 for 90m", "2026-03-14T21:00:00+00:00", "2026-03-14T22:30:00+00:00"),
        ("primary @bob from 8:00 until 9:00", "2026-03-15T07:00:00+00:00", "2026-03-15T08:00:00+00:00"),
        ("primary @bob from tomorrow 09:00 until mon 9:00", "2026-03-15T08:00:00+00:00", "2026-03-16T08:00:00+00:00"),
        ("primary <@U0BOB000002> from 2026-03-28 20:00 until 2026-03-29 20:00",
         "2026-03-28T19:00:00+00:00", "2026-03-29T18:00:00+00:00"),
        ("primary bob for 1d", "2026-03-14T09:00:00+00:00", "2026-03-15T09:00:00+00:00"),
    ],
)  # fmt: skip
async def test_an_override_is_read_in_the_rotations_own_zone(office: Office, words: str, start: str, end: str) -> None:
    answer = await say(office, f"oncall override {words}")
    assert (answer.kind, answer.fields["start"], answer.fields["end"]) == ("override_made", start, end)
    assert (answer.fields["schedule"], answer.fields["who"]) == ("primary", BOB)


async def test_an_override_holds_at_once_and_only_for_its_time(office: Office) -> None:
    before = (await on_call(office))["primary"]["user"]
    await say(office, "oncall override primary @bob for 4h")
    now = await on_call(office)
    assert (now["primary"]["user"], now["primary"]["override"]) == (BOB, {"number": 1, "by": ALICE})
    assert now["secondary"]["override"] is None
    assert (now["primary"]["until"], now["primary"]["next"]) == ("2026-03-14T13:00:00Z", before)
    office.clock.pass_by(hours=4)
    assert (await on_call(office))["primary"]["user"] == before


async def test_an_override_is_listed_and_cancelled_once(office: Office) -> None:
    await say(office, "oncall override primary @bob for 4h")
    listed = await office.desk.do("oncall override list", Request(ALICE))
    assert isinstance(listed, QueryAnswer)
    assert [(one["number"], one["user"]) for one in listed.data] == [(1, BOB)]
    assert (await say(office, "on-call override cancel #1")).kind == "override_cancelled"
    assert (await on_call(office))["primary"]["override"] is None
    with pytest.raises(r.UnknownOverride):
        await say(office, "oncall override cancel 1")


async def test_whoever_is_put_on_call_or_taken_off_is_told(office: Office) -> None:
    await say(office, "oncall override primary @bob for 4h")
    await say(office, "oncall override cancel 1")
    await say(office, "oncall override primary @me for 4h")
    told = [row.new.id for row in office.store.tables.effects.values() if row.new.effect.kind == "post_notice"]
    assert told == ["notice:override/1/override_made", "notice:override/1/override_cancelled"]


async def test_overrides_are_on_the_audit_trail(office: Office) -> None:
    await say(office, "oncall override primary @bob for 4h")
    await say(office, "oncall override cancel 1", BOB)
    assert [(one.actor, one.action, one.outcome) for one in office.store.tables.audit] == [
        (ALICE, "override_on_call", "done"),
        (BOB, "cancel_override", "done"),
    ]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("tertiary @bob for 4h", r.UnknownSchedule),
        ("primary @bob", r.MissingArgument),
        ("primary @bob for ever", r.BadArgument),
        ("primary @bob until yesterday", r.BadArgument),
        ("primary @bob until 2026-02-30 10:00", r.BadArgument),
        ("primary @bob until 2026-03-13 10:00", r.OverrideTooLong),
        ("primary @bob for 20w", r.OverrideTooLong),
        ("primary @nobody for 4h", r.UnknownPerson),
        ("primary", r.MissingArgument),
        ("cancel 7", r.UnknownOverride),
    ],
)
async def test_what_cannot_be_is_refused_with_words(office: Office, words: str, refusal: type[r.Refused]) -> None:
    with pytest.raises(refusal):
        await say(office, f"oncall override {words}")
    assert not office.store.tables.overrides


async def test_nobody_is_put_on_call_who_cannot_answer(office: Office) -> None:
    office.policy.learn(Duty(gone=frozenset({BOB})))
    with pytest.raises(r.NotAround):
        await say(office, "oncall override primary @bob for 4h")


async def test_a_repeated_command_makes_one_override(office: Office) -> None:
    for _ in range(2):
        await office.desk.do("oncall override primary @bob for 4h", Request(ALICE, "T1"))
    assert len(office.store.tables.overrides) == 1


async def test_the_answers_say_what_to_do_next(office: Office) -> None:
    from bot.assets import asset_dir
    from bot.render.texts import Texts

    texts = Texts(asset_dir("templates"))
    made = await say(office, "oncall override primary @bob for 4h")
    for medium in ("slack", "cli"):
        assert "override cancel 1" in answer_text(made, texts, medium)  # type: ignore[arg-type]
        listed = query_text("override", await office.desk.queries.overrides(), texts, medium)  # type: ignore[arg-type]
        assert "primary" in listed
        assert "override 1" in query_text("oncall", await office.desk.queries.oncall(), texts, medium)  # type: ignore[arg-type]


async def test_three_replicas_on_one_database_know_it_within_a_second(tmp_path: Any) -> None:
    """Each has a policy of its own, as each process has; what wakes the runners wakes the rosters."""
    url = f"sqlite:///{tmp_path / 'tocsin.db'}"
    await asyncio.to_thread(schema.migrate, url)
    async with open_database(url) as a, open_database(url) as b, open_database(url) as c:
        policies = [rota() for _ in range(3)]
        rosters = [
            Roster(base, policy, lambda: START, breath=0.01) for base, policy in zip((a, b, c), policies, strict=True)
        ]
        heard = [asyncio.Event() for _ in rosters]
        async with Committer(a, lambda: START) as committer, rosters[1], rosters[2]:
            for base, roster, event in zip((a, b, c), rosters, heard, strict=True):
                base.on_change(roster.rung)
                roster.on_change.append(event.set)
            from bot.domain.commands import OverrideOnCall
            from bot.usecases.overrides import Overriding

            command = OverrideOnCall("primary", BOB, START, START + timedelta(hours=1))
            answer = await committer.submit(Overriding(Request(ALICE), command, policies[0]))
            assert answer.fields["number"] == 1
            async with asyncio.timeout(5):
                await asyncio.gather(heard[1].wait(), heard[2].wait())
        assert [policy.duty.override("primary", START) is not None for policy in policies] == [False, True, True]
