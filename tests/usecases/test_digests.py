"""The morning digest: what is open and owed, said once, with nothing private in it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain import commands as c
from bot.domain.policy import Channels, Organization, Policy
from bot.domain.severity import Severity
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.notices import notice_message
from bot.render.texts import Texts
from bot.usecases.digests import digest, say_digest
from tests.support.desks import START, Office, open_office

POLICY = Policy(channels=Channels(digest="morning"), organization=Organization(timezone="Pacific/Auckland"))
TEXTS = Texts(Path(__file__).resolve().parents[2] / "templates")


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office(POLICY) as opened:
        yield opened


async def said(office: Office) -> str:
    notice = digest(await office.reader.incidents(), POLICY, office.clock())
    assert notice is not None
    return notice_message(notice, Surroundings(TEXTS, POLICY, Links("http://tocsin.test"))).words


async def test_the_worst_comes_first_and_private_ones_and_drills_do_not_come(office: Office) -> None:
    await office.incident("C0AAAAAA1", title="Search is slow", severity=Severity.SEV3)
    await office.incident("C0AAAAAA2", title="Checkout is down", severity=Severity.SEV1)
    await office.incident("C0AAAAAA3", title="A secret", private=True)
    await office.incident("C0AAAAAA4", title="An exercise", drill=True)
    text = await said(office)
    assert text.index("Checkout is down") < text.index("Search is slow")
    assert "2 incidents open" in text
    assert "secret" not in text
    assert "exercise" not in text


async def test_what_is_owed_is_named_with_its_owner(office: Office) -> None:
    number = await office.incident("C0AAAAAA1", title="Checkout is down")
    await office.act(number, c.AddTask("Add a lag alert", "U0BOB000002", timedelta(days=1)))
    await office.act(number, c.Resolve("done"))
    office.clock.pass_by(days=2)
    text = await said(office)
    assert "*No incident is open* · 1 postmortem owed · 1 action item due" in text
    assert "Add a lag alert" in text
    assert "<@U0BOB000002>" in text


async def test_replicas_say_it_once_a_day_by_the_organisations_calendar(office: Office) -> None:
    answers = [await say_digest(office.reader, office.committer, POLICY, office.clock) for _ in range(3)]
    assert [len(answer.fields["said"]) for answer in answers if answer] == [1, 0, 0]
    assert answers[0] is not None
    assert answers[0].fields["said"] == ["digest/2026-03-14"]
    office.clock.now = START.replace(hour=11)  # past midnight in Auckland
    later = await say_digest(office.reader, office.committer, POLICY, office.clock)
    assert later is not None
    assert later.fields["said"] == ["digest/2026-03-15"]


async def test_without_a_channel_there_is_none(office: Office) -> None:
    assert await say_digest(office.reader, office.committer, Policy(), office.clock) is None
