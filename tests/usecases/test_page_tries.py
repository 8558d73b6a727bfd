"""`page --test`: the way is proven before it is needed, and whoever asked hears what became of it."""

import asyncio
from typing import Any

import pytest

from bot.domain import refusals as r
from bot.domain.commands import Redeliver
from bot.domain.commands import TryPage as PageTest
from bot.domain.duty import Duty
from bot.domain.effects import TryPager
from bot.domain.notices import HOUSE
from bot.domain.policy import Policy
from bot.ports.store import Answer, NewEffect, Settled
from bot.storage import schema
from bot.storage.database import open_database
from bot.usecases.cases import Request
from bot.usecases.committer import Committer
from bot.usecases.page_tries import TryPage, pager_tried
from bot.usecases.settling import Settle
from bot.usecases.undelivered import TryAgain
from tests.support.desks import START, Office, open_office

ALICE, BOB = "U0ALICE0001", "U0BOB000002"
LEVELS = {"levels": [{"targets": [{"user": BOB}, {"pagerduty": "default"}, {"usergroup": "S0OPS"}]}]}
POLICY = {"services": {"checkout": {}}, "escalations": {"default": LEVELS}, "channels": {"admin": "ops"}}


@pytest.fixture
async def office() -> Any:
    async with open_office(Policy.model_validate(POLICY)) as one:
        yield one


async def ask(office: Office, text: str, actor: str = ALICE, surface: str = "slack") -> Answer:
    answer = await office.desk.do(text, Request(actor, surface=surface))
    assert isinstance(answer, Answer)
    return answer


def effects(office: Office) -> list[NewEffect]:
    return [row.new for row in office.store.tables.effects.values()]


async def test_a_service_is_tried_as_it_would_be_paged_and_no_incident_comes_of_it(office: Office) -> None:
    answer = await ask(office, "page --test checkout")
    assert (answer.kind, answer.fields["event"]["users"], answer.fields["groups"]) == ("page_tried", (BOB,), ("S0OPS",))
    assert [(new.effect.kind, new.incident) for new in effects(office)] == [("post_notice", 0), ("try_pager", 0)]
    assert not office.store.tables.incidents
    assert [line.action for line in office.store.tables.audit] == ["try_page"]


@pytest.mark.parametrize(
    ("words", "who"), [("page --test", ALICE), ("page @bob --test", BOB), ("page —test me", ALICE)]
)
async def test_a_person_is_tried_also_oneself_and_with_a_long_dash(office: Office, words: str, who: str) -> None:
    assert (await ask(office, words)).fields["event"]["users"] == (who,)


async def test_whoever_presses_the_button_is_told_of_once_and_when(office: Office) -> None:
    await ask(office, "page --test @bob")
    ticket = office.store.tables.said[0].fields["ticket"]
    office.clock.pass_by(seconds=12)
    for _ in range(2):
        await office.desk.got_test(str(ticket), Request(BOB))
    (told,) = office.store.tables.said[1:]
    assert (told.user, told.template, told.fields) == (ALICE, "page_test_got", {"who": BOB, "seconds": 12.0})


async def test_a_test_from_the_command_line_is_answered_in_the_admin_channel(office: Office) -> None:
    await ask(office, "page --test @bob", "cli:ann", "cli")
    await office.desk.got_test(str(office.store.tables.said[0].fields["ticket"]), Request(BOB))
    assert office.store.tables.said[1].channel == "ops"


@pytest.mark.parametrize(
    "ticket", ["", "x", "1:2:3", "9" * 40 + ".a:-", "../1.a:U1", "99999999999999999.a:U0ALICE0001x"]
)
async def test_junk_in_a_button_harms_nobody(office: Office, ticket: str) -> None:
    try:
        await office.desk.got_test(ticket, Request(BOB))
    except r.OldControl:
        return
    assert [notice.channel for notice in office.store.tables.said] == ["ops"]  # to nobody in particular


async def test_nobody_is_tried_who_cannot_answer(office: Office) -> None:
    office.policy.learn(Duty(gone=frozenset({BOB})))
    with pytest.raises(r.NotAround):
        await ask(office, "page --test @bob")
    assert (await ask(office, "page --test checkout")).fields["skipped"] == (BOB,)


@pytest.mark.parametrize("error", ["", "PagerDuty is not set up"])
async def test_what_became_of_a_pagers_test_is_said_in_the_commit_that_settles_it(tmp_path: Any, error: str) -> None:
    url, policy = f"sqlite:///{tmp_path / 'tocsin.db'}", Policy.model_validate(POLICY)
    await asyncio.to_thread(schema.migrate, url)
    async with open_database(url, clock=lambda: START) as base, Committer(base, lambda: START) as committer:
        await committer.submit(TryPage(Request(ALICE), PageTest("checkout"), policy))
        (job,) = [job for job in await base.claim("w", 10, START) if isinstance(job.effect, TryPager)]
        assert isinstance(job.effect, TryPager)
        told = pager_tried(job.effect, error, policy)
        settled = Settled(job.id, job.token, "failed" if error else "done", START, error=error)
        await committer.submit(Settle(settled, HOUSE, None, policy, notices=told))
        (said,) = [one.notice for one in await base.claim("w", 10, START) if one.notice]
    assert (said.user, said.fields) == (ALICE, {"pager": "default", "error": error})


async def test_a_refused_test_of_a_pager_that_is_tried_again_tells_who_asked_that_it_is_taken(tmp_path: Any) -> None:
    url, policy = f"sqlite:///{tmp_path / 'tocsin.db'}", Policy.model_validate(POLICY)
    await asyncio.to_thread(schema.migrate, url)
    async with open_database(url, clock=lambda: START) as base, Committer(base, lambda: START) as committer:
        await committer.submit(TryPage(Request(ALICE), PageTest("checkout"), policy))
        said = []
        for error in ("PagerDuty is not set up", ""):
            (job,) = [job for job in await base.claim("w", 10, START) if isinstance(job.effect, TryPager)]
            assert isinstance(job.effect, TryPager)
            settled = Settled(job.id, job.token, "failed" if error else "done", START, error=error)
            told = pager_tried(job.effect, error, policy)
            await committer.submit(Settle(settled, HOUSE, None, policy, notices=told))
            for notice in [one for one in await base.claim("w", 10, START) if one.notice]:
                said.append(notice.notice and notice.notice.fields["error"])
                await committer.submit(Settle(Settled(notice.id, notice.token, "done", START), HOUSE, None, policy))
            if error:
                await committer.submit(TryAgain(Request(ALICE), Redeliver(job.id), trusted=False))
    assert said == ["PagerDuty is not set up", ""]
